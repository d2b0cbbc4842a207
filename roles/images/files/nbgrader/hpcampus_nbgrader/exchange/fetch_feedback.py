# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fetching feedback into the student's home."""

from __future__ import annotations

import tempfile
from typing import TYPE_CHECKING

from nbgrader.exchange import abc

from . import tar
from .common import ServiceExchange
from .submissions import Submission, submissions

if TYPE_CHECKING:
    from pathlib import Path

    from .service import Service

DIGEST_FILE = ".sha256"
"""In a directory of feedback: the digest of the tar that it came in."""


def feedback_directory(assignment_directory: Path, submission: Submission) -> Path:
    """Where nbgrader's assignment list looks for the feedback of a submission."""
    return assignment_directory / "feedback" / submission.stamp


def fetched_digest(directory: Path) -> str:
    """Digest of the feedback that is in the directory, or "" when there is none."""
    try:
        return (directory / DIGEST_FILE).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


class FetchFeedback(ServiceExchange, abc.ExchangeFetchFeedback):
    """Fetch the feedback of all of one's submissions of an assignment."""

    def copy_files(self) -> None:
        """Download what is new; what is there already stays."""
        if self.server.is_course:
            self.fail("Feedback is fetched in a student's own server.")
        target = self.local_directory(self.course, self.assignment)
        with self.service() as service:
            found = submissions(service, self.course, self.assignment, self.server.user_id)
            if not found:
                self.fail(f"You have handed in nothing for {self.assignment} in course {self.course}.")
            for one in found:
                if one.feedback_sha256:
                    self._fetch(service, one, feedback_directory(target, one))
                else:
                    self.log.warning("There is no feedback yet for '%s' submitted at %s", one.assignment, one.stamp)

    def _fetch(self, service: Service, one: Submission, directory: Path) -> None:
        if fetched_digest(directory) == one.feedback_sha256:
            self.log.info("Feedback is there already: %s", directory)
            return
        path = ("courses", self.course, "submissions", one.id, "feedback")
        with tempfile.TemporaryFile() as file:
            service.download(*path, target=file, size_max=one.feedback_size, sha256=one.feedback_sha256)
            with tar.unpacked(file, directory, self.rules, self.left_out) as made:
                (made / DIGEST_FILE).write_text(one.feedback_sha256 + "\n", encoding="ascii")
                tar.put(made, directory)
        self.log.info("Fetched feedback: %s", directory)
