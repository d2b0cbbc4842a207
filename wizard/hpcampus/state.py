# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the wizard remembers between two starts: the journal of steps, and a lock against two runs at once.

The journal knows two things: how far the plan of a run got, so that the next one can go on; and of every step, whatever
run it was part of, how it ended last and with which fingerprint it was last done.
"""

from __future__ import annotations

import contextlib
import dataclasses
import fcntl
import hashlib
import json
import os
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hpcampus.errors import LockedError
from hpcampus.files import PRIVATE_FILE, make_private_directory, write_atomically

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

DONE = "done"
FAILED = "failed"
STOPPED = "stopped"
RUNNING = "running"
SKIPPED = "skipped"


def now() -> str:
    """Give the time as journals write it: UTC, to the second, such as 2026-11-26T09:12:03Z."""
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Record:
    """How one step ended.

    Attributes:
        status: done, failed, stopped, skipped or running.
        seconds: How long it took.
        changed: Number of task results that changed a host.
        at: When it ended, or began if it is running, as `now` gives it; empty in journals of older versions.
        fingerprint: Digest of what the step depended on when it began.
    """

    status: str
    seconds: float = 0.0
    changed: int = 0
    at: str = ""
    fingerprint: str = ""


@dataclass(frozen=True)
class Journal:
    """The plan of a run and how far it got, and what is known of every step.

    Attributes:
        plan: Names of the steps, in order.
        fingerprint: Of everything that the plan depends on.
        records: Those of the plan, by name of the step.
        last: The newest record of each step that ever ran.
        done: The newest record of each step with the status done.
        hosts_identity: What the hosts were called by when they last changed; see `apply.Options`.
    """

    plan: tuple[str, ...] = ()
    fingerprint: str = ""
    records: dict[str, Record] = field(default_factory=dict)
    last: dict[str, Record] = field(default_factory=dict)
    done: dict[str, Record] = field(default_factory=dict)
    hosts_identity: str = ""

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

    def interrupted(self) -> tuple[str, Record] | None:
        """Give the step that was running when its process was killed, or the machine went down; None if none was."""
        return next(((name, record) for name, record in self.last.items() if record.status == RUNNING), None)

    def begin(self, plan: Sequence[str], fingerprint: str) -> Journal:
        """Give a journal with a new plan, and with all that is known of the steps."""
        return dataclasses.replace(self, plan=tuple(plan), fingerprint=fingerprint, records={})

    def mark(self, name: str, record: Record) -> Journal:
        """Give a journal in which `name`, a step of the plan, ended as `record` says."""
        return dataclasses.replace(self.note(name, record), records={**self.records, name: record})

    def note(self, name: str, record: Record) -> Journal:
        """Give a journal that knows how `name` ended, whatever the plan is."""
        done = {**self.done, name: record} if record.status == DONE else self.done
        return dataclasses.replace(self, last={**self.last, name: record}, done=done)

    def unchanged_since(self, name: str, fingerprint: str) -> str | None:
        """Tell when `name` was done, if that was the last thing that happened to it and nothing changed since."""
        record = self.last.get(name)
        if record is None or record.status != DONE or record.fingerprint != fingerprint:
            return None
        return record.at


def dump_journal(journal: Journal) -> str:
    """Write a journal as JSON."""
    return json.dumps(dataclasses.asdict(journal), indent=2) + "\n"


def parse_journal(text: str) -> Journal:
    """Read a journal; anything unreadable counts as none, for steps are safe to repeat."""
    try:
        data = json.loads(text)
        return Journal(
            plan=tuple(str(name) for name in data["plan"]),
            fingerprint=str(data["fingerprint"]),
            records=_records(data["records"]),
            last=_records(data.get("last", data["records"])),
            done=_records(data.get("done", {})),
            hosts_identity=str(data.get("hosts_identity", "")),
        )
    except (ValueError, KeyError, TypeError, AttributeError):
        return Journal()


def _records(data: Mapping[str, Mapping[str, object]]) -> dict[str, Record]:
    return {
        str(name): Record(
            str(item["status"]),
            float(str(item["seconds"])),
            int(str(item["changed"])),
            str(item.get("at", "")),
            str(item.get("fingerprint", "")),
        )
        for name, item in data.items()
    }


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

    def is_locked(self) -> bool:
        """Tell whether a process works on this inventory at the moment."""
        try:
            handle = os.open(self.path / "lock", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(handle)
        return False

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
