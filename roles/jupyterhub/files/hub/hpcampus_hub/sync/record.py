# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a course's record says of its repository and of the times at which files come to homes.

The rules are those by which the inventory is checked: these texts become arguments of git.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

REPOSITORY = re.compile(
    r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~+-]+)+/?"
)
BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|\Z)))[A-Za-z0-9_][A-Za-z0-9._/+-]{0,199}(?<![./])")
INSIDE = re.compile(r"(?!(?:.*/)?\.\.?(?:/|\Z))[^/\x00-\x1f\x7f\\][^\x00-\x1f\x7f\\]{0,499}(?<!/)")


class RecordError(ValueError):
    """A record cannot be followed; the text says what is wrong and what to do."""


@dataclass(frozen=True)
class Repository:
    """Where the material of a course is; without a branch it is the repository's own choice."""

    url: str
    branch: str = ""


@dataclass(frozen=True)
class Order:
    """Files that come at a time: a folder or file of the repository, "" for all of it."""

    at: datetime
    path: str

    @property
    def key(self) -> tuple[str, str]:
        """What tells it from others: the time in UTC, and the path."""
        return self.at.isoformat(), self.path


@dataclass(frozen=True)
class Material:
    """A course's repository and its orders, in the order of their times."""

    repository: Repository
    orders: tuple[Order, ...]


def read_records(path: Path) -> dict[str, Mapping[str, Any]]:
    """The records of the courses by slug, as the hub's configuration has them.

    Raises:
        RecordError: the file cannot be read.
    """
    try:
        records = json.loads(path.read_text(encoding="utf-8"))
        return {record["slug"]: record for record in records}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise RecordError(f"{path} cannot be read ({error}); run the step courses again") from None


def read_material(record: Mapping[str, Any]) -> Material | None:
    """The material of a course, None when nothing is to be brought.

    Raises:
        RecordError: names the first thing that is wrong.
    """
    entries = record.get("sync") or []
    if not entries:
        return None
    place = record.get("repository") or {}
    url, branch = place.get("url", ""), place.get("branch", "")
    if not url:
        raise RecordError("sync: the course has no repository; add repository.url to its record")
    if not _matches(REPOSITORY, url):
        raise RecordError(
            f"repository.url: {url!r} is not an address such as https://git.example.org/physics/exercises"
        )
    if branch and not _matches(BRANCH, branch):
        raise RecordError(f"repository.branch: {branch!r} is not the name of a branch")
    orders = {order.key: order for order in (_read_order(index, entry) for index, entry in enumerate(entries))}
    return Material(Repository(url, branch), tuple(orders[key] for key in sorted(orders)))


def _read_order(index: int, entry: Mapping[str, Any]) -> Order:
    at, path = entry.get("at", ""), entry.get("path", "")
    try:
        moment = datetime.fromisoformat(at)
    except (TypeError, ValueError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise RecordError(f"sync[{index}].at: {at!r} has no date, time and zone; write it as 2026-11-03T23:59:00+01:00")
    if path and not _matches(INSIDE, path):
        raise RecordError(f"sync[{index}].path: {path!r} is not a path inside the repository")
    return Order(moment.astimezone(UTC), path)


def _matches(rule: re.Pattern[str], value: object) -> bool:
    return isinstance(value, str) and rule.fullmatch(value) is not None
