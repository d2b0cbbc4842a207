# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Amounts as people write them. Pure."""

from __future__ import annotations

from hpcampus.texts import t


def gigabytes(amount: float) -> str:
    """Write an amount of GB: 0.4 GB, 12 GB, 3.1 TB."""
    if amount >= 1024:
        return f"{amount / 1024:.1f} TB"
    return f"{amount:.1f} GB" if amount < 10 else f"{amount:.0f} GB"


def span(minutes: int) -> str:
    """Write a time: 30 min, 4 h, 1.5 h, 14 d."""
    for unit, length in (("d", 1440), ("h", 60)):
        if minutes >= length and minutes % (length // 2) == 0 and (unit == "h" or minutes >= 2 * length):
            return f"{minutes / length:g} {unit}"
    return f"{minutes / 60:.1f} h" if minutes >= 120 else f"{minutes} min"


def megabytes(amount: int) -> str:
    """Write an amount of MB in GB."""
    return gigabytes(amount / 1024)


def days(amount: int) -> str:
    """Write a number of days."""
    return t("probe.day") if amount == 1 else t("probe.days", count=amount)
