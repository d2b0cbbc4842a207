# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course like another one, for the next term: its people without the students, its material, its dates moved. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

DATED = ("start", "end", "expires", "calendar", "sync")
_DAYS = ("start", "end", "expires")
_LEFT_OUT = ("slug", "students")


def copied_course(record: Mapping[str, Any], slug: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """Give a course like another one, fields that nobody here knows included, but for its students.

    Args:
        record: The other one, with days and times as text.
        slug: Of the new one.
        given: Fields of the new one. With ``start`` all dates move by as many days as the first day does; without it the new course
            has none, for they would be over.
    """
    kept = {name: value for name, value in record.items() if name not in {*_LEFT_OUT, *DATED}}
    return {"slug": slug, **kept, **moved_dates(record, given.get("start")), **given}


def moved_dates(record: Mapping[str, Any], start: object) -> dict[str, Any]:
    """Give the dates of a record as they are when the course begins on another day; none if that day is none.

    A time keeps its offset from UTC, so that one in summer time stays in summer time.
    """
    begins, began = _day(start), first_day(record)
    if begins is None or began is None:
        return {}
    days = begins - began
    return {name: _moved(record[name], days) for name in DATED if name in record}


def first_day(record: Mapping[str, Any]) -> dt.date | None:
    """Give the day on which a course begins, or else the first that its record names."""
    start = _day(record.get("start"))
    found = [day for name in DATED for day in _days_in(record.get(name))]
    return start or min(found, default=None)


def _days_in(value: object) -> list[dt.date]:
    if isinstance(value, Mapping):
        return [day for part in value.values() for day in _days_in(part)]
    if isinstance(value, list):
        return [day for part in value for day in _days_in(part)]
    moment = _moment(value)
    found = moment.date() if moment is not None else _day(value)
    return [] if found is None else [found]


def _moved(value: Any, days: dt.timedelta) -> Any:
    if isinstance(value, Mapping):
        return {name: _moved(part, days) for name, part in value.items()}
    if isinstance(value, list):
        return [_moved(part, days) for part in value]
    found = _day(value) or _moment(value)
    return value if found is None else (found + days).isoformat()


def _day(value: object) -> dt.date | None:
    try:
        return dt.date.fromisoformat(value) if isinstance(value, str) and len(value) == len("2026-10-12") else None
    except ValueError:
        return None


def _moment(value: object) -> dt.datetime | None:
    """Read a time; a text that is no more than a day is none."""
    try:
        return dt.datetime.fromisoformat(value) if isinstance(value, str) and "T" in value else None
    except ValueError:
        return None
