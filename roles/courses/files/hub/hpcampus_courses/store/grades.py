# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Points: a draft that those who teach see, and what has been released to students; and line items of a learning platform."""

import json
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from hpcampus_courses.clock import as_text, from_text

from .database import Database

SELECT = "SELECT g.*, coalesce(p.name, g.student) AS name FROM grades g LEFT JOIN people p ON p.id = g.student"
"""Grades with the names of students."""


@dataclass(frozen=True)
class Check:
    """What one check of a notebook gave: its points, and when it failed what it says, and a hint."""

    cell: str
    points: float
    max_points: float
    message: str = ""
    hint: str = ""


@dataclass(frozen=True)
class Score:
    """The points of a student (an id). ``flags`` are for those who teach, ``needs_manual`` says that a person has to look."""

    student: str
    score: float
    max_score: float
    late_penalty: float = 0
    needs_manual: bool = False
    flags: tuple[str, ...] = ()
    checks: tuple[Check, ...] = ()


@dataclass(frozen=True)
class Grade:
    """A score of an assignment; ``name`` is the student's name on the hub, ``time`` when it was written or released."""

    assignment: str
    name: str
    time: datetime
    score: Score


@dataclass(frozen=True)
class Sheet:
    """An assignment that has been graded: most points, when the draft changed, and when one was released.

    ``pending`` says that the draft is newer than what is released.
    """

    assignment: str
    max_score: float
    changed: datetime
    released: datetime | None
    pending: bool


@dataclass(frozen=True)
class LineItem:
    """Where the points of an assignment belong on a learning platform."""

    assignment: str
    line_item_url: str
    resource_id: str
    label: str
    max_score: float


class Grades:
    """Drafts and released points of all courses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def sheets(self, course: str) -> dict[str, Sheet]:
        """The graded assignments of a course by name."""
        rows = self._database.rows("SELECT * FROM sheets WHERE course = ? ORDER BY assignment", course)
        return {
            row["assignment"]: Sheet(
                row["assignment"],
                row["max_score"],
                from_text(row["changed"]),
                from_text(row["released"]) if row["released"] else None,
                bool(row["pending"]),
            )
            for row in rows
        }

    def listed(self, course: str, *, released: bool, assignment: str = "", student: str = "") -> list[Grade]:
        """Drafts, or what has been released, by assignment and student; "" stands for all."""
        query, values = f"{SELECT} WHERE g.course = ? AND g.released = ?", [course, int(released)]
        for column, value in (("assignment", assignment), ("student", student)):
            if value:
                query += f" AND g.{column} = ?"
                values.append(value)
        return [grade_of(row) for row in self._database.rows(f"{query} ORDER BY g.assignment, g.student", *values)]

    async def draft(
        self, course: str, assignment: str, max_score: float, scores: Iterable[Score], time: datetime
    ) -> None:
        """Replace the draft of an assignment."""

        def work(writer: sqlite3.Connection) -> None:
            writer.execute(
                "INSERT INTO sheets VALUES (?, ?, ?, ?, NULL, 1) ON CONFLICT (course, assignment)"
                " DO UPDATE SET max_score = excluded.max_score, changed = excluded.changed, pending = 1",
                (course, assignment, max_score, as_text(time)),
            )
            query = "DELETE FROM grades WHERE course = ? AND assignment = ? AND NOT released"
            writer.execute(query, (course, assignment))
            query = "INSERT INTO grades VALUES (?, ?, ?, 0, ?, ?, ?, ?, ?, ?, ?)"
            writer.executemany(query, [_row(course, assignment, score, time) for score in scores])

        await self._database.change(work)

    async def release(self, course: str, assignment: str, time: datetime) -> bool:
        """Let students see the draft of an assignment; False when there is none."""

        def work(writer: sqlite3.Connection) -> bool:
            query = "UPDATE sheets SET released = ?, pending = 0 WHERE course = ? AND assignment = ?"
            if not writer.execute(query, (as_text(time), course, assignment)).rowcount:
                return False
            writer.execute("DELETE FROM grades WHERE course = ? AND assignment = ? AND released", (course, assignment))
            writer.execute(
                "INSERT INTO grades SELECT course, assignment, student, 1, score, max_score, late_penalty, needs_manual, flags,"
                " checks, ? FROM grades WHERE course = ? AND assignment = ?",
                (as_text(time), course, assignment),
            )
            return True

        return await self._database.change(work)

    def line_item(self, course: str, assignment: str) -> LineItem | None:
        """Where an assignment's points belong, if that is known."""
        row = self._database.row("SELECT * FROM line_items WHERE course = ? AND assignment = ?", course, assignment)
        if row is None:
            return None
        values = dict(row)
        del values["course"]
        return LineItem(**values)

    async def set_line_item(self, course: str, item: LineItem) -> None:
        """Remember where an assignment's points belong."""
        values = (course, item.assignment, item.line_item_url, item.resource_id, item.label, item.max_score)
        query = "INSERT OR REPLACE INTO line_items VALUES (?, ?, ?, ?, ?, ?)"
        await self._database.change(lambda writer: writer.execute(query, values))


def _row(course: str, assignment: str, score: Score, time: datetime) -> tuple[object, ...]:
    return (
        course, assignment, score.student, score.score, score.max_score, score.late_penalty, int(score.needs_manual),
        json.dumps(list(score.flags)), json.dumps([vars(check) for check in score.checks]), as_text(time),
    )  # fmt: skip


def grade_of(row: sqlite3.Row) -> Grade:
    """The grade of a row of :data:`SELECT`."""
    score = Score(
        student=row["student"],
        score=row["score"],
        max_score=row["max_score"],
        late_penalty=row["late_penalty"],
        needs_manual=bool(row["needs_manual"]),
        flags=tuple(json.loads(row["flags"])),
        checks=tuple(Check(**check) for check in json.loads(row["checks"])),
    )
    return Grade(row["assignment"], row["name"], from_text(row["time"]), score)
