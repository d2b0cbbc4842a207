# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Collecting submissions into the course's directory."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.exchange import abc

from . import tar
from .common import ServiceExchange
from .service import Service, ServiceError, UnreachableError
from .submissions import Submission, latest, submissions

if TYPE_CHECKING:
    from datetime import datetime

TIMESTAMP = "timestamp.txt"
"""nbgrader reads in it when a collected submission was handed in."""
_OURS = (TIMESTAMP, "submission_secret.txt")


class Collect(ServiceExchange, abc.ExchangeCollect):
    """Collect the newest submission of each student.

    A submission that cannot be collected is left out and told in the end; it does not keep the others from being collected.
    """

    def copy_files(self) -> None:
        """Download what is new.

        Raises:
            ExchangeError: Some were left out, after all others were collected; the message names them.
        """
        refused: dict[str, str] = {}
        with self.service() as service:
            found = submissions(service, self.course, self.assignment, self.coursedir.student_id)
            chosen = latest(found, self._due_date() if self.before_duedate else None)
            if not chosen:
                self.log.warning("No submissions of '%s' for course '%s' to collect", self.assignment, self.course)
            collected = 0
            for one in chosen:
                try:
                    collected += self._collect(service, one)
                except UnreachableError:
                    raise
                except (OSError, ServiceError, tar.TarError) as error:
                    refused[one.student] = (error.strerror if isinstance(error, OSError) else "") or str(error)
                    self.log.warning("Left out %s: %s", one.student, refused[one.student])
            self.audit(service, "collect", detail=f"{collected} new of {len(chosen)}, {len(refused)} left out")
        if refused:
            listed = "; ".join(f"{student} ({reason})" for student, reason in sorted(refused.items()))
            self.fail(f"Left out {len(refused)} of the submissions, all others were looked at: {listed}")

    def _due_date(self) -> datetime | None:
        with Gradebook(self.coursedir.db_url, self.course) as gradebook:
            try:
                due: datetime | None = gradebook.find_assignment(self.assignment).duedate
            except MissingEntry:
                return None
        return due

    def _wanted(self, one: Submission, target: Path) -> bool:
        if not target.is_dir():
            self.log.info("Collecting submission: %s %s", one.student, one.assignment)
            return True
        try:
            there = self.coursedir.get_existing_timestamp(str(target))
        except ValueError:
            there = None
        if (self.update and (there is None or one.time > there)) or (self.before_duedate and there != one.time):
            self.log.info("Updating submission: %s %s", one.student, one.assignment)
            return True
        if self.update:
            self.log.info("No newer submission to collect: %s %s", one.student, one.assignment)
        else:
            self.log.info("Submission already exists, use --update to update: %s %s", one.student, one.assignment)
        return False

    def _collect(self, service: Service, one: Submission) -> bool:
        """Fetch one submission if it is wanted, and say whether it was."""
        target = Path(
            self.coursedir.format_path(self.coursedir.submitted_directory, one.student, one.assignment)
        ).absolute()
        if not self._wanted(one, target):
            return False
        rules = dataclasses.replace(self.rules, ignore=(*self.rules.ignore, *_OURS))
        with tempfile.TemporaryFile() as file:
            path = ("courses", self.course, "submissions", one.id, "content")
            service.download(*path, target=file, size_max=one.size, sha256=one.sha256)
            with tar.unpacked(
                file, target, rules, lambda name, why: self.left_out(f"{one.student}/{name}", why)
            ) as made:
                (made / TIMESTAMP).write_text(one.stamp + "\n", encoding="utf-8")
                tar.put(made, target)
        return True
