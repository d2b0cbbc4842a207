# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course for the next term has the people and the material of the last one, and its dates moved."""

from __future__ import annotations

import datetime as dt
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.next_term import copied_course, first_day, moved_dates

DUE = {"assignment": "ps1", "due": "2026-11-03T23:59:00+01:00", "late_until": "2026-11-10T23:59:00+01:00"}
EXAM = {"title": "2026-10-12", "start": "2027-02-10T09:00:00Z", "end": "2027-02-10T11:00:00Z"}
RECORD: dict[str, Any] = {
    "slug": "a",
    "title": "A",
    "instructors": ["x"],
    "students": ["s"],
    "repository": {"url": "https://git.example.org/p/x"},
    "licence": "CC-BY-4.0",
    "ours": {"b": 1},
    "start": "2026-10-12",
    "end": "2027-02-12",
    "expires": "2027-10-01",
    "calendar": {"deadlines": [DUE], "exams": [{**EXAM, "title": "Exam"}]},
    "sync": [{"at": "2026-10-12T08:00:00+02:00", "path": "week1"}],
}


def test_a_copy_has_no_students_and_no_dates_of_the_past() -> None:
    copied = copied_course(RECORD, "b", {"title": "B"})
    assert copied == {
        "slug": "b",
        "title": "B",
        "instructors": ["x"],
        "repository": RECORD["repository"],
        "licence": "CC-BY-4.0",
        "ours": {"b": 1},
    }
    assert list(copied) == ["slug", "title", "instructors", "repository", "licence", "ours"]


def test_with_a_first_day_all_dates_move_by_as_much() -> None:
    copied = copied_course(RECORD, "b", {"start": "2027-10-11", "end": "2028-02-01"})
    assert (copied["start"], copied["end"], copied["expires"]) == ("2027-10-11", "2028-02-01", "2028-09-29")
    assert copied["calendar"]["deadlines"] == [
        {"assignment": "ps1", "due": "2027-11-02T23:59:00+01:00", "late_until": "2027-11-09T23:59:00+01:00"}
    ]
    assert copied["calendar"]["exams"][0] == {
        "title": "Exam",
        "start": "2028-02-09T09:00:00+00:00",
        "end": "2028-02-09T11:00:00+00:00",
    }
    assert copied["sync"] == [{"at": "2027-10-11T08:00:00+02:00", "path": "week1"}]
    assert RECORD["calendar"]["deadlines"] == [DUE], "the old one stays as it is"


@pytest.mark.parametrize("start", ["", "soon", None, 5, "2027-13-01", "2027-10-11T00:00:00Z"])
def test_what_is_no_day_moves_nothing(start: Any) -> None:
    assert moved_dates(RECORD, start) == {}


def test_without_a_first_day_the_earliest_counts() -> None:
    undated = {name: value for name, value in RECORD.items() if name not in {"start", "end", "expires", "sync"}}
    assert first_day(undated) == dt.date(2026, 11, 3)
    moved = moved_dates(undated, "2026-11-04")["calendar"]
    assert moved["deadlines"][0]["due"] == "2026-11-04T23:59:00+01:00"
    assert first_day({"slug": "a"}) is None
    assert moved_dates({"slug": "a"}, "2026-11-04") == {}


@given(st.dates(dt.date(2000, 1, 1), dt.date(2100, 1, 1)))
def test_there_and_back_is_where_it_was(day: dt.date) -> None:
    there = moved_dates(RECORD, day.isoformat())
    back = moved_dates(there, RECORD["start"])
    again = moved_dates(RECORD, RECORD["start"])
    assert back == again
