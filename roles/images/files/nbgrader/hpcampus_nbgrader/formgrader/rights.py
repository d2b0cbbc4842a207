# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who may do what in the server of a course."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Part(StrEnum):
    """What somebody is to a course."""

    LEADER = "leader"
    """An instructor, or the course's own account."""
    GRADER = "grader"
    STRANGER = "stranger"


def part_of(user: Mapping[str, Any], course: str) -> Part:
    """What a user of the hub is to a course, by the groups that the hub keeps of its members."""
    groups = user.get("groups") or ()
    if user.get("name") == f"course-{course}" or f"course-{course}-instructors" in groups:
        return Part.LEADER
    return Part.GRADER if f"course-{course}-graders" in groups else Part.STRANGER


# What a grader may, by method, as patterns of the path below the server's own. All else is refused, so what a new version adds is too.
_LOOK = r"formgrader(?:/.*)?|static/.*|favicon\.ico|logo|oauth_callback|logout"
_GRADE = r"formgrader/api/(?:grade|comment)/[^/]+"
_FLAG = r"formgrader/api/submitted_notebook/[^/]+/flag"
_GRADER_MAY = {"GET": _LOOK, "HEAD": _LOOK, "PUT": _GRADE, "POST": _FLAG}
_HOME = re.compile(r"(?:lab|tree|notebooks)(?:/(?!api/).*)?")

START_OF_GRADERS = "formgrader/gradebook"


def grader_may(method: str, path: str) -> bool:
    """Whether a grader may make a request.

    Args:
        method: Of HTTP.
        path: Below the server's own path, decoded or not, without a slash at its beginning.
    """
    pattern = _GRADER_MAY.get(method)
    return pattern is not None and ".." not in path and re.fullmatch(pattern, path) is not None


def is_home(method: str, path: str) -> bool:
    """Whether a request asks for a page of the server where a person begins; a grader is led to the formgrader instead."""
    return method == "GET" and _HOME.fullmatch(path) is not None
