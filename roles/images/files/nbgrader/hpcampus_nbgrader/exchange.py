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
from nbgrader.exchange import ExchangeError, default
from nbgrader.utils import ignore_patterns

from . import inbox
from .settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable

# How much later than claimed a submission may have changed before the instructor is told.
_TOLERANCE = timedelta(minutes=10)
# nbgrader reads in it when a collected submission was handed in.
_TIMESTAMP = "timestamp.txt"


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
        self.assignments = [str(found.path) for found in inbox.submissions(path, *wanted, self._unreadable)]

    def _unreadable(self, student: str, error: OSError) -> None:
        self.log.warning("The submissions of %s cannot be listed: %s", student, error)

    def parse_assignment(self, assignment: str) -> dict[str, Any]:
        """Split the path of an assignment; the student is the inbound directory's name."""
        info: dict[str, Any] = super().parse_assignment(assignment)
        if self.inbound and "/" in str(info.get("student_id", "")):
            info["student_id"] = str(info["student_id"]).split("/", 1)[0]
        return info


class Collect(_Mounted, default.ExchangeCollect):
    """Collect submissions; the student is the inbound directory's name, whatever the submission calls itself.

    A submission that cannot be collected is left out and told in the end; it does not keep the others from being collected.
    """

    def init_src(self) -> None:
        """Choose one submission for each student."""
        self.left_out: dict[str, str] = {}
        if not self.coursedir.course_id:
            self.fail("No course is set. Start the course's own server, or give --course.")
        inbound = Path(self.root, self.coursedir.course_id, "inbound")
        if not inbound.is_dir():
            self.fail(f"There is no inbound directory at {inbound}.")
        self.inbound_path = str(inbound)
        wanted = (self.coursedir.student_id or "*", self.coursedir.assignment_id)
        found = inbox.submissions(inbound, *wanted, self._leave_out)
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

    def _leave_out(self, student: str, error: Exception) -> None:
        reason = (error.strerror if isinstance(error, OSError) else "") or str(error) or type(error).__name__
        self.log.error("Left out %s: %s", student, reason)
        self.left_out[student] = reason

    def copy_files(self) -> None:
        """Collect each student's submission by itself.

        Raises:
            ExchangeError: Some were left out, after all others were collected; the message names them.
        """
        records = self.src_records
        if not records:
            super().copy_files()
        for record in records:
            self.src_records = [record]
            try:
                super().copy_files()
            except Exception as error:  # noqa: BLE001 - whatever one submission brings about, the others are collected
                self._leave_out(str(record["username"]), error)
        self.src_records = records
        if self.left_out:
            listed = "; ".join(f"{student} ({reason})" for student, reason in sorted(self.left_out.items()))
            self.fail(f"Left out {len(self.left_out)} of the submissions, all others were looked at: {listed}")

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy plain files and directories only, all of them or nothing.

        The time of the submission is the one it was chosen by. nbgrader ends with an error, for the whole class, where it finds
        another text than a time.
        """
        size, allowed = self.get_size(src), 1000 * self.coursedir.max_dir_size
        if size > allowed:
            raise ExchangeError(f"it has {size} bytes, and CourseDirectory.max_dir_size allows {allowed}")
        by_pattern = ignore_patterns(
            exclude=self.coursedir.ignore,
            include=self.coursedir.include,
            max_file_size=self.coursedir.max_file_size,
            log=log or self.log,
        )

        def ignored(directory: str, names: list[str]) -> list[str]:
            return [*by_pattern(directory, names), *([_TIMESTAMP] if directory == src else [])]

        def refused(path: Path) -> None:
            self.log.warning("Left out %s: not a plain file.", path)

        inbox.copy_plain(Path(src), Path(dest), ignored, refused)
        parsed = inbox.parse_name(Path(src).name)
        if parsed is not None:
            Path(dest, _TIMESTAMP).write_text(f"{parsed[1]:{inbox.STAMP}} UTC\n", encoding="utf-8")
