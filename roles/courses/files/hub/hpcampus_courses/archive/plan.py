# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is in the archive of a course.

Everything comes from one moment: the database is read in one transaction, and the files that it names never change. So students may
go on handing in while an archive is made; what comes later is not in it.
"""

import hashlib
import json
import sqlite3
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BufferedRandom
from pathlib import Path
from typing import IO, Any

from hpcampus_courses.clock import as_text, from_text
from hpcampus_courses.grades_table import COLUMNS, cell, lines_of
from hpcampus_courses.store import CONTENT, DATABASE
from hpcampus_courses.store.content import place_of
from hpcampus_courses.store.database import Snapshot
from hpcampus_courses.store.grades import SELECT, grade_of
from hpcampus_hub.names import gradebook_of

from .documents import write_csv, write_json
from .tar import Part, pieces_of, size_of

MANIFEST = "manifest.json"
FORMAT = 1
"""Counts up when a reader of older archives would go wrong."""

_RELEASES = """
    SELECT r.*, n.python, n.packages, n.missing FROM releases r LEFT JOIN requirements n USING (course, assignment, version)
    WHERE r.course = ? ORDER BY r.assignment, r.version DESC
"""
_SUBMISSIONS = """
    SELECT s.*, coalesce(p.name, s.student) AS name FROM submissions s LEFT JOIN people p ON p.id = s.student
    WHERE s.course = ? AND s.complete ORDER BY s.assignment, s.student, s.time, s.rowid
"""
_FEEDBACK = """
    SELECT f.*, s.assignment, s.student, s.time AS handed_in FROM feedback f JOIN submissions s ON s.id = f.submission
    WHERE s.course = ? ORDER BY f.serial
"""
_AUDIT = ("time", "who", "action", "assignment", "student", "detail")


class UnknownCourseError(Exception):
    """Nothing is kept of a course of this name."""


@dataclass(frozen=True)
class Archive:
    """An archive that can be read once; ``missing`` are the paths of files that the disk has lost."""

    parts: tuple[Part, ...]
    missing: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all of it."""
        return size_of(self.parts)

    def pieces(self) -> Iterator[bytes]:
        """The tar, the manifest first.

        Raises:
            ChangedFileError: a file can no longer be read.
        """
        return pieces_of(self.parts)


def archive_of(state: Path, slug: str, record: Mapping[str, Any] | None, now: datetime, *, postgresql: bool) -> Archive:
    """Find what belongs to the archive of a course. Reads no file but the database, which takes a moment.

    Args:
        state: directory of the service.
        slug: the course.
        record: what the administrator wrote of it; None for a course that has left the hub.
        now: the time.
        postgresql: whether gradebooks are databases of this host.

    Raises:
        UnknownCourseError: the course has no record, and nothing of it is kept.
        DatabaseError: the database cannot be read.
    """
    with Snapshot(state / DATABASE) as snapshot:
        collector = _Collector(snapshot, state, slug, now)
        collector.releases()
        collector.submissions()
        collector.feedback()
        collector.documents()
    found = collector.parts
    if record is None and not collector.counts["releases"] + collector.counts["submissions"]:
        raise UnknownCourseError(f"There is no course {slug!r}, and nothing is kept of one.")
    manifest = {
        "format": FORMAT,
        "what": "archive of a course",
        "slug": slug,
        "title": slug if record is None else record.get("title") or slug,
        "made": as_text(now),
        "counts": collector.counts,
        "gradebook": _gradebook(slug, postgresql=postgresql),
        "course": record,
        "files": [{"path": one.path, "size": one.size, "sha256": one.sha256} for one in found],
        "missing": collector.missing,
    }
    collector.add_document(
        MANIFEST, lambda file: file.write(json.dumps(manifest, indent=1, ensure_ascii=False).encode())
    )
    *others, first = collector.parts
    return Archive((first, *others), tuple(collector.missing))


def _gradebook(slug: str, *, postgresql: bool) -> dict[str, str]:
    """Where nbgrader's own gradebook is, which is not in the archive."""
    if postgresql:
        return {"kind": "postgresql", "where": f"database {gradebook_of(slug)} of the hub's PostgreSQL"}
    return {
        "kind": "sqlite",
        "where": f"file courses/{slug}/course/gradebook.db below the platform's directory on the cluster",
    }


