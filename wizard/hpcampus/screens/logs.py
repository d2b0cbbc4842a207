# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What Ansible printed: all of it, or as it comes."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from hpcampus.runs import Ending, list_runs
from hpcampus.screens.progress import say
from hpcampus.texts import t

if TYPE_CHECKING:
    from rich.console import Console

    from hpcampus.runs import Run
    from hpcampus.state import State

LOOKS_APART_SECONDS = 0.3


def print_run(console: Console, run: Run) -> None:
    """Print one run with its title."""
    _print_title(console, run)
    _print_from(console, run, 0, whole=True)


def follow_runs(console: Console, state: State, step: str | None = None) -> None:
    """Print what the newest run prints, and the runs after it, as long as somebody works on the inventory.

    Args:
        console: Where to.
        state: State of the inventory.
        step: The one step to follow; all when None.
    """
    shown, place = None, 0
    while True:
        # Looked at before the runs are read, so that nothing is missed that came before the end.
        busy = state.is_locked()
        runs = [run for run in list_runs(state.path, locked=busy) if step in {None, run.step}]
        news = [run for run in runs if shown is None or run.log >= shown.log] if shown else runs[-1:]
        for run in news:
            if shown is None or run.log != shown.log:
                _print_title(console, run)
                place = 0
            shown = run
            place = _print_from(console, run, place, whole=run.ending is not Ending.RUNNING)
        if not busy:
            if shown is None:
                say(console, t("logs.none"))
            return
        time.sleep(LOOKS_APART_SECONDS)


def _print_title(console: Console, run: Run) -> None:
    when, outcome = f"{run.started:%Y-%m-%d %H:%M:%S} UTC", t(f"logs.ending.{run.ending}")
    say(console, t("logs.title", when=when, step=run.step, outcome=outcome, path=run.log), "bold")


def _print_from(console: Console, run: Run, place: int, *, whole: bool) -> int:
    """Print the lines after a place in bytes; a line without its end only when the run is `whole`. Gives the new place."""
    try:
        with run.log.open("rb") as file:
            file.seek(place)
            data = file.read()
    except OSError:
        return place
    if not whole:
        data = data[: data.rfind(b"\n") + 1]
    for line in data.decode(errors="replace").splitlines():
        say(console, line.rstrip())
    return place + len(data)
