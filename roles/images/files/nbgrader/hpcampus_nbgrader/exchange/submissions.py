# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Submissions as the service lists them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from . import times

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime
    from typing import Self

    from .service import Service


@dataclass(frozen=True)
class Submission:
    """One submission.

    Attributes:
        id: The service's name for it.
        assignment: The assignment.
        student: The student's id.
        time: When it was handed in, by the hub's clock, as nbgrader's UTC without a zone.
        stamp: The same in the words of `timestamp.txt`.
        size: Bytes of its tar.
        sha256: Digest of its tar.
        late: Whether it came after the deadline.
        notebooks: Names of its notebooks, without `.ipynb`.
        feedback_sha256: Digest of the tar of its feedback, or "" while there is none.
        feedback_size: Bytes of that tar.
    """

    id: str
    assignment: str
    student: str
    time: datetime
    stamp: str
    size: int
    sha256: str
    late: bool
    notebooks: tuple[str, ...]
    feedback_sha256: str
    feedback_size: int

    @classmethod
    def parse(cls, found: Mapping[str, Any]) -> Self:
        """Read one of the service's list."""
        feedback = found.get("feedback") or {}
        return cls(
            id=str(found["id"]),
            assignment=str(found["assignment"]),
            student=str(found["student"]),
            time=times.naive(found["time"]),
            stamp=times.stamp(found["time"]),
            size=int(found["size"]),
            sha256=str(found["sha256"]),
            late=bool(found["late"]),
            notebooks=tuple(str(name) for name in found.get("notebooks") or ()),
            feedback_sha256=str(feedback.get("sha256", "")),
            feedback_size=int(feedback.get("size", 0)),
        )


def submissions(service: Service, course: str, assignment: str = "", student: str = "") -> list[Submission]:
    """All submissions that this server may see, oldest first; "" and "*" stand for all."""
    query = {"assignment": assignment, "student": student}
    found = service.get("courses", course, "submissions", **{name: text for name, text in query.items() if text != "*"})
    return sorted((Submission.parse(one) for one in found["submissions"]), key=lambda one: (one.time, one.id))


def latest(found: Iterable[Submission], due: datetime | None = None) -> list[Submission]:
    """One submission a student: the newest, or the newest in time when there is a due date and one is in time."""
    by_student: dict[str, list[Submission]] = {}
    for one in sorted(found, key=lambda one: (one.time, one.id)):
        by_student.setdefault(one.student, []).append(one)
    chosen = []
    for student in sorted(by_student):
        in_time = [one for one in by_student[student] if due is None or one.time <= due]
        chosen.append((in_time or by_student[student])[-1])
    return chosen
