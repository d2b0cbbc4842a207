# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Times of the service: the hub's clock, in UTC, as text of one form that sorts."""

from datetime import UTC, datetime


def now() -> datetime:
    """The time of the hub."""
    return datetime.now(UTC)


def as_text(moment: datetime) -> str:
    """ISO 8601 in UTC with microseconds and ``+00:00``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


def from_text(text: str) -> datetime:
    """The moment that :func:`as_text` wrote."""
    return datetime.fromisoformat(text)
