# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The live view keeps what was printed above it, fits the terminal as it is now, and says where the run stands."""

from __future__ import annotations

import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hpcampus.apply import Plan, StepReport
from hpcampus.catalogue import Step
from hpcampus.events import Event, Kind, StepLog
from hpcampus.runner import Outcome, Result
from hpcampus.screens.progress import LiveView, PlainView, duration, moment, tell

ONE = Step("one", "First", "x.y.one", ("all",), "d")
CURSOR_UP = "\x1b[1A"


class NoKeys:
    """Where nobody presses a key, or one that is given."""

    available = True

    def __init__(self) -> None:
        self.waiting = ""

    def start(self) -> None: ...
    def stop(self) -> None: ...

    def pressed(self) -> str:
        pressed, self.waiting = self.waiting, ""
        return pressed


def live(width: int = 80, height: int = 24) -> Any:
    console = Console(force_terminal=True, width=width, height=height, file=StringIO(), color_system=None)
    return LiveView(console, NoKeys())  # type: ignore[arg-type]


def shown(view: Any) -> str:
    text: str = view.console.file.getvalue()
    view.console.file.seek(0)
    view.console.file.truncate()
    return text


def rows(text: str) -> list[str]:
    return [row for row in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\r", "", text).split("\n") if row.strip()]


def report(log: StepLog | None = None) -> StepReport:
    return StepReport(ONE, Result(Outcome.SUCCESSFUL, 62.0, Path("/nowhere")), log or StepLog())


def test_the_next_step_leaves_alone_what_the_last_one_printed(tmp_path: Path) -> None:
    view = live()
    for _ in range(2):
        view.step_started(1, 2, ONE, tmp_path / "stdout")
        assert CURSOR_UP not in shown(view), "the first drawing of a step has nothing of its own above it"
        view.drawn = 0.0
        view.tick()
        assert shown(view).count(CURSOR_UP) == 2, "three lines are drawn again"
        view.step_finished(report())
        assert rows(shown(view))[-1] == "step one: done in 1 min 02 s, 0 changed"


def test_who_works_on_which_task_is_shown(tmp_path: Path) -> None:
    view, log = live(), StepLog()
    view.step_started(3, 9, ONE, tmp_path / "stdout")
    for event in (
        Event(Kind.TASK, role="hub", task="Install it"),
        Event(Kind.STARTED, host="a"), Event(Kind.STARTED, host="b"), Event(Kind.STARTED, host="c"),
        Event(Kind.CHANGED, host="b", role="hub", task="Install it"),
        Event(Kind.FAILED, host="c", role="hub", task="Install it"),
    ):  # fmt: skip
        log.add(event)
        view.event(event, log)
    shown(view)
    view.drawn = 0.0
    view.tick()
    header, numbers, task = rows(shown(view))
    assert header == "step 3/9 one: First"
    assert re.fullmatch(r"  \d+ s  1 changed  1 failed  l: log", numbers)
    assert task == "  hub: Install it  (a)"
    view.close()


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 10), (20, 4), (5, 2), (1, 1)])
def test_it_fits_any_terminal(tmp_path: Path, width: int, height: int) -> None:
    output = tmp_path / "stdout"
    output.write_text("".join(f"line {number} {'x' * 200}\n" for number in range(99)) + "Gr\u00f6\u00dfe \x1b[31mred\n")
    view, log = (
        live(width, height),
        StepLog(role="a_role", task="A task whose name is as long as names of tasks may be"),
    )
    view.log = log
    view.step_started(1, 2, ONE, output)
    shown(view)
    view.log = log
    view.keys.waiting = "l"
    view.tick()
    drawn = rows(shown(view))
    assert len(drawn) <= max(1, height - 1)
    assert all(len(row) < max(width, 2) for row in drawn)
    assert height < 10 or "red" in drawn[-1]
    view.keys.waiting = "l"
    view.tick()
    assert len(rows(shown(view))) <= 3
    view.close()


@pytest.mark.parametrize("view", [live(), PlainView(Console(file=StringIO(), width=200))], ids=["live", "plain"])
def test_the_plan_says_what_is_left_out_and_why(view: Any) -> None:
    plan = Plan(
        (ONE, ONE),
        resumed=("zero",),
        unchanged={"two": "2026-11-26T09:12:03Z", "three": ""},
        interrupted=("one", "2026-11-26T08:00:00Z"),
        ended=2,
    )
    view.plan(plan)
    text = " ".join(rows(shown(view)))
    for wanted in (
        "cut off in the middle of the step one, which began 2026-11-26 08:00 UTC",
        "left behind were ended: 2",
        "done before: zero",
        "left out: two (unchanged since 2026-11-26 09:12 UTC)",
        "left out: three (unchanged since ?)",
        "2 steps: one, one",
    ):
        assert wanted in text


def test_sentences_break_between_words_on_a_terminal_only() -> None:
    sentence = "What to do:   " + "a-word " * 20 + "x" * 99
    terminal, log = (Console(width=40, force_terminal=on, file=StringIO()) for on in (True, False))
    for console in (terminal, log):
        tell(console, sentence, indent=14)
    lines = terminal.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert all(len(line) < 40 for line in lines[:-1])
    assert all(line.startswith(" " * 14 + "a-word") for line in lines[1:-1])
    assert lines[-1].strip() == "x" * 99
    assert log.file.getvalue() == sentence + "\n"  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (185, "3 min 05 s"), (3600, "1 h 00 min"), (7384, "2 h 03 min")],
)
def test_times(seconds: Any, text: Any) -> None:
    assert duration(seconds) == text
    assert moment("2026-11-26T09:12:03Z") == "2026-11-26 09:12 UTC"
