# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Plays rounds of cases, looks for what they left over, and writes the table."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.e2e.conftest import COMPUTE
from tests.e2e.left_over import left_over
from tests.failures.stage import PEOPLE, Case, Meetings, Outcome, Placement, Stage

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from tests.e2e.conftest import Platform

_PLAY_SECONDS = 400
_TIDY_SECONDS = 150


async def tidy(platform: Platform) -> list[str]:
    """Wait for what needs its time, and give what is left after that."""
    deadline = time.monotonic() + _TIDY_SECONDS
    while True:
        try:
            found = await asyncio.to_thread(left_over, platform)
        except AssertionError as error:
            found = [str(error)]
        if not found or time.monotonic() > deadline:
            return found
        await asyncio.sleep(2)


async def play_round(platform: Platform, cases: Sequence[Case]) -> list[Outcome]:
    """Play cases at the same time, each with people of its own."""
    placement, meetings = Placement(platform), Meetings([case.name for case in cases])
    outcomes = [Outcome(case) for case in cases]
    people = iter(PEOPLE)

    async def play(outcome: Outcome) -> None:
        stage = Stage(platform, [next(people) for _ in range(outcome.case.people)], outcome, placement, meetings)
        try:
            async with asyncio.timeout(_PLAY_SECONDS):
                await outcome.case.play(stage)
        except BaseException as error:  # noqa: BLE001 (the test of this case raises it)
            outcome.error = error
        finally:
            await meetings.leave(outcome.case.name)

    try:
        await asyncio.gather(*map(play, outcomes))
    finally:
        await placement.offer(*COMPUTE)
    left = await tidy(platform)
    for outcome in outcomes:
        outcome.left = left
    return outcomes


class Rounds:
    """Plays a round when the first of its cases is asked for.

    Args:
        platform: The platform.
        cases: The cases of this run.
    """

    def __init__(self, platform: Platform, cases: Iterable[Case]) -> None:
        self._platform = platform
        self._cases = list(cases)
        self.outcomes: dict[str, Outcome] = {}
        self._seconds: dict[str, float] = {}

    def outcome(self, case: Case) -> Outcome:
        """Give what came of a case."""
        if case.name not in self.outcomes:
            began = time.monotonic()
            mates = [mate for mate in self._cases if mate.round == case.round]
            for outcome in asyncio.run(play_round(self._platform, mates)):
                self.outcomes[outcome.case.name] = outcome
            self._seconds[case.round] = time.monotonic() - began
        return self.outcomes[case.name]

    def write(self, path: Path) -> None:
        """Write the table of what has been played."""
        path.parent.mkdir(parents=True, exist_ok=True)
        took = ", ".join(f"{name} {seconds:.0f} s" for name, seconds in self._seconds.items())
        path.write_text(
            f"{table(self.outcomes.values())}\nRounds, with logins, starts and stops: {took}.\n", encoding="utf-8"
        )


def table(outcomes: Iterable[Outcome]) -> str:
    """Return the table as Markdown."""
    lines = [
        "# What breaks, and what comes of it",
        "",
        "Seconds count from the failure, or from its end where it lasts; the limit of each case is in brackets.",
        "",
        "| Case | How it is broken | Seen by the student | Recovered in s | Left over |",
        "|---|---|---|---|---|",
    ]
    for outcome in outcomes:
        seconds = "-" if outcome.seconds is None else f"{outcome.seconds:.1f}"
        seen = "<br>".join(outcome.seen) or "-"
        left = "<br>".join(outcome.left) or "nothing"
        failed = f"<br>**failed: {str(outcome.error) or type(outcome.error).__name__}**" if outcome.error else ""
        cells = (outcome.case.name, outcome.case.broken, seen + failed, f"{seconds} ({outcome.case.within:g})", left)
        lines.append("| " + " | ".join(" ".join(cell.replace("|", "\\|").split()) for cell in cells) + " |")
    return "\n".join(lines) + "\n"
