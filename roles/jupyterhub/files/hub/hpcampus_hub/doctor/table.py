# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Findings as text and as JSON."""

import json
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Any

from .finding import Finding, Verdict
from .notebook import LEGS as NOTEBOOK
from .walk import worst

WIDTH = 120
_COLOURS = {Verdict.OK: "32", Verdict.WARNING: "33", Verdict.BROKEN: "1;31", Verdict.NOT_TRIED: "2"}
_WORDS = {Verdict.BROKEN: "BROKEN"}
_VERDICT_WIDTH = 11
_LEG_WIDTH = 13


class Table:
    """Lines for each finding as it comes.

    Args:
        width: columns to keep to; words longer than a line are left whole.
        colour: colour the verdicts.
    """

    def __init__(self, width: int = WIDTH, *, colour: bool = False) -> None:
        self._width = max(width, 60)
        self._colour = colour
        self._section = ""

    def rows(self, finding: Finding) -> list[str]:
        """Lines of one finding, with the heading of its section when that is new."""
        lines = []
        section = section_of(finding)
        if section != self._section:
            lines, self._section = [section], section
        word = f"{_WORDS.get(finding.verdict, finding.verdict.value):<{_VERDICT_WIDTH}}"
        if self._colour:
            word = f"\x1b[{_COLOURS[finding.verdict]}m{word}\x1b[0m"
        indent = " " * (2 + _VERDICT_WIDTH + _LEG_WIDTH)
        seen, *more = self._wrap(finding.seen)
        lines.append(f"  {word}{finding.leg:<{_LEG_WIDTH}}{seen}")
        lines += [indent + line for line in more]
        if finding.cure:
            lines += [indent + line for line in self._wrap(f"Cure: {finding.cure}")]
        return lines

    def _wrap(self, text: str) -> Sequence[str]:
        room = self._width - 2 - _VERDICT_WIDTH - _LEG_WIDTH
        return textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False) or [""]


def section_of(finding: Finding) -> str:
    """Heading over a finding."""
    if finding.cluster:
        return f"cluster {finding.cluster}"
    return "notebook" if finding.leg in NOTEBOOK else "hub"


def summary(findings: Sequence[Finding]) -> str:
    """One sentence on the whole."""
    counts = Counter(finding.verdict for finding in findings)
    told = [f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict]]
    return f"{len(findings)} legs: {', '.join(told)}."


def table(findings: Iterable[Finding]) -> list[str]:
    """The whole table without colours."""
    drawn, kept = Table(), list(findings)
    return [line for finding in kept for line in drawn.rows(finding)] + [summary(kept)]


def as_json(findings: Sequence[Finding]) -> str:
    """Everything on one line: ``verdict``, ``findings``, and ``table`` with the lines for people."""
    data: dict[str, Any] = {
        "verdict": worst(findings).value,
        "findings": [asdict(finding) for finding in findings],
        "table": table(findings),
    }
    return json.dumps(data)
