# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What came of bringing files of a course's repository to homes: as the hub's ``hpcampus-course-sync`` has written it down, in words."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from . import words

HOMES_MAX = 200
"""Of so many homes in which something was left alone the page tells, for each order."""

_STATES = {
    "waiting": "waits for its time",
    "done": "done",
    "partly": "not everywhere yet; it is tried again",
    "failed": "failed; it is tried again",
}
_COUNTS = {
    "new": "new",
    "same": "there already",
    "kept": "left as people have them",
    "beside": "new versions laid beside",
}


@dataclass(frozen=True)
class Home:
    """A home in which something was left alone, or to which nothing came: whose it is, and what and why."""

    name: str
    cluster: str
    told: tuple[str, ...]


@dataclass(frozen=True)
class Order:
    """Files that come at a time.

    ``brought`` says how many homes got what, ``notes`` what is to be known of all of them, ``homes`` of single ones, and ``more`` how
    many homes are left out of that.
    """

    clock: str
    iso: str
    path: str
    state: str
    is_bad: bool
    tried: str
    brought: str
    problem: str
    notes: tuple[str, ...]
    homes: tuple[Home, ...]
    more: int


@dataclass(frozen=True)
class Report:
    """All orders of a course, the newest first.

    ``changed`` is when there was news, "" for never, and ``problem`` what is wrong with all of it.
    """

    changed: str
    problem: str
    orders: tuple[Order, ...] = ()


def read_report(directory: Path, slug: str, *, wanted: bool) -> Report | None:
    """The report of a course; None when nothing is brought to homes, and nothing was.

    Args:
        directory: Where the reports are.
        slug: The course.
        wanted: Whether its record has something to bring.
    """
    path = directory / f"{slug}.json"
    try:
        return _report(json.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Report("", "") if wanted else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return Report("", "The report cannot be read. Tell the administrator of the hub.")


def _report(found: Mapping[str, Any]) -> Report:
    orders = sorted(found["orders"], key=lambda one: (one["at"], one["path"]), reverse=True)
    problem = f"The course's record cannot be followed: {found['error']}" if found["error"] else ""
    return Report(_clock(found["updated"]), problem, tuple(_order(one) for one in orders))


def _order(found: Mapping[str, Any]) -> Order:
    homes = [home for home in map(_home, found["people"]) if home.told]
    return Order(
        _clock(found["at"]),
        found["at"],
        found["path"] or "everything",
        _STATES[found["state"]],
        found["state"] in ("failed", "partly"),
        _clock(found["tried"]),
        _brought(found),
        found["error"],
        tuple(_notes(found)),
        tuple(homes[:HOMES_MAX]),
        max(0, len(homes) - HOMES_MAX),
    )


def _brought(found: Mapping[str, Any]) -> str:
    reached = [one for one in found["people"] if not one["error"]]
    if not reached:
        return ""
    totals = {name: sum(one[name] for one in reached) for name in _COUNTS}
    told = words.listed(f"{totals[name]} {said}" for name, said in _COUNTS.items() if totals[name])
    files = f"{words.count(found['files'], 'file')} ({words.size(found['bytes'])})"
    return f"{files} for {words.count(len(reached), 'home')}{f': {told}' if told else ''}"


def _notes(found: Mapping[str, Any]) -> Iterator[str]:
    yield from (f"Cluster {name} {why}" for name, why in found["clusters"].items())
    if found["missing"]:
        yield f"No home yet, so that the files come with it: {', '.join(found['missing'])}"
    yield from (f"Left out of the repository: {why}" for why in found["left_out"])
    if found["retry"]:
        yield f"It is tried again from {_clock(found['retry'])} on."


def _home(found: Mapping[str, Any]) -> Home:
    told = [found["error"]] if found["error"] else []
    told += [f"{found[name]} {_COUNTS[name]}" for name in ("kept", "beside") if found[name]]
    told += [f"left alone: {why}" for why in found["skipped"]]
    if found["skipped_more"]:
        told.append(f"left alone: {found['skipped_more']} more")
    return Home(found["name"], found["cluster"], tuple(told))


def _clock(text: str | None) -> str:
    return words.clock(datetime.fromisoformat(text)) if text else ""
