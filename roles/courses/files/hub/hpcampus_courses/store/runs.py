# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How far autograding is."""

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from hpcampus_courses.clock import as_text, from_text

from .database import Database

STATES = ("queued", "running", "scoring", "done", "failed")


@dataclass(frozen=True)
class Run:
    """A run over an assignment: of ``total`` submissions ``done`` are scored, and ``failed`` of these with a flag."""

    run: str
    assignment: str
    total: int
    done: int
    failed: int
    state: str
    message: str
    who: str
    started: datetime
    changed: datetime


class Runs:
    """The runs of all courses."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def listed(self, course: str, assignment: str = "", limit: int = 50) -> list[Run]:
        """The newest runs first; "" stands for all assignments."""
        query = "SELECT * FROM runs WHERE course = ? AND (? = '' OR assignment = ?) ORDER BY started DESC, rowid DESC LIMIT ?"
        return [_run(row) for row in self._database.rows(query, course, assignment, assignment, limit)]

    async def put(self, course: str, run: Run) -> None:
        """Remember how far a run is; who started it and when stay as they were first told."""

        def work(writer: sqlite3.Connection) -> None:
            values = (
                course, run.run, run.assignment, run.total, run.done, run.failed, run.state, run.message, run.who,
                as_text(run.started), as_text(run.changed),
            )  # fmt: skip
            writer.execute(
                "INSERT INTO runs VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (course, run) DO UPDATE SET"
                " assignment = excluded.assignment, total = excluded.total, done = excluded.done, failed = excluded.failed,"
                " state = excluded.state, message = excluded.message, changed = excluded.changed",
                values,
            )

        await self._database.change(work)


def _run(row: sqlite3.Row) -> Run:
    values = dict(row)
    del values["course"]
    return Run(**{**values, "started": from_text(row["started"]), "changed": from_text(row["changed"])})
