# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Times, amounts and states in words for the person who looks at a page."""

from collections.abc import Iterable
from datetime import datetime, timedelta

_STEPS = (
    (timedelta(minutes=1), timedelta(seconds=1), "second"),
    (timedelta(hours=2), timedelta(minutes=1), "minute"),
    (timedelta(days=2), timedelta(hours=1), "hour"),
    (timedelta(days=60), timedelta(days=1), "day"),
)

RUN_STATES = {
    "queued": "waits for the cluster",
    "running": "runs on the cluster",
    "scoring": "points are being counted",
    "done": "done",
    "failed": "failed",
}
RUN_ENDED = frozenset({"done", "failed"})
RUN_SILENT = timedelta(minutes=10)
"""A run tells how far it is every few seconds, and in the midst of a restart of the hub every half a minute."""

ACTIONS = {
    "release": "released the assignment",
    "withdraw": "took the assignment back",
    "collect": "collected submissions",
    "autograde": "autograded",
    "similarity": "compared submissions",
    "grade": "graded by hand",
    "generate feedback": "made feedback",
    "feedback": "gave feedback",
    "release feedback": "released feedback",
    "release grades": "released points",
    "line item": "set where points go",
}
"""What the audit calls it, and how the page says it; another name is shown as it is."""


def clock(time: datetime) -> str:
    """A time as the hub's clock shows it, with its zone."""
    local = time.astimezone()
    return f"{local:%a} {local.day} {local:%b %Y, %H:%M %Z}"


def distance(time: datetime, now: datetime) -> str:
    """How far a time is from now: ``in 3 days``, ``2 hours ago``."""
    span = abs(time - now)
    unit, name = next(((unit, name) for limit, unit, name in _STEPS if span < limit), (timedelta(days=7), "week"))
    amount = count(span // unit, name)
    return f"in {amount}" if time > now else f"{amount} ago"


def action(name: str) -> str:
    """What somebody did, by its name in the audit."""
    return ACTIONS.get(name.replace("_", " "), name)


def number(value: float) -> str:
    """Points without a needless fraction."""
    return f"{value:.2f}".rstrip("0").rstrip(".")


def of(part: float, whole: float) -> str:
    """A part of a whole."""
    return f"{number(part)} of {number(whole)}"


def count(amount: int, singular: str, plural: str = "") -> str:
    """An amount with its noun."""
    return f"{amount} {singular if amount == 1 else plural or singular + 's'}"


def size(octets: int) -> str:
    """A size in words."""
    value, units = float(octets), iter(("bytes", "kB", "MB", "GB"))
    unit = next(units)
    while value >= 1000 and unit != "GB":
        value, unit = value / 1000, next(units)
    return f"{value:.0f} {unit}" if unit == "bytes" or value >= 10 else f"{value:.1f} {unit}"


def listed(names: Iterable[str]) -> str:
    """Names in one line."""
    return ", ".join(names)


def silent_since(time: datetime) -> str:
    """What to do about a run of autograding that tells nothing any more."""
    return f"no news since {clock(time)}: look whether the course's server runs, and autograde again"


def run_state(state: str, done: int, failed: int, total: int) -> str:
    """How far a run of autograding is."""
    words = f"{RUN_STATES.get(state, state)}: {done} of {total}"
    return f"{words}, {failed} with a problem" if failed else words
