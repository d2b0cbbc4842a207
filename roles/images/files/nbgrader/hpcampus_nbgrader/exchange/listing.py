# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Listing what is released, and what was handed in; the dictionaries are those of nbgrader's own list."""

from __future__ import annotations

import json
import shutil
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from nbgrader.exchange import abc
from traitlets import Bool

from .common import ServiceExchange
from .fetch_feedback import feedback_directory, fetched_digest
from .submissions import Submission, submissions

if TYPE_CHECKING:
    from .service import Service


class List(ServiceExchange, abc.ExchangeList):
    """List released assignments, submissions of the course, or one's own submissions."""

    as_json = Bool(False, help="Print the list as JSON too.").tag(config=True)

    # It stands behind every page of the formgrader and of the assignment list.
    patience_seconds = 8.0

    def copy_files(self) -> None:
        """Ask the service."""
        with self.service() as service:
            courses = self._courses(service)
            if self.inbound or self.cached:
                self.assignments = [info for course in courses for info in self._submitted(service, course)]
            else:
                self.assignments = [info for course in courses for info in self._released(service, course)]

    def list_files(self) -> list[dict[str, Any]]:
        """Say what there is, and give it."""
        if self.inbound or self.cached:
            self._say("Submitted assignments:")
        else:
            self._say("Released assignments:")
        if self.as_json:
            print(json.dumps(self.assignments))
        return self.assignments

    def remove_files(self) -> list[dict[str, Any]]:
        """Take back a release, or remove one's own copies of submissions; the hub keeps all of them."""
        if self.inbound:
            self.fail("What was handed in is kept, so that nobody can lose it: submissions cannot be removed.")
        if self.cached:
            self._say("Removing copies of submitted assignments; the hub keeps the submissions:")
            for info in self.assignments:
                for one in info["submissions"]:
                    shutil.rmtree(one["path"], ignore_errors=True)
        else:
            self._say("Removing released assignments:")
            with self.service() as service:
                for info in self.assignments:
                    service.send(
                        "DELETE", "courses", info["course_id"], "assignments", info["assignment_id"], "release"
                    )
        for info in self.assignments:
            info["status"] = "removed"
        return self.assignments

    def _courses(self, service: Service) -> list[str]:
        if self.coursedir.course_id:
            return [str(self.coursedir.course_id)]
        found = service.get("courses")["courses"]
        return sorted(str(one["slug"]) for one in found if one.get("assignments", True))

    def _asked(self, name: str) -> bool:
        return self.assignment in ("", "*", name)

    def _released(self, service: Service, course: str) -> list[dict[str, Any]]:
        found = service.get("courses", course, "assignments")["assignments"]
        return [self._released_info(course, one) for one in found if self._asked(one["assignment"])]

    def _released_info(self, course: str, released: dict[str, Any]) -> dict[str, Any]:
        directory = self.local_directory(course, released["assignment"])
        fetched = directory.is_dir()
        names = (
            sorted(path.stem for path in directory.glob("*.ipynb"))
            if fetched
            else sorted(str(name) for name in released["notebooks"])
        )
        return {
            "course_id": course,
            "assignment_id": released["assignment"],
            "status": "fetched" if fetched else "released",
            "path": str(directory),
            "notebooks": [{"notebook_id": name, "path": str(directory / f"{name}.ipynb")} for name in names],
            "due": released.get("due"),
            "late_until": released.get("late_until"),
        }

    def _submitted(self, service: Service, course: str) -> list[dict[str, Any]]:
        """Submissions by student and assignment; in a student's server they are this student's, whoever that is elsewhere."""
        student = self.coursedir.student_id if self.server.is_course else self.server.user_id
        assignment = "" if self._asked("") else self.assignment
        found = submissions(service, course, assignment, student)
        return [
            {
                "course_id": course,
                "student_id": whose,
                "assignment_id": name,
                "status": "submitted",
                "submissions": [self._submitted_info(course, one) for one in group],
            }
            for (whose, name), group in groupby(sorted(found, key=_row), key=_row)
        ]

    def _submitted_info(self, course: str, one: Submission) -> dict[str, Any]:
        copy = Path(self.cache, course, f"{one.student}+{one.assignment}+{one.stamp}")
        feedback = feedback_directory(self.local_directory(course, one.assignment), one)
        there, here = one.feedback_sha256, fetched_digest(feedback)
        notebooks = []
        for name in one.notebooks:
            page = feedback / f"{name}.html"
            has_page = page.is_file()
            notebooks.append(
                {
                    "notebook_id": name,
                    "path": str(copy / f"{name}.ipynb"),
                    "has_local_feedback": has_page,
                    "has_exchange_feedback": bool(there),
                    "local_feedback_path": str(page) if has_page else None,
                    "feedback_updated": bool(has_page and there and there != here),
                }
            )
        has_local = bool(notebooks) and all(one["has_local_feedback"] for one in notebooks)
        return {
            "course_id": course,
            "student_id": one.student,
            "assignment_id": one.assignment,
            "timestamp": one.stamp,
            "status": "submitted",
            "path": str(copy),
            "notebooks": notebooks,
            "late": one.late,
            "has_local_feedback": has_local,
            "has_exchange_feedback": bool(there),
            "feedback_updated": any(one["feedback_updated"] for one in notebooks),
            "local_feedback_path": str(feedback) if has_local else None,
        }

    def _say(self, title: str) -> None:
        self.log.info(title)
        for info in self.assignments:
            if "submissions" not in info:
                fetched = " (already downloaded)" if info["status"] == "fetched" else ""
                self.log.info("%s %s%s", info["course_id"], info["assignment_id"], fetched)
            for one in info.get("submissions", ()):
                self.log.info("%s", _submitted_words(one))


def _row(one: Submission) -> tuple[str, str]:
    return one.student, one.assignment


def _submitted_words(info: dict[str, Any]) -> str:
    if info["has_local_feedback"] and not info["feedback_updated"]:
        state = "feedback already fetched"
    elif info["has_exchange_feedback"]:
        state = "feedback ready to be fetched"
    else:
        state = "no feedback available"
    late = ", late" if info["late"] else ""
    return f"{info['course_id']} {info['student_id']} {info['assignment_id']} {info['timestamp']} ({state}{late})"
