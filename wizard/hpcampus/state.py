# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the wizard remembers between two starts: the journal of steps, and a lock against two runs at once."""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hpcampus.errors import LockedError
from hpcampus.files import PRIVATE_FILE, make_private_directory, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

DONE = "done"
FAILED = "failed"
STOPPED = "stopped"
RUNNING = "running"


@dataclass(frozen=True)
class Record:
    """How one step ended.

    Attributes:
        status: done, failed, stopped or running.
        seconds: How long it took.
        changed: Number of task results that changed a host.
    """

    status: str
    seconds: float = 0.0
    changed: int = 0


@dataclass(frozen=True)
class Journal:
    """The plan of a run and how far it got.

    Attributes:
        plan: Names of the steps, in order.
        fingerprint: Of everything that the plan depends on.
        records: By name of the step.
    """

    plan: tuple[str, ...] = ()
    fingerprint: str = ""
    records: dict[str, Record] = field(default_factory=dict)

    @property
    def finished(self) -> bool:
        """Whether every step of the plan is done."""
        return bool(self.plan) and not self.remaining()

    def remaining(self) -> tuple[str, ...]:
        """Give the steps of the plan that are not done, in order; once one is open, all after it are."""
        for number, name in enumerate(self.plan):
            record = self.records.get(name)
            if record is None or record.status != DONE:
                return self.plan[number:]
        return ()

    def resumable(self, fingerprint: str, known: Sequence[str]) -> bool:
        """Tell whether a stopped run may go on: something is done, something open, and nothing changed since."""
        open_steps = self.remaining()
        return (
            bool(open_steps)
            and len(open_steps) < len(self.plan)
            and self.fingerprint == fingerprint
            and all(name in known for name in self.plan)
        )

    def mark(self, name: str, record: Record) -> Journal:
        """Give a journal in which `name` ended as `record` says."""
        return dataclasses.replace(self, records={**self.records, name: record})


def dump_journal(journal: Journal) -> str:
    """Write a journal as JSON."""
    return json.dumps(dataclasses.asdict(journal), indent=2) + "\n"


def parse_journal(text: str) -> Journal:
    """Read a journal; anything unreadable counts as none, for steps are safe to repeat."""
    try:
        data = json.loads(text)
        records = {
            str(name): Record(str(item["status"]), float(item["seconds"]), int(item["changed"]))
            for name, item in data["records"].items()
        }
        return Journal(tuple(str(name) for name in data["plan"]), str(data["fingerprint"]), records)
    except (ValueError, KeyError, TypeError, AttributeError):
        return Journal()


@dataclass(frozen=True)
class State:
    """The private directory that belongs to one inventory."""

    path: Path

    @property
    def _journal(self) -> Path:
        return self.path / "journal.json"

    def make(self) -> None:
        """Make the directory, for its owner only."""
        make_private_directory(self.path)

    def load(self) -> Journal:
        """Read the journal; an empty one when there is none."""
        try:
            return parse_journal(self._journal.read_text(encoding="utf-8"))
        except (FileNotFoundError, UnicodeDecodeError):
            return Journal()

    def save(self, journal: Journal) -> None:
        """Write the journal at once."""
        write_atomically(self._journal, dump_journal(journal), PRIVATE_FILE)

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock of this inventory; the kernel gives it back however the process ends.

        Raises:
            LockedError: Another process holds it.
        """
        self.make()
        handle = os.open(self.path / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, PRIVATE_FILE)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "?"
                raise LockedError("locked", pid=holder) from error
            os.ftruncate(handle, 0)
            os.pwrite(handle, f"{os.getpid()}\n".encode(), 0)
            yield
        finally:
            os.close(handle)


def fingerprint(roots: Iterable[Path], extra: Iterable[str] = ()) -> str:
    """Digest names and contents of all files under `roots`, and the texts of `extra`; order of the roots counts."""
    digest = hashlib.sha256()
    for text in extra:
        digest.update(text.encode() + b"\0")
    for root in roots:
        files = [root] if root.is_file() else sorted(path for path in root.rglob("*") if path.is_file())
        for path in files:
            if "__pycache__" in path.parts:
                continue
            digest.update(str(path.relative_to(root)).encode() + b"\0" + hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()
