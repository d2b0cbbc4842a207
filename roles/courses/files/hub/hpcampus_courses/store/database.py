# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The database: one connection that reads, one that writes in a thread of its own."""

import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Self, TypeVar

Answer = TypeVar("Answer")

# Each entry leads from one version to the next; what has been released is never changed. Times are ISO 8601 in UTC with
# microseconds, so they sort as text. Students are ids, `people` has their names.
MIGRATIONS = (
    """
    CREATE TABLE people (id TEXT PRIMARY KEY, name TEXT NOT NULL) STRICT;
    CREATE TABLE releases (
        course TEXT NOT NULL, assignment TEXT NOT NULL, version INTEGER NOT NULL, sha256 TEXT NOT NULL, size INTEGER NOT NULL,
        notebooks TEXT NOT NULL, time TEXT NOT NULL, who TEXT NOT NULL, current INTEGER NOT NULL,
        PRIMARY KEY (course, assignment, version)
    ) STRICT;
    CREATE TABLE submissions (
        id TEXT PRIMARY KEY, course TEXT NOT NULL, student TEXT NOT NULL, assignment TEXT NOT NULL, key TEXT NOT NULL,
        sha256 TEXT NOT NULL, size INTEGER NOT NULL, notebooks TEXT NOT NULL, time TEXT NOT NULL, complete INTEGER NOT NULL,
        UNIQUE (course, student, key)
    ) STRICT;
    CREATE INDEX submissions_of ON submissions (course, assignment, student, time);
    CREATE TABLE feedback (
        serial INTEGER PRIMARY KEY, submission TEXT NOT NULL REFERENCES submissions (id), sha256 TEXT NOT NULL,
        size INTEGER NOT NULL, time TEXT NOT NULL, who TEXT NOT NULL
    ) STRICT;
    CREATE INDEX feedback_of ON feedback (submission, serial);
    CREATE TABLE sheets (
        course TEXT NOT NULL, assignment TEXT NOT NULL, max_score REAL NOT NULL, changed TEXT NOT NULL, released TEXT,
        pending INTEGER NOT NULL,
        PRIMARY KEY (course, assignment)
    ) STRICT;
    CREATE TABLE grades (
        course TEXT NOT NULL, assignment TEXT NOT NULL, student TEXT NOT NULL, released INTEGER NOT NULL, score REAL NOT NULL,
        max_score REAL NOT NULL, late_penalty REAL NOT NULL, needs_manual INTEGER NOT NULL, flags TEXT NOT NULL,
        checks TEXT NOT NULL, time TEXT NOT NULL,
        PRIMARY KEY (course, assignment, student, released)
    ) STRICT;
    CREATE INDEX grades_of ON grades (course, student);
    CREATE TABLE line_items (
        course TEXT NOT NULL, assignment TEXT NOT NULL, line_item_url TEXT NOT NULL, resource_id TEXT NOT NULL,
        label TEXT NOT NULL, max_score REAL NOT NULL,
        PRIMARY KEY (course, assignment)
    ) STRICT;
    CREATE TABLE runs (
        course TEXT NOT NULL, run TEXT NOT NULL, assignment TEXT NOT NULL, total INTEGER NOT NULL, done INTEGER NOT NULL,
        failed INTEGER NOT NULL, state TEXT NOT NULL, message TEXT NOT NULL, who TEXT NOT NULL, started TEXT NOT NULL,
        changed TEXT NOT NULL,
        PRIMARY KEY (course, run)
    ) STRICT;
    CREATE INDEX runs_of ON runs (course, assignment, started);
    CREATE TABLE audit (
        serial INTEGER PRIMARY KEY, time TEXT NOT NULL, course TEXT NOT NULL, who TEXT NOT NULL, action TEXT NOT NULL,
        assignment TEXT NOT NULL, student TEXT NOT NULL, detail TEXT NOT NULL
    ) STRICT;
    CREATE INDEX audit_of ON audit (course, serial);
    """,
    """
    CREATE TABLE requirements (
        course TEXT NOT NULL, assignment TEXT NOT NULL, version INTEGER NOT NULL, python TEXT NOT NULL, packages TEXT NOT NULL,
        missing TEXT NOT NULL,
        PRIMARY KEY (course, assignment, version),
        FOREIGN KEY (course, assignment, version) REFERENCES releases (course, assignment, version)
    ) STRICT;
    """,
)


class DatabaseError(Exception):
    """The database cannot be used; the text says what to do."""


class Database:
    """The connections.

    Args:
        path: the file; it is made, or brought to this version.

    Raises:
        DatabaseError: it is of a newer version.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(1, "database")
        self._writer = self._thread.submit(self._open).result()
        self._reader = self._connect()
        self._reader.execute("PRAGMA query_only = ON")

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, isolation_level=None)
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("PRAGMA busy_timeout = 10000")
        return connection

    def _open(self) -> sqlite3.Connection:
        connection = self._connect()
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version > len(MIGRATIONS):
            connection.close()
            raise DatabaseError(
                f"{self._path} has version {version}, and this program knows versions up to {len(MIGRATIONS)}:"
                " install the newer release again, or restore the file from before its installation"
            )
        for number, script in enumerate(MIGRATIONS[version:], version + 1):
            connection.executescript(f"BEGIN IMMEDIATE; {script} PRAGMA user_version = {number}; COMMIT;")
        return connection

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self._reader.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> sqlite3.Row | None:
        """The first row of a query, or None."""
        row: sqlite3.Row | None = self._reader.execute(query, values).fetchone()
        return row

    async def change(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        """Do some work as one transaction; it is on the disk when this returns, or nothing of it is."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, self._transaction, work)

    def _transaction(self, work: Callable[[sqlite3.Connection], Answer]) -> Answer:
        self._writer.execute("BEGIN IMMEDIATE")
        try:
            answer = work(self._writer)
            self._writer.execute("COMMIT")
        except BaseException:
            # SQLite has rolled back already when the disk was full.
            if self._writer.in_transaction:
                self._writer.execute("ROLLBACK")
            raise
        return answer

    def close(self) -> None:
        """Finish what is being written, and close."""
        self._thread.submit(self._writer.close).result()
        self._thread.shutdown()
        self._reader.close()


class Snapshot:
    """What the database of another process, or of another connection, holds at one moment, while others go on writing.

    It belongs to one thread, and is for reading at once: as long as it is open, the file of what is written meanwhile grows.

    Args:
        path: the file.

    Raises:
        DatabaseError: there is none, or it is of another version.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None)
        except sqlite3.OperationalError as error:
            raise DatabaseError(f"{path} cannot be opened: {error}") from error
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("PRAGMA busy_timeout = 10000")
        self._connection.execute("PRAGMA query_only = ON")
        self._connection.execute("BEGIN")
        # The moment is that of the first reading.
        version = self._connection.execute("PRAGMA user_version").fetchone()[0]
        if version != len(MIGRATIONS):
            self._connection.close()
            raise DatabaseError(
                f"{path} has version {version}, and this program needs {len(MIGRATIONS)}: start the course service of this release once"
            )

    def rows(self, query: str, *values: Any) -> Iterator[sqlite3.Row]:
        """The rows of a query, one after the other."""
        return self._connection.execute(query, values)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.close()


def meet(connection: sqlite3.Connection, student: str, name: str) -> None:
    """Remember somebody's name."""
    connection.execute(
        "INSERT INTO people VALUES (?, ?) ON CONFLICT (id) DO UPDATE SET name = excluded.name WHERE name <> excluded.name",
        (student, name),
    )
