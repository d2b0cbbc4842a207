# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The addresses of the API, below ``api/v1/``."""

from hpcampus_courses.gradebook import GradebookHandler

from .archive import ArchiveFile, PublicCopy
from .assignments import Assignments, Calendar, Courses, Needed, ReleaseFile
from .grades import Draft, Grades, LineItems, Release, Table
from .progress import AuditLines, OneRun, Roster, Runs
from .submissions import Begin, FeedbackFile, SubmissionFile, Submissions

_COURSE = r"courses/(?P<slug>[^/]+)"
_ASSIGNMENT = r"(?P<assignment>[^/]+)"
_SUBMISSION = rf"{_COURSE}/submissions/(?P<submission>[^/]+)"

ROUTES = (
    (r"courses", Courses),
    (rf"{_COURSE}/assignments", Assignments),
    (rf"{_COURSE}/assignments/{_ASSIGNMENT}/release", ReleaseFile),
    (rf"{_COURSE}/assignments/{_ASSIGNMENT}/requirements", Needed),
    (rf"{_COURSE}/assignments/{_ASSIGNMENT}/submissions", Begin),
    (rf"{_COURSE}/calendar", Calendar),
    (rf"{_COURSE}/gradebook", GradebookHandler),
    (rf"{_COURSE}/submissions", Submissions),
    (rf"{_SUBMISSION}/content", SubmissionFile),
    (rf"{_SUBMISSION}/feedback", FeedbackFile),
    (rf"{_COURSE}/roster", Roster),
    (rf"{_COURSE}/grades", Grades),
    (rf"{_COURSE}/grades\.csv", Table),
    (rf"{_COURSE}/grades/{_ASSIGNMENT}", Draft),
    (rf"{_COURSE}/grades/{_ASSIGNMENT}/release", Release),
    (rf"{_COURSE}/line-items/{_ASSIGNMENT}", LineItems),
    (rf"{_COURSE}/runs", Runs),
    (rf"{_COURSE}/runs/(?P<run>[^/]+)", OneRun),
    (rf"{_COURSE}/audit", AuditLines),
    (rf"{_COURSE}/archive", ArchiveFile),
    (rf"{_COURSE}/public-copy", PublicCopy),
)
