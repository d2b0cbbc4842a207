# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands that run playbooks: apply, verify, doctor; and the list of steps with its menu."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hpcampus.cli.common import (
    become_option,
    has_person,
    inventory_option,
    json_option,
    make_installer,
    options_again,
    plain_option,
    run_options,
    show_findings,
    show_proof,
    vault_option,
)
from hpcampus.cli.completion import step_names
from hpcampus.errors import NoTerminalError, UsageProblemError
from hpcampus.texts import t

if TYPE_CHECKING:
    from pathlib import Path


@click.command("apply", help=t("help.apply"))
@inventory_option
@click.option("--step", "only", metavar="NAME", multiple=True, shell_complete=step_names, help=t("help.apply.step"))
@click.option("--from", "start", metavar="NAME", shell_complete=step_names, help=t("help.apply.from"))
@click.option("--changed", is_flag=True, help=t("help.apply.changed"))
@click.option("--check", is_flag=True, help=t("help.apply.check"))
@json_option
@vault_option
@become_option
@plain_option
def apply_command(
    inventory: Path, only: tuple[str, ...], start: str | None, vault_password_file: Path | None, **flags: bool
) -> None:
    """Run the steps."""
    import json

    from hpcampus.places import existing_site
    from hpcampus.reports import apply_data
    from hpcampus.screens.console import make_console
    from hpcampus.screens.failure import FailureMenu
    from hpcampus.screens.summary import conclude

    site = existing_site(inventory)
    as_json, become = flags["as_json"], flags["ask_become_pass"]
    console = make_console(stderr=as_json)
    if only and start:
        raise UsageProblemError("step-and-from")
    with site.state.lock():
        installer = make_installer(site, console, plain=flags["plain"])
        told = has_person() and not as_json
        if told:
            installer.advice = FailureMenu(console, plain=flags["plain"])
        choices = {"only": only, "start": start, "check": flags["check"], "changed": flags["changed"]}
        options = run_options(site, vault_password_file, become=become, **choices)
        report = installer.apply(options)
    if as_json:
        click.echo(json.dumps(apply_data(report, check=options.check), indent=2))
    conclude(console, report, options, options_again(inventory, vault_password_file, become=become), told=told)


@click.command("verify", help=t("help.verify"))
@inventory_option
@json_option
@vault_option
@become_option
@plain_option
def verify_command(inventory: Path, vault_password_file: Path | None, **flags: bool) -> None:
    """Prove that the platform works."""
    from hpcampus.places import existing_site
    from hpcampus.screens.console import make_console

    site = existing_site(inventory)
    as_json, become = flags["as_json"], flags["ask_become_pass"]
    console = make_console(stderr=as_json)
    with site.state.lock():
        options = run_options(site, vault_password_file, become=become)
        retry = t("summary.retry-verify", options=options_again(inventory, vault_password_file, become=become))
        show_proof(console, make_installer(site, console, plain=flags["plain"]), options, retry, as_json=as_json)


@click.command("doctor", help=t("help.doctor"))
@inventory_option
@json_option
@vault_option
@become_option
@plain_option
def doctor_command(inventory: Path, vault_password_file: Path | None, **flags: bool) -> None:
    """Walk every leg."""
    from hpcampus.places import existing_site
    from hpcampus.screens.console import make_console

    site = existing_site(inventory)
    as_json, become = flags["as_json"], flags["ask_become_pass"]
    progress = make_console(stderr=as_json)
    with site.state.lock():
        options = run_options(site, vault_password_file, become=become)
        retry = t("summary.retry-doctor", options=options_again(inventory, vault_password_file, become=become))
        show_findings(progress, make_installer(site, progress, plain=flags["plain"]), options, retry, as_json=as_json)


@click.command("steps", help=t("help.steps"))
@inventory_option
@click.option("--menu", is_flag=True, help=t("help.steps.menu"))
@json_option
@vault_option
@become_option
@plain_option
def steps_command(inventory: Path, vault_password_file: Path | None, **flags: bool) -> None:
    """List the steps, or run what a person chooses."""
    import json

    from hpcampus.overview import look_at_steps
    from hpcampus.places import existing_site, find_collection, site_at
    from hpcampus.screens.console import make_console
    from hpcampus.screens.summary import print_steps

    collection = find_collection()
    if not flags["menu"]:
        standings = look_at_steps(site_at(inventory), collection)
        if flags["as_json"]:
            click.echo(json.dumps({"steps": [one.as_data() for one in standings]}, indent=2))
        else:
            print_steps(make_console(), standings)
        return
    if not has_person():
        raise NoTerminalError("no-menu")
    from hpcampus.screens.steps_menu import run_menu
    from hpcampus.session import Session

    site = existing_site(inventory)
    become = flags["ask_become_pass"]
    options = run_options(site, vault_password_file, become=become)
    again = options_again(inventory, vault_password_file, become=become)
    raise SystemExit(run_menu(make_console(), Session(site, collection, options, again, plain=flags["plain"])))
