# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What commands share: options, and how a run is prepared and reported."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpcampus.cli.completion import inventories
from hpcampus.errors import InterruptedRunError
from hpcampus.texts import t

if TYPE_CHECKING:
    from hpcampus.apply import Installer, Options
    from hpcampus.places import Site
    from hpcampus.screens.console import Console

DEFAULT_INVENTORY = "inventory"

inventory_option = click.option(
    "--inventory",
    "-i",
    type=click.Path(path_type=Path),
    default=DEFAULT_INVENTORY,
    envvar="HPCAMPUS_INVENTORY",
    show_default=True,
    shell_complete=inventories,
    help=t("help.inventory"),
)
vault_option = click.option("--vault-password-file", type=click.Path(path_type=Path), help=t("help.vault-file"))
become_option = click.option("--ask-become-pass", "-K", is_flag=True, help=t("help.ask-become"))
json_option = click.option("--json", "as_json", is_flag=True, help=t("help.json"))
plain_option = click.option("--plain", is_flag=True, help=t("help.plain"))


def console_here() -> Console:
    """Make the console for what is asked for."""
    from hpcampus.screens.console import make_console

    return make_console()


def make_installer(site: Site, console: Console, *, plain: bool) -> Installer:
    """Make what runs steps, with the view that fits the console."""
    from hpcampus.apply import Installer
    from hpcampus.places import find_collection
    from hpcampus.screens.progress import make_view

    return Installer(site, find_collection(), make_view(console, plain=plain))


def has_person() -> bool:
    """Tell whether somebody can be asked: input and output are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()


def run_options(site: Site, vault_password_file: Path | None, *, become: bool = False, **choices: Any) -> Options:
    """Give the options of a run, after a look whether the inventory can be read; asks for the password of sudo if wanted."""
    from hpcampus import vault
    from hpcampus.apply import Options
    from hpcampus.inventory_files import check_readable

    key = vault.find_key(site, vault_password_file)
    check_readable(site, key)
    password = click.prompt("BECOME password", hide_input=True) if become else None
    return Options(**vault.run_options(key), become_password=password, **choices)


def show_proof(console: Console, installer: Installer, options: Options, retry: str, *, as_json: bool = False) -> None:
    """Prove the platform and print the result; `retry` is the command that does it again."""
    import json

    from hpcampus.errors import HpcampusError
    from hpcampus.reports import verify_data
    from hpcampus.screens.summary import print_proof
    from hpcampus.verify import result_lines, run_verify

    report = run_verify(installer, options)
    try:
        print_proof(console, report, retry)
    except HpcampusError:
        if as_json:
            click.echo(json.dumps(verify_data(report, (), works=False), indent=2))
        raise
    if as_json:
        click.echo(json.dumps(verify_data(report, result_lines(report), works=True), indent=2))


def show_findings(console: Console, installer: Installer, options: Options, retry: str, *, as_json: bool) -> None:
    """Examine the platform and print what was found; `retry` is the command that does it again."""
    import json

    from hpcampus.doctor import read_findings, run_doctor
    from hpcampus.errors import VerifyFailedError
    from hpcampus.runner import Outcome
    from hpcampus.screens.summary import print_failures, print_findings

    report = run_doctor(installer, options)
    if report.result.outcome is Outcome.STOPPED:
        raise InterruptedRunError("stopped")
    found = read_findings(report)
    if found is None:
        print_failures(console, report, retry)
        raise VerifyFailedError("doctor-failed")
    if as_json:
        click.echo(json.dumps({key: found[key] for key in ("verdict", "findings")}, indent=2))
    else:
        print_findings(console, found["table"])
    if found["verdict"] == "broken":
        raise VerifyFailedError("doctor-broken")


def options_again(inventory: Path, vault_password_file: Path | None = None, *, become: bool = False) -> str:
    """Give the options that the next command needs to reach the same site, each with a space before it."""
    named = None if str(inventory) == DEFAULT_INVENTORY else inventory
    vault = flag("--vault-password-file", vault_password_file)
    return flag("--inventory", named) + vault + (" --ask-become-pass" if become else "")


def flag(name: str, value: object) -> str:
    """Give an option with its value as a shell takes it, a space before it; nothing for None."""
    return "" if value is None else f" {name} {shlex.quote(str(value))}"
