# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The addresses of the API, below ``api/v1/``."""

from .assignments import Assignments, Calendar, Courses, ReleaseFile

_COURSE = r"courses/(?P<slug>[^/]+)"
_ASSIGNMENT = r"(?P<assignment>[^/]+)"

ROUTES = (
    (r"courses", Courses),
    (rf"{_COURSE}/assignments", Assignments),
    (rf"{_COURSE}/assignments/{_ASSIGNMENT}/release", ReleaseFile),
    (rf"{_COURSE}/calendar", Calendar),
)
