# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command setup."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpcampus.cli.common import console_here, inventory_option, options_again, plain_option, vault_option
from hpcampus.errors import InterruptedRunError, NoTerminalError
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence


@click.command("setup", help=t("help.setup"))
@inventory_option
@click.option("--answers", "answers_file", type=click.Path(path_type=Path), help=t("help.setup.answers"))
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help=t("help.setup.set"))
@click.option("--non-interactive", is_flag=True, help=t("help.setup.non-interactive"))
@click.option("--dry-run", is_flag=True, help=t("help.setup.dry-run"))
@click.option("--record", type=click.Path(path_type=Path), help=t("help.setup.record"))
@click.option("--admin-password-file", type=click.Path(path_type=Path), help=t("help.setup.password-file"))
@click.option("--accept-new-host-keys", "accept_new", is_flag=True, help=t("help.setup.accept-new"))
@click.option("--accept-changed-host-keys", "accept_changed", is_flag=True, help=t("help.setup.accept-changed"))
@click.option("--skip-host-keys", is_flag=True, help=t("help.setup.skip-host-keys"))
@vault_option
@plain_option
def setup_command(
    inventory: Path,
    answers_file: Path | None,
    assignments: Sequence[str],
    record: Path | None,
    admin_password_file: Path | None,
    vault_password_file: Path | None,
    **flags: bool,
) -> None:
    """Ask, and write an inventory."""
    from hpcampus.places import find_collection, site_at
    from hpcampus.screens.progress import say
    from hpcampus.screens.setup import make_asker, print_outcome
    from hpcampus.setup import Request, Setup
    from hpcampus.setup.inputs import read_answers, read_assignments, read_password, write_answers

    interactive, plain = not flags.pop("non_interactive"), flags.pop("plain")
    if interactive and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminalError("no-terminal")
    site, console = site_at(inventory), console_here()
    request = Request(
        given=read_assignments(assignments),
        from_file=read_answers(answers_file) if answers_file else {},
        password=read_password(admin_password_file) if admin_password_file else None,
        vault_password_file=vault_password_file,
        **flags,
    )
    asker = make_asker(console, plain=plain) if interactive else None
    if interactive:
        say(console, t("setup.intro", path=site.inventory))
        say(console, t("setup.intro-plain" if plain else "setup.intro-keys"))
    with site.state.lock():
        setup = Setup(site, find_collection(), request, asker, lambda key, values: say(console, t(key, **values)))
        try:
            outcome = setup.run()
        except KeyboardInterrupt:
            raise InterruptedRunError("setup-stopped") from None
    if record is not None and outcome.answers:
        write_answers(record, outcome.answers)
    print_outcome(console, outcome, options_again(inventory, vault_password_file), record)
