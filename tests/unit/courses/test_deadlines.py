# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Late or not, at the second."""

from datetime import UTC, datetime, timedelta

import pytest

from hpcampus_courses.deadlines import Deadline, LateRules, Verdict, judge

DUE = datetime(2026, 12, 1, 11, 0, tzinfo=UTC)
TICK = timedelta(microseconds=1)
DAY = timedelta(days=1)


def test_without_a_deadline_nothing_is_late() -> None:
    for policy in ("accept", "mark", "refuse", "percent_per_day"):
        assert judge(DUE, None, LateRules(policy)) == Verdict()


@pytest.mark.parametrize(
    ("policy", "late", "refused"),
    [("accept", False, False), ("mark", True, False), ("percent_per_day", True, False), ("refuse", True, True)],
)
def test_the_last_moment_is_in_time_and_the_next_is_not(policy: str, late: bool, refused: bool) -> None:
    rules = LateRules(policy, grace_minutes=10)
    end = DUE + timedelta(minutes=10)
    assert judge(end, Deadline(DUE), rules) == Verdict()
    assert judge(end + TICK, Deadline(DUE), rules) == Verdict(late, end if refused else None)


@pytest.mark.parametrize("policy", ["accept", "mark", "percent_per_day", "refuse"])
def test_after_the_last_moment_for_late_ones_nothing_is_taken(policy: str) -> None:
    deadline, rules = Deadline(DUE, DUE + DAY), LateRules(policy)
    assert judge(DUE + DAY, deadline, rules) == Verdict(late=policy != "accept")
    assert judge(DUE + DAY + TICK, deadline, rules) == Verdict(late=True, refused_since=DUE + DAY)


def test_grace_counts_where_it_ends_after_the_last_moment() -> None:
    rules = LateRules("refuse", grace_minutes=120)
    deadline = Deadline(DUE, DUE + timedelta(minutes=60))
    assert judge(DUE + timedelta(minutes=120), deadline, rules) == Verdict()
    assert judge(DUE + timedelta(minutes=120) + TICK, deadline, rules).refused_since is not None


def test_the_zone_of_a_deadline_does_not_matter() -> None:
    other = datetime.fromisoformat("2026-12-01T12:00:00+01:00")
    assert judge(DUE, Deadline(other), LateRules()) == Verdict()
    assert judge(DUE + TICK, Deadline(other), LateRules()).late
