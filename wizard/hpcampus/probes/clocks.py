# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Clocks of hosts against the one here and against each other. Pure."""

from __future__ import annotations

import re
import statistics
from typing import TYPE_CHECKING

from hpcampus.probes.finding import Line, note, problem
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpcampus.probes.sections import Sections

CLOCK_SECONDS = 5


def clock_lines(host: str, sections: Sections, before: float, after: float) -> list[Line]:
    """Say how a host's clock differs from the one here, if it does.

    Args:
        host: Its name; empty where there is only one.
        sections: What its script printed, first of all its time.
        before: When the script was started here, in seconds since 1970.
        after: When it had ended.
    """
    if not re.fullmatch(r"[0-9]{9,11}", sections["now"].first):
        return []
    now = int(sections["now"].first)
    # It printed a whole second, some time in between.
    away = max(before - 1 - now, now - after, 0.0)
    return [problem("clock", host=host or t("probe.clock-there"), seconds=round(away))] if away > CLOCK_SECONDS else []


def offset(text: str, before: float, after: float) -> float | None:
    """Give how far a clock that said `text` between `before` and `after` is ahead, in seconds."""
    return int(text) + 0.5 - (before + after) / 2 if re.fullmatch(r"[0-9]{9,11}", text) else None


def clocks(offsets: Mapping[str, float]) -> list[Line]:
    """Say which clocks differ from those of most hosts, and whether the one here differs from them.

    Args:
        offsets: By host, the seconds that it is ahead of the clock here.
    """
    if not offsets:
        return []
    usual = statistics.median_low(offsets.values())
    lines = [
        problem("nodes.clock", host=name, seconds=round(abs(value - usual)))
        for name, value in offsets.items()
        if abs(value - usual) > CLOCK_SECONDS
    ]
    if abs(usual) > CLOCK_SECONDS:
        lines.append(note("nodes.clock-here", seconds=round(abs(usual))))
    return lines
