# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What commands share: options, and how a run is prepared and reported."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpcampus.errors import InterruptedRunError, StepFailedError
from hpcampus.texts import t

if TYPE_CHECKING:
    from hpcampus.apply import Installer, Options, StepReport
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
    help=t("help.inventory"),
)
vault_option = click.option("--vault-password-file", type=click.Path(path_type=Path), help=t("help.vault-file"))
become_option = click.option("--ask-become-pass", "-K", is_flag=True, help=t("help.ask-become"))
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


def run_options(site: Site, vault_password_file: Path | None, *, become: bool = False, **choices: Any) -> Options:
    """Give the options of a run, after a look whether the inventory can be read; asks for the password of sudo if wanted."""
    from hpcampus.apply import Options
    from hpcampus.inventory_files import check_readable
    from hpcampus.vault import find_key

    key = find_key(site, vault_password_file)
    check_readable(site, key)
    password = click.prompt("BECOME password", hide_input=True) if become else None
    return Options(vault_password_file=key, become_password=password, **choices)


def show_proof(console: Console, installer: Installer, options: Options, retry: str) -> None:
    """Prove the platform and print the result; `retry` is the command that does it again."""
    from hpcampus.errors import VerifyFailedError
    from hpcampus.runner import Outcome
    from hpcampus.screens.progress import say
    from hpcampus.screens.summary import print_failures
    from hpcampus.verify import result_lines, run_verify

    report = run_verify(installer, options)
    if report.result.outcome is Outcome.STOPPED:
        raise InterruptedRunError("stopped")
    if report.result.outcome is Outcome.FAILED:
        print_failures(console, report, retry)
        raise VerifyFailedError("verify-failed")
    for line in result_lines(report):
        say(console, f"  {line}")
    say(console, t("verify.ok"), "bold green")


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


def raise_unless_successful(console: Console, last: StepReport, retry: str) -> None:
    """Print the failures of a step and end with its exit code, unless it went well."""
    from hpcampus.runner import Outcome
    from hpcampus.screens.summary import print_failures

    if last.result.outcome is Outcome.STOPPED:
        raise InterruptedRunError("stopped")
    if last.result.outcome is Outcome.FAILED:
        print_failures(console, last, retry)
        raise StepFailedError("step-failed", name=last.step.name)


def options_again(inventory: Path, vault_password_file: Path | None = None, *, become: bool = False) -> str:
    """Give the options that the next command needs to reach the same site, each with a space before it."""
    named = None if str(inventory) == DEFAULT_INVENTORY else inventory
    vault = flag("--vault-password-file", vault_password_file)
    return flag("--inventory", named) + vault + (" --ask-become-pass" if become else "")


def flag(name: str, value: object) -> str:
    """Give an option with its value as a shell takes it, a space before it; nothing for None."""
    return "" if value is None else f" {name} {shlex.quote(str(value))}"
