# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The menu of the steps: how they stand, and what to do next. Fits a terminal of 80 columns and 24 lines."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hpcampus.apply import Installer
from hpcampus.errors import ExitCode, HpcampusError, InterruptedRunError
from hpcampus.inventory_files import check_readable
from hpcampus.overview import look_at_steps
from hpcampus.screens.choose import choose
from hpcampus.screens.failure import FailureMenu
from hpcampus.screens.progress import make_view, say
from hpcampus.screens.summary import STATE_STYLES, conclude, print_error, print_proof, state_text
from hpcampus.texts import t
from hpcampus.vault import KeyKind, Phrase
from hpcampus.verify import run_verify

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hpcampus.overview import Standing
    from hpcampus.session import Session

ALL, CHANGED, FROM, ONE, CHECK, PROVE, QUIT = "all", "changed", "from", "one", "check", "prove", "quit"
BACK = ""


def run_menu(console: Console, session: Session) -> ExitCode:
    """Show the steps and do what a person chooses, until that is to leave. Every run takes the lock of the inventory.

    Returns:
        How the last thing that was done ended; OK when nothing was. Ctrl-C in the menu leaves it.

    Raises:
        CollectionError: The catalogue of steps cannot be read.
        InventoryError: The list of hosts cannot be read.
    """
    code = ExitCode.OK
    while True:
        standings = look_at_steps(session.site, session.collection)
        _print_standings(console, standings)
        try:
            chosen = _ask(console, standings, plain=session.plain)
        except KeyboardInterrupt:
            return code
        if chosen == (QUIT, BACK):
            return code
        try:
            _do(console, session, *chosen)
            code = ExitCode.OK
        except HpcampusError as error:
            print_error(console, error)
            code = error.exit_code
        except KeyboardInterrupt:
            code = ExitCode.INTERRUPTED
            print_error(console, InterruptedRunError("stopped"))
        say(console, "")


def _print_standings(console: Console, standings: Sequence[Standing]) -> None:
    width = max(len(one.step.name) for one in standings)
    for one in standings:
        row = t("summary.steps-row", number=one.number, name=one.step.name, width=width, state=state_text(one))
        say(console, row, STATE_STYLES.get(one.state, ""))


def _ask(console: Console, standings: Sequence[Standing], *, plain: bool) -> tuple[str, str]:
    """Give what to do, and the step to do it with if it needs one."""
    titles = [(name, t(f"menu.{name}")) for name in (ALL, CHANGED, FROM, ONE, CHECK, PROVE, QUIT)]
    while True:
        chosen = choose(console, t("menu.question"), titles, plain=plain)
        if chosen not in {FROM, ONE}:
            return chosen, BACK
        names = [(one.step.name, t("menu.step", name=one.step.name, title=one.step.title)) for one in standings]
        step = choose(console, t(f"menu.{chosen}"), [*names, (BACK, t("menu.back"))], plain=plain)
        if step != BACK:
            return chosen, step


def _do(console: Console, session: Session, what: str, step: str) -> None:
    options = replace(
        session.options,
        only=(step,) if what == ONE else (),
        start=step if what == FROM else None,
        changed=what == CHANGED,
        check=what == CHECK,
    )
    view = make_view(console, plain=session.plain)
    advice = FailureMenu(console, plain=session.plain)
    installer = Installer(session.site, session.collection, view, advice=advice)
    with session.site.state.lock():
        # The files may have been edited since the menu was opened.
        typed = options.vault_password
        check_readable(session.site, options.vault_password_file if typed is None else Phrase(typed, KeyKind.ASK))
        if what == PROVE:
            print_proof(console, run_verify(installer, options), t("summary.retry-verify", options=session.again))
        else:
            conclude(console, installer.apply(options), options, session.again, told=True)
