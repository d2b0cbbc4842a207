# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Progress of a run: live on a terminal, plain lines in a log."""

from __future__ import annotations

import textwrap
import time
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from hpcampus.events import Event, Kind, StepLog
from hpcampus.runner import Outcome
from hpcampus.screens.console import fit, readable
from hpcampus.screens.keys import Keys
from hpcampus.texts import t

if TYPE_CHECKING:
    from hpcampus.apply import Plan, StepReport, View
    from hpcampus.catalogue import Step

FINISHED = {
    Outcome.SUCCESSFUL: ("progress.step-done", "green"),
    Outcome.FAILED: ("progress.step-failed", "bold red"),
    Outcome.STOPPED: ("progress.step-stopped", "yellow"),
}
ENDED = {Kind.OK, Kind.CHANGED, Kind.SKIPPED, Kind.FAILED, Kind.UNREACHABLE}
LOG_KEY = "l"
LOG_LINES = 12
LOG_BYTES = 8192
ROWS_BESIDE_THE_LOG = 5
DRAWINGS_APART_SECONDS = 0.2


def make_view(console: Console, *, plain: bool = False) -> View:
    """Choose the view that fits where the output goes."""
    return PlainView(console) if plain or not console.is_terminal or console.is_dumb_terminal else LiveView(console)


def duration(seconds: float) -> str:
    """Write a time as people do: 42 s, 3 min 05 s, 1 h 02 min."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    return (
        f"{whole // 60} min {whole % 60:02d} s" if whole < 3600 else f"{whole // 3600} h {whole % 3600 // 60:02d} min"
    )


def moment(written: str) -> str:
    """Write the time of a journal as people read it: 2026-11-26 09:12 UTC."""
    return f"{written[:10]} {written[11:16]} UTC" if written else "?"


def say(console: Console, text: str, style: str = "") -> None:
    """Print one line as it is: no markup, no wrapping, no guesses at colours, nothing that moves the cursor."""
    console.print(Text(readable(console, text), style=style), soft_wrap=True, highlight=False)


def tell(console: Console, text: str, style: str = "", *, indent: int = 0) -> None:
    """Print prose: on a terminal lines end between words and go on indented; in a log each stays one line."""
    width = max(20, console.width - 1)
    for line in text.splitlines() or [""]:
        rows = [line]
        if console.is_terminal and len(line) > width:
            further = " " * indent
            rows = textwrap.wrap(line, width, subsequent_indent=further, break_on_hyphens=False, break_long_words=False)
        for row in rows:
            say(console, row, style)


def task_label(role: str, task: str) -> str:
    """Name a task together with its role."""
    return f"{role}: {task}" if role else task


def _announce_plan(console: Console, plan: Plan) -> None:
    if plan.interrupted:
        name, began = plan.interrupted
        say(console, t("progress.interrupted", name=name, began=moment(began)), "yellow")
    if plan.ended:
        say(console, t("progress.ended", count=plan.ended), "yellow")
    if plan.resumed:
        say(console, t("progress.resumed", names=", ".join(plan.resumed)))
    for name, since in plan.unchanged.items():
        say(console, t("progress.unchanged", name=name, since=moment(since)))
    if len(plan.steps) > 1:
        say(console, t("progress.plan", count=len(plan.steps), names=", ".join(step.name for step in plan.steps)))


def _announce_end(console: Console, report: StepReport) -> None:
    key, style = FINISHED[report.result.outcome]
    text = t(key, name=report.step.name, time=duration(report.result.seconds), changed=len(report.log.changes))
    say(console, text, style)


class PlainView:
    """One line for each step, each task and each change."""

    def __init__(self, console: Console) -> None:
        self.console = console
        self.shown = ""

    def plan(self, plan: Plan) -> None:
        """Say which steps will run."""
        _announce_plan(self.console, plan)

    def step_started(self, number: int, total: int, step: Step, output: Path) -> None:  # noqa: ARG002 -- for views that show it
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
    """Three lines that follow the running step, and the end of its log when asked for; finished steps stay above them."""

    def __init__(self, console: Console, keys: Keys | None = None) -> None:
        self.console = console
        self.keys = keys or Keys()
        self.live = self._new_live()
        self.header = ""
        self.began = 0.0
        self.drawn = 0.0
        self.working: list[str] = []
        self.log = StepLog()
        self.output = Path()
        self.log_shown = False

    def _new_live(self) -> Live:
        return Live(console=self.console, auto_refresh=False, transient=True, vertical_overflow="crop")

    def plan(self, plan: Plan) -> None:
        """Say which steps will run."""
        _announce_plan(self.console, plan)

    def step_started(self, number: int, total: int, step: Step, output: Path) -> None:
        """Begin to follow a step."""
        self.header = t("progress.step", number=number, total=total, name=step.name, title=step.title)
        self.began, self.working, self.log, self.output = time.monotonic(), [], StepLog(), output
        self.keys.start()
        # One that was used before would take the lines above it for its own.
        self.live = self._new_live()
        self.live.start()
        self._draw()

    def event(self, event: Event, log: StepLog) -> None:
        """Remember what to draw; failures stay on the screen."""
        self.log = log
        if event.kind is Kind.TASK:
            self.working = []
        elif event.kind is Kind.STARTED:
            self.working.append(event.host)
        elif event.kind in ENDED and event.host in self.working:
            self.working.remove(event.host)
        if event.kind in {Kind.FAILED, Kind.UNREACHABLE} and not event.ignored:
            say(self.console, f"  {event.host}: {task_label(event.role, event.task)}", "red")

    def tick(self) -> None:
        """Draw at most five times a second; hear the key that shows the log, and hides it."""
        if not self.live.is_started:
            return
        if self.keys.pressed().count(LOG_KEY) % 2:
            self.log_shown = not self.log_shown
            self.drawn = 0.0
        if time.monotonic() - self.drawn > DRAWINGS_APART_SECONDS:
            self._draw()

    def _draw(self) -> None:
        self.drawn = time.monotonic()
        # The last column stays free, so that no terminal goes on in the next line.
        width, height = self.console.width - 1, self.console.height
        parts = [duration(self.drawn - self.began), t("progress.live-changed", count=len(self.log.changes))]
        if self.log.failures:
            parts.append(t("progress.live-failed", count=len(self.log.failures)))
        if self.keys.available:
            parts.append(t("progress.hide-log" if self.log_shown else "progress.show-log", key=LOG_KEY))
        hosts = f"  ({', '.join(self.working)})" if self.working else ""
        rows = [(self.header, "bold"), ("  " + "  ".join(parts), "dim")]
        rows.append((f"  {task_label(self.log.role, self.log.task)}{hosts}", "dim"))
        if self.log_shown:
            rows += [(f"  | {line}", "dim") for line in self._end_of_log(min(LOG_LINES, height - ROWS_BESIDE_THE_LOG))]
        drawn = [Text(fit(readable(self.console, row), width), style=style, no_wrap=True) for row, style in rows]
        self.live.update(Group(*drawn[: max(1, height - 1)]), refresh=True)

    def _end_of_log(self, count: int) -> list[str]:
        try:
            with self.output.open("rb") as file:
                file.seek(max(0, self.output.stat().st_size - LOG_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return []
        lines = [line.rstrip() for line in lines if line.strip()]
        return lines[-count:] if count > 0 else []

    def step_finished(self, report: StepReport) -> None:
        """Replace the lines by one that stays."""
        self.close()
        _announce_end(self.console, report)

    def close(self) -> None:
        """Give the terminal back, whatever happened."""
        self.live.stop()
        self.keys.stop()
