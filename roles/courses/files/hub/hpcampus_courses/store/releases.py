# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What instructors have handed out."""

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from hpcampus_courses.clock import as_text, from_text

from .database import Database


@dataclass(frozen=True)
class Release:
    """A version of an assignment that students have or had; ``who`` is the name of who released it."""

    course: str
    assignment: str
    version: int
    sha256: str
    size: int
    notebooks: tuple[str, ...]
    time: datetime
    who: str


class Releases:
    """Every version is kept; one of an assignment is the current one, or none when it was taken back."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def current(self, course: str, assignment: str) -> Release | None:
        """The version that students get."""
        query = "SELECT * FROM releases WHERE course = ? AND assignment = ? AND current"
        row = self._database.row(query, course, assignment)
        return None if row is None else _release(row)

    def all_current(self, course: str) -> list[Release]:
        """The released assignments of a course, by name."""
        query = "SELECT * FROM releases WHERE course = ? AND current ORDER BY assignment"
        return [_release(row) for row in self._database.rows(query, course)]

    async def release(
        self, course: str, assignment: str, sha256: str, size: int, notebooks: Sequence[str], time: datetime, who: str
    ) -> tuple[Release, bool]:
        """Hand out a version whose content is kept, and say whether that changed anything.

        What equals the newest version in content and notebooks is that version again.
        """

        def work(writer: sqlite3.Connection) -> tuple[Release, bool]:
            query = "SELECT * FROM releases WHERE course = ? AND assignment = ? ORDER BY version DESC LIMIT 1"
            newest = writer.execute(query, (course, assignment)).fetchone()
            listed = json.dumps(list(notebooks))
            if newest is not None and (newest["sha256"], newest["notebooks"]) == (sha256, listed):
                if newest["current"]:
                    return _release(newest), False
                query = "UPDATE releases SET current = 1, time = ?, who = ? WHERE course = ? AND assignment = ? AND version = ?"
                writer.execute(query, (as_text(time), who, course, assignment, newest["version"]))
                return replace(_release(newest), time=time, who=who), True
            writer.execute("UPDATE releases SET current = 0 WHERE course = ? AND assignment = ?", (course, assignment))
            version = 1 if newest is None else newest["version"] + 1
            values = (course, assignment, version, sha256, size, listed, as_text(time), who)
            writer.execute("INSERT INTO releases VALUES (?, ?, ?, ?, ?, ?, ?, ?, 1)", values)
            return Release(course, assignment, version, sha256, size, tuple(notebooks), time, who), True

        return await self._database.change(work)

    async def withdraw(self, course: str, assignment: str) -> bool:
        """Take an assignment back, and say whether it was handed out. Its versions are kept."""
        query = "UPDATE releases SET current = 0 WHERE course = ? AND assignment = ? AND current"
        return await self._database.change(lambda writer: writer.execute(query, (course, assignment)).rowcount > 0)


def _release(row: sqlite3.Row) -> Release:
    values = dict(row)
    del values["current"]
    return Release(**{**values, "notebooks": tuple(json.loads(row["notebooks"])), "time": from_text(row["time"])})
