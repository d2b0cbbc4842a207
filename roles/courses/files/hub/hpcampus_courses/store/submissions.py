# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What students have handed in, and the feedback to it."""

import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hpcampus_courses.clock import as_text, from_text

from .database import Database, meet

# A submission with the name of its student and the newest feedback to it.
_SELECT = """
    SELECT s.*, coalesce(p.name, s.student) AS name, f.time AS feedback_time, f.sha256 AS feedback_sha256, f.size AS feedback_size
    FROM submissions s LEFT JOIN people p ON p.id = s.student
    LEFT JOIN feedback f ON f.serial = (SELECT max(serial) FROM feedback WHERE submission = s.id)
"""


@dataclass(frozen=True)
class Feedback:
    """Feedback to a submission, packed."""

    time: datetime
    sha256: str
    size: int


@dataclass(frozen=True)
class Submission:
    """A submission. ``student`` is the id and ``name`` the name on the hub; ``complete`` says that its content is there."""

    id: str
    course: str
    student: str
    name: str
    assignment: str
    key: str
    sha256: str
    size: int
    notebooks: tuple[str, ...]
    time: datetime
    complete: bool
    feedback: Feedback | None


@dataclass(frozen=True)
class Claim:
    """What a student says of a submission before its content comes; ``key`` is made anew for each."""

    course: str
    student: str
    name: str
    assignment: str
    key: str
    sha256: str
    size: int
    notebooks: Sequence[str]


class KeyUsedError(Exception):
    """The key was used for something else."""


class TooManyError(Exception):
    """Too many submissions wait for their content."""


class Submissions:
    """What is complete is never changed or removed; it only gets newer feedback."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def get(self, course: str, submission: str) -> Submission | None:
        """A submission of a course, complete or not."""
        row = self._database.row(f"{_SELECT} WHERE s.course = ? AND s.id = ?", course, submission)
        return None if row is None else _submission(row)

    def by_key(self, course: str, student: str, key: str) -> Submission | None:
        """The submission that a student began with a key."""
        row = self._database.row(f"{_SELECT} WHERE s.course = ? AND s.student = ? AND s.key = ?", course, student, key)
        return None if row is None else _submission(row)

    def listed(self, course: str, assignment: str = "", student: str = "", *, latest: bool = False) -> list[Submission]:
        """Complete submissions by assignment, student and time.

        Args:
            course: of which course.
            assignment: of this one alone; "" of all.
            student: of the student of this id alone; "" of all.
            latest: only the newest of each student to each assignment.
        """
        query = f"{_SELECT} WHERE s.course = ? AND s.complete"
        values = [course]
        for column, value in (("assignment", assignment), ("student", student)):
            if value:
                query += f" AND s.{column} = ?"
                values.append(value)
        rows = self._database.rows(f"{query} ORDER BY s.assignment, s.student, s.time, s.rowid", *values)
        found = [_submission(row) for row in rows]
        return list({(one.assignment, one.student): one for one in found}.values()) if latest else found

    def students(self, course: str) -> dict[str, str]:
        """Names by id of everybody who has handed something in."""
        query = """SELECT DISTINCT s.student, coalesce(p.name, s.student) AS name FROM submissions s
                   LEFT JOIN people p ON p.id = s.student WHERE s.course = ? AND s.complete"""
        return {row["student"]: row["name"] for row in self._database.rows(query, course)}

    def bytes_of(self, course: str, student: str) -> int:
        """What the different files of a student's complete submissions take."""
        query = """SELECT coalesce(sum(size), 0) AS total FROM
                   (SELECT DISTINCT sha256, size FROM submissions WHERE course = ? AND student = ? AND complete)"""
        row = self._database.row(query, course, student)
        return 0 if row is None else int(row["total"])

    async def begin(self, claim: Claim, time: datetime, open_max: int) -> tuple[Submission, bool]:
        """Begin a submission, and say whether it is new: the same key gives the one that it began.

        It is complete at once when the same student has handed in the same content in the course before. That somebody else has
        does not count: knowing a digest must not lead to what has it.

        Raises:
            KeyUsedError: the key stands for another assignment or content.
            TooManyError: ``open_max`` submissions of the student in the course wait for their content.
        """
        identity, new = await self._database.change(lambda writer: _begin(writer, claim, time, open_max))
        submission = self.get(claim.course, identity)
        if submission is None:
            raise LookupError(identity)
        return submission, new

    async def complete(self, submission: str) -> bool:
        """Let a submission count, whose content is kept; False when it has been forgotten meanwhile."""
        query = "UPDATE submissions SET complete = 1 WHERE id = ?"
        return await self._database.change(lambda writer: writer.execute(query, (submission,)).rowcount > 0)

    async def forget_unfinished(self, before: datetime) -> int:
        """Forget submissions that were begun before a time and whose content never came, and say how many there were."""
        query = "DELETE FROM submissions WHERE NOT complete AND time < ?"
        return await self._database.change(lambda writer: writer.execute(query, (as_text(before),)).rowcount)

    async def give_feedback(self, submission: str, sha256: str, size: int, time: datetime, who: str) -> None:
        """Give back feedback whose content is kept; what was given before is kept too."""
        values = (submission, sha256, size, as_text(time), who)
        query = "INSERT INTO feedback VALUES (NULL, ?, ?, ?, ?, ?)"
        await self._database.change(lambda writer: writer.execute(query, values))


def _begin(writer: sqlite3.Connection, claim: Claim, time: datetime, open_max: int) -> tuple[str, bool]:
    owner = (claim.course, claim.student)
    query = "SELECT * FROM submissions WHERE course = ? AND student = ? AND key = ?"
    known = writer.execute(query, (*owner, claim.key)).fetchone()
    if known is not None:
        if (known["assignment"], known["sha256"], known["size"]) != (claim.assignment, claim.sha256, claim.size):
            raise KeyUsedError
        return known["id"], False
    query = "SELECT count(*) FROM submissions WHERE course = ? AND student = ? AND NOT complete"
    if writer.execute(query, owner).fetchone()[0] >= open_max:
        raise TooManyError
    query = "SELECT 1 FROM submissions WHERE course = ? AND student = ? AND sha256 = ? AND size = ? AND complete"
    complete = writer.execute(query, (*owner, claim.sha256, claim.size)).fetchone() is not None
    identity = secrets.token_hex(16)
    meet(writer, claim.student, claim.name)
    values = (
        identity, *owner, claim.assignment, claim.key, claim.sha256, claim.size, json.dumps(list(claim.notebooks)),
        as_text(time), int(complete),
    )  # fmt: skip
    writer.execute("INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", values)
    return identity, True


def _submission(row: sqlite3.Row) -> Submission:
    feedback = None
    if row["feedback_time"] is not None:
        feedback = Feedback(from_text(row["feedback_time"]), row["feedback_sha256"], row["feedback_size"])
    return Submission(
        id=row["id"],
        course=row["course"],
        student=row["student"],
        name=row["name"],
        assignment=row["assignment"],
        key=row["key"],
        sha256=row["sha256"],
        size=row["size"],
        notebooks=tuple(json.loads(row["notebooks"])),
        time=from_text(row["time"]),
        complete=bool(row["complete"]),
        feedback=feedback,
    )
