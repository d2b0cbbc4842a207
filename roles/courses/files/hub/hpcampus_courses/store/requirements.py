# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What released assignments need to run, as the course's server found it when it released them."""

import json
import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from .database import Database


@dataclass(frozen=True)
class Requirements:
    """Version of Python, versions of distributions by their names, and modules that nothing there installs."""

    python: str
    packages: Mapping[str, str]
    missing: tuple[str, ...]


class Needs:
    """The requirements of all versions of assignments."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def of(self, course: str, assignment: str, version: int) -> Requirements | None:
        """What a version of an assignment needs, if that was told."""
        query = "SELECT * FROM requirements WHERE course = ? AND assignment = ? AND version = ?"
        row = self._database.row(query, course, assignment, version)
        if row is None:
            return None
        return Requirements(row["python"], json.loads(row["packages"]), tuple(json.loads(row["missing"])))

    async def put(self, course: str, assignment: str, version: int, needed: Requirements) -> bool:
        """Remember what a version needs; False when there is no such version."""

        def work(writer: sqlite3.Connection) -> bool:
            key = (course, assignment, version)
            query = "SELECT 1 FROM releases WHERE course = ? AND assignment = ? AND version = ?"
            if writer.execute(query, key).fetchone() is None:
                return False
            values = (*key, needed.python, json.dumps(dict(needed.packages)), json.dumps(list(needed.missing)))
            writer.execute("INSERT OR REPLACE INTO requirements VALUES (?, ?, ?, ?, ?, ?)", values)
            return True

        return await self._database.change(work)
