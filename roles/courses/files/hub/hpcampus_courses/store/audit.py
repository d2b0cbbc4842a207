# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who did what in a course."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from hpcampus_courses.clock import as_text, from_text

from .database import Database


@dataclass(frozen=True)
class Entry:
    """One line of the audit. ``who`` is a name on the hub; what is not known or does not apply is ""."""

    time: datetime
    who: str
    action: str
    assignment: str = ""
    student: str = ""
    detail: str = ""


class Audit:
    """The audit of all courses; lines are added, and never changed."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, course: str, limit: int = 1000) -> list[Entry]:
        """The newest lines first."""
        query = "SELECT * FROM audit WHERE course = ? ORDER BY serial DESC LIMIT ?"
        return [_entry(row) for row in self._database.rows(query, course, limit)]

    async def add(self, course: str, entry: Entry) -> None:
        """Add a line."""
        values = (as_text(entry.time), course, entry.who, entry.action, entry.assignment, entry.student, entry.detail)
        query = "INSERT INTO audit VALUES (NULL, ?, ?, ?, ?, ?, ?, ?)"
        await self._database.change(lambda writer: writer.execute(query, values))


def _entry(row: sqlite3.Row) -> Entry:
    return Entry(from_text(row["time"]), row["who"], row["action"], row["assignment"], row["student"], row["detail"])