class _Collector:
    """Gathers parts; each method takes one kind."""

    def __init__(self, snapshot: Snapshot, state: Path, slug: str, now: datetime) -> None:
        self._snapshot, self._state, self._slug, self._now = snapshot, state, slug, now
        self._paths: set[str] = set()
        self.parts: list[Part] = []
        self.missing: list[str] = []
        self.counts = {"releases": 0, "submissions": 0, "students": 0, "feedback": 0}

    def releases(self) -> None:
        """All versions of all assignments; the newest is ``release.tar``."""
        newest, listed = set(), []
        for row in self._rows(_RELEASES):
            name = f"release-{row['version']}.tar" if row["assignment"] in newest else "release.tar"
            newest.add(row["assignment"])
            shown = {
                **_without(row, "course", "python", "packages", "missing"),
                "notebooks": json.loads(row["notebooks"]),
                "current": bool(row["current"]),
                "requirements": None,
                "path": self._keep(f"assignments/{row['assignment']}/{name}", row),
            }
            if row["python"] is not None:
                needed = {"packages": json.loads(row["packages"]), "missing": json.loads(row["missing"])}
                shown["requirements"] = {"python": row["python"], **needed}
            listed.append(shown)
        self.counts["releases"] = len(listed)
        self.add_document("releases.json", lambda file: write_json(file, "releases", listed))

    def submissions(self) -> None:
        """All submissions whose content came."""
        students = set()

        def listed() -> Iterator[dict[str, Any]]:
            for row in self._rows(_SUBMISSIONS):
                self.counts["submissions"] += 1
                students.add(row["student"])
                path = self._keep(f"submissions/{row['assignment']}/{row['student']}/{_stamp(row['time'])}.tar", row)
                yield {
                    **_without(row, "course", "key", "complete"),
                    "notebooks": json.loads(row["notebooks"]),
                    "path": path,
                }

        self.add_document("submissions.json", lambda file: write_json(file, "submissions", listed()))
        self.counts["students"] = len(students)

    def feedback(self) -> None:
        """All feedback, also what was replaced."""

        def listed() -> Iterator[dict[str, Any]]:
            for row in self._rows(_FEEDBACK):
                self.counts["feedback"] += 1
                place = f"feedback/{row['assignment']}/{row['student']}/{_stamp(row['handed_in'])}"
                yield {**_without(row, "serial"), "path": self._keep(f"{place}/{_stamp(row['time'])}.tar", row)}

        self.add_document("feedback.json", lambda file: write_json(file, "feedback", listed()))

    def documents(self) -> None:
        """What has no files."""
        pending = {
            row["assignment"] for row in self._rows("SELECT assignment FROM sheets WHERE course = ? AND pending")
        }
        graded = {row["assignment"] for row in self._rows("SELECT assignment FROM sheets WHERE course = ?")}
        drafts = map(
            grade_of, self._rows(f"{SELECT} WHERE g.course = ? AND NOT g.released ORDER BY g.assignment, g.student")
        )
        self.add_document("grades.csv", lambda file: write_csv(file, COLUMNS, lines_of(drafts, graded - pending)))
        grades = map(_grade, self._rows(f"{SELECT} WHERE g.course = ? ORDER BY g.assignment, g.student, g.released"))
        self.add_document("grades.json", lambda file: write_json(file, "grades", grades))
        self._table("line-items", "SELECT * FROM line_items WHERE course = ? ORDER BY assignment")
        self._table("runs", "SELECT * FROM runs WHERE course = ? ORDER BY started, rowid")
        lines = (
            [cell(row[name]) for name in _AUDIT]
            for row in self._rows("SELECT * FROM audit WHERE course = ? ORDER BY serial")
        )
        self.add_document("audit.csv", lambda file: write_csv(file, _AUDIT, lines))

    def add_document(self, path: str, write: Callable[[IO[bytes]], object]) -> None:
        """Add what is written now: into a file without a name, which is gone when nobody has it open."""
        file = _nameless(self._state)
        write(file)
        size = file.tell()
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        self.parts.append(Part(path, size, digest, self._now, file))

    def _table(self, name: str, query: str) -> None:
        rows = (_without(row, "course") for row in self._rows(query))
        self.add_document(f"{name}.json", lambda file: write_json(file, name, rows))

    def _rows(self, query: str) -> Iterator[sqlite3.Row]:
        return self._snapshot.rows(query, self._slug)

    def _keep(self, path: str, row: sqlite3.Row) -> str:
        """Add a file that is kept under its digest, and give its path in the archive; two of one path get different ones."""
        stem, _, suffix = path.rpartition(".")
        number = 1
        while path in self._paths:
            number += 1
            path = f"{stem}-{number}.{suffix}"
        self._paths.add(path)
        source = place_of(self._state / CONTENT, row["sha256"])
        if source.is_file() and source.stat().st_size == row["size"]:
            self.parts.append(Part(path, row["size"], row["sha256"], from_text(row["time"]), source))
        else:
            self.missing.append(path)
        return path


def _nameless(directory: Path) -> BufferedRandom:
    return tempfile.TemporaryFile(dir=directory)


def _without(row: sqlite3.Row, *names: str) -> dict[str, Any]:
    return {name: value for name, value in dict(row).items() if name not in names}


def _grade(row: sqlite3.Row) -> dict[str, Any]:
    values = _without(row, "course")
    return {
        **values,
        "released": bool(row["released"]),
        "needs_manual": bool(row["needs_manual"]),
        "flags": json.loads(row["flags"]),
        "checks": json.loads(row["checks"]),
    }


def _stamp(time: str) -> str:
    """A time of the database as a name of a file, which sorts as the times do."""
    return f"{from_text(time):%Y%m%dT%H%M%S.%fZ}"
