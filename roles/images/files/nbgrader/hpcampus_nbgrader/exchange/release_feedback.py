# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Handing feedback back to the students."""

from __future__ import annotations

from pathlib import Path

from nbgrader.exchange import abc

from hpcampus_nbgrader import grades

from . import tar
from .collect import TIMESTAMP
from .common import ServiceExchange
from .service import Service, ServiceError, UnreachableError
from .submissions import Submission, submissions


class ReleaseFeedback(ServiceExchange, abc.ExchangeReleaseFeedback):
    """Give every student the pages that `nbgrader generate_feedback` has made for the submission that was graded."""

    def copy_files(self) -> None:
        """Upload the pages.

        Raises:
            ExchangeError: Some could not be handed back, after all others were; the message names them.
        """
        excluded = set(filter(None, self.coursedir.student_id_exclude.split(",")))
        refused: dict[str, str] = {}
        with self.service() as service:
            known = {(one.student, one.stamp): one for one in submissions(service, self.course, self.assignment)}
            for student in sorted({one.student for one in known.values()}):
                directory = Path(
                    self.coursedir.format_path(self.coursedir.feedback_directory, student, self.assignment)
                )
                if student in excluded or self.coursedir.student_id not in ("", "*", student) or not directory.is_dir():
                    continue
                try:
                    self._hand_back(service, student, directory, known)
                except UnreachableError:
                    raise
                except (OSError, ValueError, ServiceError, tar.TarError) as error:
                    self.log.warning("No feedback for %s: %s", student, error)
                    refused[student] = str(error)
            self._show_points(service)
        if refused:
            listed = "; ".join(f"{student} ({reason})" for student, reason in sorted(refused.items()))
            self.fail(f"{len(refused)} students got no feedback, all others did: {listed}")

    def _show_points(self, service: Service) -> None:
        """Points go with the feedback; feedback to one student alone shows no points that others have not seen yet."""
        for_all = self.coursedir.student_id in ("", "*")
        if not for_all:
            shown = service.get("courses", self.course, "grades")["grades"]
            for_all = any(one["assignment"] == self.assignment and one["released"] for one in shown)
        grades.publish(service, self.coursedir, self.assignment, release=for_all)

    def _hand_back(
        self, service: Service, student: str, directory: Path, known: dict[tuple[str, str], Submission]
    ) -> None:
        stamp = (directory / TIMESTAMP).read_text(encoding="utf-8").strip()
        one = known.get((student, stamp))
        if one is None:
            raise ValueError(f"the exchange has no submission of {stamp}")
        pages = [path.name for path in directory.glob("*.html")]
        with tar.packed(directory, self.rules, self.left_out, only=pages) as packed:
            if one.feedback_sha256 == packed.sha256:
                self.log.info("%s has this feedback already", student)
                return
            service.upload(
                "courses", self.course, "submissions", one.id, "feedback",
                content=packed.content, size=packed.size, headers={"Hpcampus-SHA256": packed.sha256},
            )  # fmt: skip
        self.log.info(
            "Releasing feedback for student '%s' on assignment '%s/%s' (%s)",
            student,
            self.course,
            self.assignment,
            stamp,
        )
