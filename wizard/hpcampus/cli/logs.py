# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command logs: which runs there were, and what Ansible printed in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hpcampus.cli.common import console_here, inventory_option, json_option
from hpcampus.cli.completion import step_names
from hpcampus.errors import UsageProblemError
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hpcampus.runs import Run


@click.command("logs", help=t("help.logs"))
@click.argument("step", required=False, shell_complete=step_names)
@inventory_option
@click.option("--last", is_flag=True, help=t("help.logs.last"))
@click.option("--follow", "-f", is_flag=True, help=t("help.logs.follow"))
@json_option
def logs_command(step: str | None, inventory: Path, *, last: bool, follow: bool, as_json: bool) -> None:
    """List runs, or print one."""
    import json

    from hpcampus.places import site_at
    from hpcampus.runs import list_runs
    from hpcampus.screens.logs import follow_runs, print_run
    from hpcampus.screens.progress import say
    from hpcampus.screens.summary import print_runs

    site = site_at(inventory)
    console = console_here()
    state = site.state
    if follow:
        follow_runs(console, state, step)
        return
    runs = chosen(list_runs(state.path, locked=state.is_locked()), step)
    if as_json:
        click.echo(json.dumps({"runs": [run.as_data() for run in (runs[-1:] if last else runs)]}, indent=2))
    elif not runs:
        say(console, t("logs.none"))
    elif step or last:
        print_run(console, runs[-1])
    else:
        print_runs(console, runs)


def chosen(runs: Sequence[Run], step: str | None) -> Sequence[Run]:
    """Give the runs of a step; all when none is named.

    Raises:
        UsageProblemError: It never ran.
    """
    if step is None:
        return runs
    found = [run for run in runs if run.step == step]
    if not found:
        names = ", ".join(dict.fromkeys(run.step for run in runs)) or "-"
        raise UsageProblemError("no-log-of-step", name=step, names=names)
    return found
