# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Points of an assignment for the course page: out of the gradebook, with what each failed check says, and nothing of hidden tests."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.autogradeapp import AutogradeApp
from sqlalchemy.exc import SQLAlchemyError

from . import hidden
from .exchange.service import ServiceError, own_service
from .grading.flags import read_flags

if TYPE_CHECKING:
    from .exchange.service import Service

_CHECKS_MAX = 200
_TEXT_MAX = 2000


def publish(service: Service, coursedir: Any, assignment: str, *, release: bool = False) -> bool:
    """Bring the points to the course service as a draft, or for students to see; returns whether there are any."""
    with Gradebook(coursedir.db_url, coursedir.course_id) as gradebook:
        body = collect(gradebook, coursedir, assignment)
    if not body["scores"]:
        return False
    service.send("PUT", "courses", coursedir.course_id, "grades", assignment, body=body)
    if release:
        service.send("POST", "courses", coursedir.course_id, "grades", assignment, "release")
    return True


def publish_after_autograde() -> None:
    """Have `nbgrader autograde` bring the points to the course service; again is no harm."""
    start = AutogradeApp.start
    if getattr(start, "publishes", False):
        return

    def start_and_publish(app: Any) -> None:
        try:
            start(app)
        finally:
            # Submissions that could not be graded end it with an error; the points of all others are there.
            _publish_quietly(app)

    start_and_publish.publishes = True  # type: ignore[attr-defined]
    AutogradeApp.start = start_and_publish


def _publish_quietly(app: Any) -> None:
    try:
        with own_service() as service:
            publish(service, app.coursedir, app.coursedir.assignment_id)
    except (ServiceError, SQLAlchemyError) as error:
        app.log.warning("The course page does not show the newest points: %s", error)


def collect(gradebook: Gradebook, coursedir: Any, assignment: str) -> dict[str, Any]:
    """The points of all submissions that were autograded, as the service takes them."""
    try:
        found = gradebook.find_assignment(assignment)
    except MissingEntry:
        return {"max_score": 0, "scores": []}
    scores = [_score(one, coursedir, assignment) for one in found.submissions]
    return {"max_score": float(found.max_score), "scores": sorted(scores, key=lambda one: str(one["student"]))}


def _score(submission: Any, coursedir: Any, assignment: str) -> dict[str, Any]:
    student = str(submission.student_id)
    told = [
        f"{flag.notebook}: {flag.text}" if flag.notebook else flag.text
        for flag in _flags(coursedir, assignment, student)
    ]
    told += [f"{one.name}: flagged by a person" for one in submission.notebooks if one.flagged]
    directory = Path(coursedir.format_path(coursedir.autograded_directory, student, assignment))
    checks = [check for one in submission.notebooks for check in _checks(one, directory)]
    return {
        "student": student,
        "score": float(submission.score),
        "max_score": float(submission.max_score),
        "late_penalty": float(submission.late_submission_penalty or 0),
        "needs_manual": bool(submission.needs_manual_grade),
        "flags": [text[:_TEXT_MAX] for text in told][:50],
        "checks": checks[:_CHECKS_MAX],
    }


def _flags(coursedir: Any, assignment: str, student: str) -> list[Any]:
    return list(read_flags(coursedir.root, assignment, student))


def _checks(notebook: Any, directory: Path) -> list[dict[str, Any]]:
    """The tests of a notebook that did not give all their points, in the notebook's order."""
    lost = {
        grade.name: grade for grade in notebook.grades if grade.cell_type == "code" and grade.score < grade.max_score
    }
    if not lost:
        return []
    try:
        cells = nbformat.read(directory / f"{notebook.name}.ipynb", as_version=4).cells
    except (OSError, ValueError):
        return []
    secret = hidden.lines_of(cells)
    checks = []
    for cell in cells:
        own = cell.metadata.get("nbgrader", {})
        grade = lost.get(own.get("grade_id")) if own.get("grade") and not own.get("solution") else None
        if grade is not None and cell.cell_type == "code":
            checks.append(
                {
                    "cell": f"{notebook.name}: {grade.name}"[:500],
                    "points": float(grade.score),
                    "max_points": float(grade.max_score),
                    "message": hidden.message(cell, secret)[:_TEXT_MAX],
                    "hint": hidden.hint(cell)[:_TEXT_MAX],
                }
            )
    return checks
