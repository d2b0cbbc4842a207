# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Times as the service writes them and as nbgrader writes them; both are UTC with microseconds."""

from __future__ import annotations

from datetime import UTC, datetime

_NBGRADER = "%Y-%m-%d %H:%M:%S.%f"


def naive(text: str) -> datetime:
    """Read the service's time, such as `2026-11-26T13:30:00.000001+00:00`, as nbgrader's UTC without a zone.

    Raises:
        ValueError: It is no time, or has no zone.
    """
    found = datetime.fromisoformat(text)
    if found.tzinfo is None:
        raise ValueError(f"{text!r} has no time zone")
    return found.astimezone(UTC).replace(tzinfo=None)


def stamp(text: str) -> str:
    """The service's time in the words of nbgrader's `timestamp.txt`: `2026-11-26 13:30:00.000001 UTC`."""
    return f"{naive(text):{_NBGRADER}} UTC"


def wire(stamped: str) -> str:
    """The words of a `timestamp.txt` as the service's time.

    Raises:
        ValueError: They are not what `stamp` writes.
    """
    text, zone = stamped.strip().rsplit(" ", 1)
    if zone != "UTC":
        raise ValueError(f"{stamped!r} is not in UTC")
    return datetime.strptime(text, _NBGRADER).replace(tzinfo=UTC).isoformat(timespec="microseconds")


def local(text: str) -> str:
    """The service's time for a person: `2026-11-26 13:30 UTC`."""
    return f"{naive(text):%Y-%m-%d %H:%M} UTC"
