# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What came of a course's orders: one file for each course, ``<directory>/<slug>.json``, whole at any moment.

It is read by the course service, whose group the directory belongs to. Its form::

    {"course": "physics101", "updated": TIME, "error": "",
     "orders": [{"at": TIME, "path": "week1", "state": "done", "tried": TIME, "commit": "…40 hex…", "files": 12, "bytes": 3400,
                 "left_out": ["week1/link: a symbolic link"], "error": "", "failures": 0, "retry": null,
                 "missing": ["linus"], "clusters": {"lab": "cannot be reached: …"},
                 "people": [{"id": "grace", "name": "grace", "cluster": "lab", "time": TIME, "new": 12, "same": 0, "kept": 0,
                             "beside": 0, "skipped": [], "skipped_more": 0, "error": "", "failures": 0, "retry": null}]}]}

``state`` is ``waiting`` (its time has not come, or nothing was tried yet), ``failed`` (``error`` says why), ``partly`` (a cluster or a
home could not be reached or filled, see there; it is tried again), or ``done``. ``missing`` are members who have no home yet: they get
the files when they have. TIME is ISO 8601 in UTC; "" and null mean never.
"""

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from hpcampus_hub.whole import write_whole

from .plan import retry_at
from .record import Order

DIRECTORY = Path("/var/lib/hpcampus-course-sync")
MODE = 0o640
COUNTS = ("new", "same", "kept", "beside")


class StateError(Exception):
    """The state cannot be kept; the text says why and what to do."""


def text_of(moment: datetime | None) -> str | None:
    """A time for the file."""
    return None if moment is None else moment.astimezone(UTC).isoformat(timespec="seconds")


@dataclass
class Person:
    """What came of one home."""

    id: str
    name: str
    cluster: str
    time: str = ""
    new: int = 0
    same: int = 0
    kept: int = 0
    beside: int = 0
    skipped: list[str] = field(default_factory=list)
    skipped_more: int = 0
    error: str = ""
    failures: int = 0
    retry: str | None = None


@dataclass
class OrderState:
    """What came of one order."""

    at: str
    path: str
    tried: str = ""
    commit: str = ""
    files: int = 0
    bytes: int = 0
    left_out: list[str] = field(default_factory=list)
    error: str = ""
    failures: int = 0
    retry: str | None = None
    missing: list[str] = field(default_factory=list)
    clusters: dict[str, str] = field(default_factory=dict)
    people: list[Person] = field(default_factory=list)

    @property
    def state(self) -> str:
        """One word for all of it."""
        if self.error:
            return "failed"
        if not self.tried:
            return "waiting"
        return "partly" if self.clusters or any(person.error for person in self.people) else "done"

    def rests(self, now: datetime) -> bool:
        """Whether it failed and its next time has not come."""
        return _rests(self.retry, now)

    def open_for(self, cluster: str, key: str, now: datetime) -> bool:
        """Whether a home has not got the files and may get them now."""
        for person in self.people:
            if (person.cluster, person.id) == (cluster, key):
                return bool(person.error) and not _rests(person.retry, now)
        return True

    def fail(self, error: str, now: datetime) -> None:
        """Note why nothing could be brought."""
        self.tried, self.error = text_of(now) or "", error
        self.failures += 1
        self.retry = text_of(retry_at(now, self.failures))

    def note(self, person: Person, now: datetime) -> None:
        """Note what came of a home, in the place of what was known of it."""
        before = [known for known in self.people if (known.cluster, known.id) == (person.cluster, person.id)]
        person.time = text_of(now) or ""
        if person.error:
            person.failures = before[0].failures + 1 if before else 1
            person.retry = text_of(retry_at(now, person.failures))
        self.people = [known for known in self.people if known not in before] + [person]


def _rests(retry: str | None, now: datetime) -> bool:
    return retry is not None and now < datetime.fromisoformat(retry)


@dataclass
class CourseState:
    """All orders of a course, those that its record no longer has included."""

    course: str
    updated: str = ""
    error: str = ""
    orders: list[OrderState] = field(default_factory=list)

    def of(self, order: Order) -> OrderState:
        """The state of an order, which is made when it is new."""
        at, path = order.key
        for known in self.orders:
            if (known.at, known.path) == (at, path):
                return known
        made = OrderState(at, path)
        self.orders = sorted([*self.orders, made], key=lambda state: (state.at, state.path))
        return made


def load(directory: Path, slug: str) -> CourseState:
    """The state of a course. One that cannot be read begins anew: what was brought is found there, and nothing is changed by it."""
    try:
        found = json.loads((directory / f"{slug}.json").read_text(encoding="utf-8"))
        return CourseState(slug, found["updated"], found["error"], [_read_order(order) for order in found["orders"]])
    except (OSError, ValueError, KeyError, TypeError):
        return CourseState(slug)


def _read_order(fields: dict[str, Any]) -> OrderState:
    del fields["state"]
    return OrderState(**{**fields, "people": [Person(**person) for person in fields["people"]]})


def as_json(state: CourseState) -> dict[str, Any]:
    """The state in the form of the file."""
    return {
        **asdict(state),
        "orders": [{**asdict(order), "state": order.state} for order in state.orders],
    }


def save(directory: Path, state: CourseState, now: datetime) -> None:
    """Write the state of a course.

    Raises:
        StateError: it cannot be written.
    """
    state.updated = text_of(now) or ""
    path = directory / f"{state.course}.json"
    try:
        write_whole(path, json.dumps(as_json(state), indent=1, sort_keys=True) + "\n", lasting=True, mode=MODE)
    except OSError as error:
        raise StateError(f"{path} cannot be written ({error.strerror}); run the step courses again") from None


@contextlib.contextmanager
def alone(directory: Path, slug: str) -> Iterator[bool]:
    """Keep other runs off a course; gives False when one is at work.

    Raises:
        StateError: the directory cannot be used.
    """
    try:
        lock = os.open(directory / f".{slug}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise StateError(f"{directory} cannot be used ({error.strerror}); run the step courses again") from None
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
    finally:
        os.close(lock)
