# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a person sees of a failed step, and what to do about it: again, without it, by hand, the log, or the end."""

from __future__ import annotations

import os
import shlex
import shutil
import signal
import subprocess
from typing import TYPE_CHECKING

from hpcampus.apply import VALIDATE, Decision
from hpcampus.runner import ByHand, by_hand
from hpcampus.screens.choose import agree, choose
from hpcampus.screens.progress import say, tell
from hpcampus.screens.summary import print_failures
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from hpcampus.apply import StepReport
    from hpcampus.catalogue import Step
    from hpcampus.runner import Request

SHELL, LOG = "shell", "log"


class FailureMenu:
    """Shows a failure and asks until a person has decided; stands where `apply.Advice` is wanted."""

    def __init__(self, console: Console, *, plain: bool = False) -> None:
        self.console = console
        self.plain = plain

    def __call__(self, report: StepReport, request: Request, needing: Sequence[Step]) -> Decision:
        """Give what to do about the step.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        print_failures(self.console, report)
        choices = [(Decision.RETRY.value, t("failure.retry", name=report.step.name))]
        if report.step is not VALIDATE:
            choices.append((Decision.SKIP.value, t("failure.skip")))
        choices += [(name, t(f"failure.{name}")) for name in (SHELL, LOG, Decision.QUIT.value)]
        while True:
            chosen = choose(self.console, t("failure.question"), choices, plain=self.plain)
            if chosen == SHELL:
                open_shell(self.console, by_hand(request))
            elif chosen == LOG:
                show_log(self.console, report.result.log)
            elif chosen != Decision.SKIP.value or self._may_skip(report.step, needing):
                return Decision(chosen)

    def _may_skip(self, step: Step, needing: Sequence[Step]) -> bool:
        names = ", ".join(other.name for other in needing)
        key = "failure.consequence" if needing else "failure.no-consequence"
        tell(self.console, t(key, name=step.name, names=names), "yellow")
        return agree(self.console, t("failure.agree", name=step.name), plain=self.plain)


def open_shell(console: Console, hand: ByHand) -> None:
    """Open a shell in which the step is run by hand, and wait for its end."""
    for key in ("failure.shell-where", "failure.shell-how", "failure.shell-leave"):
        say(console, t(key, directory=hand.directory, command=hand.command))
    _run([os.environ.get("SHELL") or "/bin/sh"], hand.directory, hand.environment)


def show_log(console: Console, log: Path) -> None:
    """Show what Ansible printed, in the person's pager if there is one."""
    pager = shlex.split(os.environ.get("PAGER", "")) or (["less", "+G"] if shutil.which("less") else [])
    if log.is_file() and pager and shutil.which(pager[0]):
        _run([*pager, str(log)], log.parent, {})
        return
    try:
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    for line in lines or [t("logs.none")]:
        say(console, line)


def _run(argv: Sequence[str], directory: Path, environment: Mapping[str, str]) -> None:
    # Ctrl-C is for the program in front; a handler, unlike the order to ignore, is not handed on to it.
    before = signal.signal(signal.SIGINT, lambda _number, _frame: None)
    try:
        subprocess.run(argv, cwd=directory, env={**os.environ, **environment}, check=False)
    finally:
        signal.signal(signal.SIGINT, before)
