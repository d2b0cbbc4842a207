# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Progress of a run: live on a terminal, plain lines in a log."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from hpcampus.events import Event, Kind, StepLog
from hpcampus.runner import Outcome
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpcampus.apply import StepReport, View
    from hpcampus.catalogue import Step

FINISHED = {
    Outcome.SUCCESSFUL: ("progress.step-done", "green"),
    Outcome.FAILED: ("progress.step-failed", "bold red"),
    Outcome.STOPPED: ("progress.step-stopped", "yellow"),
}


def make_view(console: Console, *, plain: bool = False) -> View:
    """Choose the view that fits where the output goes."""
    return PlainView(console) if plain or not console.is_terminal or console.is_dumb_terminal else LiveView(console)


def duration(seconds: float) -> str:
    """Write a time as people do: 42 s, 3 min 05 s."""
    whole = round(seconds)
    return f"{whole} s" if whole < 60 else f"{whole // 60} min {whole % 60:02d} s"


def say(console: Console, text: str, style: str = "") -> None:
    """Print one line as it is: no markup, no wrapping, no guesses at colours."""
    console.print(Text(text, style=style), soft_wrap=True, highlight=False)


def task_label(role: str, task: str) -> str:
    """Name a task together with its role."""
    return f"{role}: {task}" if role else task


def _announce_plan(console: Console, steps: Sequence[Step], skipped: Sequence[str]) -> None:
    if skipped:
        say(console, t("progress.resumed", names=", ".join(skipped)))
    if len(steps) > 1:
        say(console, t("progress.plan", count=len(steps), names=", ".join(step.name for step in steps)))


def _announce_end(console: Console, report: StepReport) -> None:
    key, style = FINISHED[report.result.outcome]
    text = t(key, name=report.step.name, time=duration(report.result.seconds), changed=len(report.log.changes))
    say(console, text, style)


class PlainView:
    """One line for each step, each task and each change."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.shown = ""

    def plan(self, steps: Sequence[Step], skipped: Sequence[str]) -> None:
        """Say which steps will run."""
        _announce_plan(self.console, steps, skipped)

    def step_started(self, number: int, total: int, step: Step) -> None:
        """Say that a step begins."""
        self.shown = ""
        say(self.console, t("progress.step", number=number, total=total, name=step.name, title=step.title))

    def event(self, event: Event, log: StepLog) -> None:
        """Print task names, changes and failures."""
        label = task_label(log.role, log.task)
        if event.kind is Kind.TASK and label != self.shown:
            self.shown = label
            say(self.console, t("progress.task", role="", task=label))
        elif event.kind is Kind.CHANGED:
            say(self.console, t("progress.changed", host=event.host))
        elif event.kind is Kind.FAILED and not event.ignored:
            say(self.console, t("progress.failed", host=event.host))
        elif event.kind is Kind.UNREACHABLE:
            say(self.console, t("progress.unreachable", host=event.host))

    def tick(self) -> None:
        """Do nothing: a log has no animation."""

    def step_finished(self, report: StepReport) -> None:
        """Say how the step ended."""
        _announce_end(self.console, report)

    def close(self) -> None:
        """Do nothing: there is nothing to restore."""


class LiveView:
    """Two lines that follow the running step; finished steps stay above them."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.live = Live(console=console, auto_refresh=False, transient=True)
        self.header = ""
        self.began = 0.0
        self.drawn = 0.0
        self.host = ""
        self.log = StepLog()

    def plan(self, steps: Sequence[Step], skipped: Sequence[str]) -> None:
        """Say which steps will run."""
        _announce_plan(self.console, steps, skipped)

    def step_started(self, number: int, total: int, step: Step) -> None:
        """Begin to follow a step."""
        self.header = t("progress.step", number=number, total=total, name=step.name, title=step.title)
        self.began, self.host, self.log = time.monotonic(), "", StepLog()
        self.live.start()
        self._draw()

    def event(self, event: Event, log: StepLog) -> None:
        """Remember what to draw; failures stay on the screen."""
        self.log = log
        self.host = event.host or ("" if event.kind is Kind.TASK else self.host)
        if event.kind in {Kind.FAILED, Kind.UNREACHABLE} and not event.ignored:
            self.console.print(Text(f"  {event.host}: {task_label(event.role, event.task)}", style="red"))

    def tick(self) -> None:
        """Draw at most five times a second."""
        if self.live.is_started and time.monotonic() - self.drawn > 0.2:
            self._draw()

    def _draw(self) -> None:
        self.drawn = time.monotonic()
        head = Text(self.header, style="bold", no_wrap=True, overflow="ellipsis")
        elapsed = duration(self.drawn - self.began)
        changed = t("progress.live-changed", count=len(self.log.changes))
        now = f"  {elapsed}  {changed}  {task_label(self.log.role, self.log.task)}"
        line = Text(f"{now}  ({self.host})" if self.host else now, no_wrap=True, overflow="ellipsis", style="dim")
        self.live.update(Group(head, line), refresh=True)

    def step_finished(self, report: StepReport) -> None:
        """Replace the two lines by one that stays."""
        self.live.stop()
        _announce_end(self.console, report)

    def close(self) -> None:
        """Give the terminal back, whatever happened."""
        self.live.stop()
