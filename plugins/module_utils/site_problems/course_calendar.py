# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The days, deadlines and exams of a course."""

from __future__ import annotations

import datetime as dt
import re
import typing as t

from .findings import Record, line, matches, problem

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
ASSIGNMENT = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9 ._-]{0,62}[A-Za-z0-9_-])?")
PER_DAY = "percent_per_day"


def day_of(value: object) -> dt.date | None:
    """Read a day such as ``2026-10-12``; None when it is none."""
    if not isinstance(value, str) or not _DAY.fullmatch(value):
        return None
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        return None


def moment_of(value: object) -> dt.datetime | None:
    """Read a time with its zone such as ``2026-11-03T23:59:00+01:00``; None when it is none, or has no zone."""
    if not isinstance(value, str) or day_of(value) is not None:
        return None
    try:
        found = dt.datetime.fromisoformat(value)
    except ValueError:
        return None
    return found if found.tzinfo is not None else None


def moment(variable: str, value: object) -> t.Iterator[str]:
    """Check that a value is a time with its zone."""
    if moment_of(value) is None:
        yield problem(
            variable,
            value,
            "this is not a date and a time with its zone",
            "Write it as 2026-11-03T23:59:00+01:00, with seconds, and Z for UTC",
        )


def calendar_problems(where: str, record: Record) -> t.Iterator[str]:
    """Check days, deadlines, exams and what happens to late submissions."""
    yield from _day_problems(where, record)
    calendar = record.get("calendar", {})
    yield from _deadline_problems(where, record, calendar.get("deadlines", []))
    for index, exam in enumerate(calendar.get("exams", [])):
        yield from _exam_problems(f"{where}.calendar.exams[{index}]", record, exam)
    yield from _late_problems(f"{where}.late", record.get("late", {}))
    for index, entry in enumerate(record.get("sync", [])):
        yield from moment(f"{where}.sync[{index}].at", entry.get("at"))


def _day_problems(where: str, record: Record) -> t.Iterator[str]:
    days = {}
    for name in ("start", "end", "expires"):
        value = record.get(name, "")
        if value == "":
            continue
        found = day_of(value)
        if found is None:
            yield problem(f"{where}.{name}", value, "this is not a day", "Write it as 2026-10-12")
        else:
            days[name] = found
    for earlier, later in (("start", "end"), ("end", "expires"), ("start", "expires")):
        if earlier in days and later in days and days[earlier] > days[later]:
            yield problem(
                f"{where}.{later}",
                record[later],
                f"it is before {earlier}, {record[earlier]}",
                "Change one of them",
            )
            return


def _outside(record: Record, value: str) -> str:
    """Say how a time misses the days of the course; it is on the day that its own zone gives it."""
    found = moment_of(value)
    start, end = day_of(record.get("start")), day_of(record.get("end"))
    if found is not None and start is not None and found.date() < start:
        return f"it is before the course starts, {record['start']}"
    if found is not None and end is not None and found.date() > end:
        return f"it is after the course ends, {record['end']}"
    return ""


def _inside(variable: str, record: Record, value: str) -> t.Iterator[str]:
    missed = _outside(record, value)
    if missed:
        yield problem(variable, value, missed, "Change it, or start and end of the course")


def _after(variable: str, value: str, earlier: str, name: str) -> t.Iterator[str]:
    first, second = moment_of(earlier), moment_of(value)
    if first is not None and second is not None and second <= first:
        yield problem(variable, value, f"it is not after {name}, {earlier}", "Change one of them")


def _deadline_problems(where: str, record: Record, deadlines: t.Sequence[Record]) -> t.Iterator[str]:
    if deadlines and not record.get("assignments", True):
        yield problem(
            f"{where}.calendar.deadlines",
            [entry.get("assignment") for entry in deadlines],
            "the course has no assignments",
            "Remove the deadlines, or set assignments to true",
        )
    seen: set[object] = set()
    for index, entry in enumerate(deadlines):
        place = f"{where}.calendar.deadlines[{index}]"
        name, due, late = entry.get("assignment"), entry.get("due"), entry.get("late_until", "")
        yield from matches(
            f"{place}.assignment",
            name,
            ASSIGNMENT,
            "the name of an assignment (letters, digits, '.', '_', '-', spaces)",
        )
        if name in seen:
            yield problem(f"{place}.assignment", name, "it has a deadline already", "Write one for each assignment")
        seen.add(name)
        yield from moment(f"{place}.due", due)
        yield from _inside(f"{place}.due", record, str(due))
        if late:
            yield from moment(f"{place}.late_until", late)
            yield from _after(f"{place}.late_until", late, str(due), "due")
            yield from _inside(f"{place}.late_until", record, late)


def _exam_problems(place: str, record: Record, exam: Record) -> t.Iterator[str]:
    yield from line(f"{place}.title", exam.get("title"))
    for name in ("start", "end"):
        yield from moment(f"{place}.{name}", exam.get(name))
        yield from _inside(f"{place}.{name}", record, str(exam.get(name)))
    yield from _after(f"{place}.end", str(exam.get("end")), str(exam.get("start")), "start")


def _late_problems(where: str, late: Record) -> t.Iterator[str]:
    percent, policy = late.get("percent", 0), late.get("policy", "mark")
    if not 0 <= percent <= 100 or (policy == PER_DAY) != (percent > 0):
        what = "each day costs 1 to 100 percent" if policy == PER_DAY else f"late.policy is {policy!r}"
        yield problem(
            f"{where}.percent",
            percent,
            what,
            "Write such a number" if policy == PER_DAY else f"Set late.policy to {PER_DAY}, or percent to 0",
        )
    if late.get("grace_minutes", 0) < 0:
        yield problem(f"{where}.grace_minutes", late["grace_minutes"], "this is less than nothing", "Write 0 or more")
