# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command setup."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpcampus.cli.common import (
    become_option,
    console_here,
    has_person,
    inventory_option,
    options_again,
    plain_option,
    run_options,
    vault_option,
)
from hpcampus.errors import ExitCode, InterruptedRunError, NoTerminalError
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpcampus.places import Site
    from hpcampus.screens.console import Console


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
@click.option("--vault", "vault_kind", type=click.Choice(["file", "keyring", "ask"]), help=t("help.setup.vault"))
@vault_option
@become_option
@plain_option
def setup_command(
    inventory: Path,
    answers_file: Path | None,
    assignments: Sequence[str],
    record: Path | None,
    admin_password_file: Path | None,
    vault_password_file: Path | None,
    vault_kind: str | None,
    **flags: bool,
) -> None:
    """Ask, and write an inventory."""
    from hpcampus.places import existing_site, find_collection, site_at
    from hpcampus.screens.progress import say, tell
    from hpcampus.screens.setup import make_asker, print_addresses, print_outcome
    from hpcampus.setup import Request, Setup
    from hpcampus.setup.inputs import read_answers, read_assignments, read_password, write_answers
    from hpcampus.vault import KeyKind

    interactive, plain, become = not flags.pop("non_interactive"), flags.pop("plain"), flags.pop("ask_become_pass")
    if interactive and not has_person():
        raise NoTerminalError("no-terminal")
    site, console = site_at(inventory), console_here()
    request = Request(
        given=read_assignments(assignments),
        from_file=read_answers(answers_file) if answers_file else {},
        password=read_password(admin_password_file) if admin_password_file else None,
        vault_password_file=vault_password_file,
        vault=KeyKind(vault_kind) if vault_kind else None,
        **flags,
    )
    asker = make_asker(console, plain=plain) if interactive else None
    if interactive:
        tell(console, t("setup.intro", path=site.inventory))
        tell(console, t("setup.intro-plain" if plain else "setup.intro-keys"))
    with site.state.lock():
        setup = Setup(site, find_collection(), request, asker, lambda key, values: say(console, t(key, **values)))
        try:
            outcome = setup.run()
        except KeyboardInterrupt:
            raise InterruptedRunError("setup-stopped") from None
    if record is not None and outcome.answers:
        write_answers(record, outcome.answers)
    again = options_again(inventory, vault_password_file, become=become)
    print_outcome(console, outcome, again, record)
    if asker is not None and outcome.written:
        _go_on(console, existing_site(inventory), vault_password_file, again, plain=plain, become=become)
        if site.state.load().finished:
            print_addresses(console, outcome, again)


def _go_on(
    console: Console, site: Site, vault_password_file: Path | None, again: str, *, plain: bool, become: bool
) -> None:
    """Show the menu of the steps, and end with the exit code of what was done last."""
    from hpcampus.places import find_collection
    from hpcampus.screens.steps_menu import run_menu
    from hpcampus.session import Session

    options = run_options(site, vault_password_file, become=become)
    code = run_menu(console, Session(site, find_collection(), options, again, plain=plain))
    if code is not ExitCode.OK:
        raise SystemExit(code)
