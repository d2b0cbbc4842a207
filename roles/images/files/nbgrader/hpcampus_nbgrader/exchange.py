# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's exchange classes, fitted to an exchange whose directories are mounted one by one.

The exchange's root lies in the read-only image, so it is not writable as nbgrader wants it; what counts is that the
course's own directories are there.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange import default
from nbgrader.utils import ignore_patterns

from hpcampus_nbgrader import inbox
from hpcampus_nbgrader.settings import Settings

# How much later than claimed a submission may have changed before the instructor is told.
_TOLERANCE = timedelta(minutes=10)


class _Mounted:
    """The root only has to exist: the job wrapper mounts what this server may see."""

    root: str

    def ensure_root(self) -> None:
        if not os.path.isdir(self.root):
            self.fail(f"The exchange is not mounted at {self.root}: start the server with a course.")

    fail: Callable[[str], None]


class FetchAssignment(_Mounted, default.ExchangeFetchAssignment):
    """Fetch a released assignment."""


class FetchFeedback(_Mounted, default.ExchangeFetchFeedback):
    """Fetch feedback."""


class ReleaseAssignment(_Mounted, default.ExchangeReleaseAssignment):
    """Release an assignment into the course's outbound directory."""


class ReleaseFeedback(_Mounted, default.ExchangeReleaseFeedback):
    """Release feedback."""


class Submit(_Mounted, default.ExchangeSubmit):
    """Submit into the student's own inbound directory."""


class List(_Mounted, default.ExchangeList):
    """List assignments; in the course's server inbound holds a directory for each student."""

    def init_dest(self) -> None:
        if not (self.inbound and Settings.from_environment(os.environ).is_course):
            super().init_dest()
            return
        path = os.path.join(self.root, self.coursedir.course_id, "inbound")
        wanted = (self.coursedir.student_id or "*", self.coursedir.assignment_id or "*")
        self.assignments = [found.path for found in inbox.submissions(path, *wanted)]

    def parse_assignment(self, assignment: str) -> dict[str, Any]:
        info: dict[str, Any] = super().parse_assignment(assignment)
        if self.inbound and "/" in str(info.get("student_id", "")):
            info["student_id"] = str(info["student_id"]).split("/", 1)[0]
        return info


class Collect(_Mounted, default.ExchangeCollect):
    """Collect submissions; the student is the inbound directory's name, whatever the submission calls itself."""

    def init_src(self) -> None:
        if not self.coursedir.course_id:
            self.fail("No course is set. Start the course's own server, or give --course.")
        self.inbound_path = os.path.join(self.root, self.coursedir.course_id, "inbound")
        if not os.path.isdir(self.inbound_path):
            self.fail(f"There is no inbound directory at {self.inbound_path}.")
        found = inbox.submissions(
            self.inbound_path, self.coursedir.student_id or "*", self.coursedir.assignment_id
        )
        due = self._due_date() if self.before_duedate else None
        chosen = inbox.latest(found, due)
        for one in chosen:
            if one.changed - one.timestamp > _TOLERANCE:
                self.log.warning(
                    "%s says it was submitted at %s UTC but changed at %s UTC.", one.path, one.timestamp, one.changed
                )
        self.src_records = [
            {
                "username": one.student_id,
                "filename": os.path.relpath(one.path, self.inbound_path),
                "timestamp": one.timestamp,
            }
            for one in chosen
        ]
        # The directory's name is the proof of who it is; all files belong to the one cluster account.
        self.check_owner = False

    def _due_date(self) -> datetime | None:
        with Gradebook(self.coursedir.db_url, self.coursedir.course_id) as gradebook:
            try:
                due: datetime | None = gradebook.find_assignment(self.coursedir.assignment_id).duedate
            except MissingEntry:
                return None
        return due

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy plain files and directories only."""
        size = self.get_size(src)
        if size > 1000 * self.coursedir.max_dir_size:
            self.fail(f"{src} has {size} bytes, more than CourseDirectory.max_dir_size allows.")
        by_pattern = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=self.log,
        )

        def refused(path: str) -> None:
            self.log.warning("Left out %s: not a plain file.", path)

        inbox.copy_plain(src, dest, by_pattern, refused)
