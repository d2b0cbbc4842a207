# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's exchange classes, fitted to an exchange whose directories are mounted one by one.

The exchange's root lies in the read-only image, so it is not writable as nbgrader wants it; what counts is that the
course's own directories are there.
"""

from __future__ import annotations

import os
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange import default
from nbgrader.utils import ignore_patterns

from . import inbox
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

# How much later than claimed a submission may have changed before the instructor is told.
_TOLERANCE = timedelta(minutes=10)


class _Mounted:
    """The root only has to exist: the job wrapper mounts what this server may see."""

    root: str
    fail: Callable[[str], None]

    def ensure_root(self) -> None:
        """Fail without an exchange; nbgrader would want to write to its root."""
        if not Path(self.root).is_dir():
            self.fail(f"The exchange is not mounted at {self.root}: start the server with a course.")


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
        """Find the assignments to list."""
        if not (self.inbound and Settings.from_environment(os.environ).is_course):
            super().init_dest()
            return
        path = Path(self.root, self.coursedir.course_id, "inbound")
        wanted = (self.coursedir.student_id or "*", self.coursedir.assignment_id or "*")
        self.assignments = [str(found.path) for found in inbox.submissions(path, *wanted)]

    def parse_assignment(self, assignment: str) -> dict[str, Any]:
        """Split the path of an assignment; the student is the inbound directory's name."""
        info: dict[str, Any] = super().parse_assignment(assignment)
        if self.inbound and "/" in str(info.get("student_id", "")):
            info["student_id"] = str(info["student_id"]).split("/", 1)[0]
        return info


class Collect(_Mounted, default.ExchangeCollect):
    """Collect submissions; the student is the inbound directory's name, whatever the submission calls itself."""

    def init_src(self) -> None:
        """Choose one submission for each student."""
        if not self.coursedir.course_id:
            self.fail("No course is set. Start the course's own server, or give --course.")
        inbound = Path(self.root, self.coursedir.course_id, "inbound")
        if not inbound.is_dir():
            self.fail(f"There is no inbound directory at {inbound}.")
        self.inbound_path = str(inbound)
        found = inbox.submissions(inbound, self.coursedir.student_id or "*", self.coursedir.assignment_id)
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
                "filename": str(one.path.relative_to(inbound)),
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
            log=log or self.log,
        )

        def refused(path: Path) -> None:
            self.log.warning("Left out %s: not a plain file.", path)

        inbox.copy_plain(Path(src), Path(dest), by_pattern, refused)
