# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""When a submission is late, and when it is too late."""

from dataclasses import dataclass
from datetime import datetime, timedelta

POLICIES = ("accept", "mark", "refuse", "percent_per_day")


@dataclass(frozen=True)
class Deadline:
    """Until when an assignment is due, and until when a late submission is taken (None: as the course's rule says)."""

    due: datetime
    late_until: datetime | None = None


@dataclass(frozen=True)
class LateRules:
    """What a course does with late submissions.

    ``accept`` takes them as if they were in time, ``mark`` marks them, ``percent_per_day`` marks them and whoever scores takes off
    ``percent`` for each day that has begun, ``refuse`` takes them only where an assignment's own ``late_until`` allows it.
    ``grace_minutes`` after the deadline still are in time.
    """

    policy: str = "mark"
    percent: float = 0
    grace_minutes: float = 0


@dataclass(frozen=True)
class Verdict:
    """How a submission stands to its deadline."""

    late: bool = False
    refused_since: datetime | None = None
    """The moment from which on nothing is taken, when that has passed."""


def judge(time: datetime, deadline: Deadline | None, rules: LateRules) -> Verdict:
    """Say how a submission of this time stands; the last moment itself is in time."""
    if deadline is None:
        return Verdict()
    end_of_grace = deadline.due + timedelta(minutes=rules.grace_minutes)
    last = end_of_grace if rules.policy == "refuse" else None
    if deadline.late_until is not None:
        last = max(deadline.late_until, end_of_grace)
    if last is not None and time > last:
        return Verdict(late=True, refused_since=last)
    return Verdict(late=time > end_of_grace and rules.policy != "accept")
