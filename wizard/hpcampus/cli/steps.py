# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands that run playbooks: apply, verify, doctor; and the list of steps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from hpcampus.cli.common import (
    become_option,
    console_here,
    flag,
    inventory_option,
    make_installer,
    options_again,
    plain_option,
    raise_unless_successful,
    run_options,
    show_findings,
    show_proof,
    vault_option,
)
from hpcampus.errors import UsageProblemError
from hpcampus.texts import t

if TYPE_CHECKING:
    from pathlib import Path


@click.command("apply", help=t("help.apply"))
@inventory_option
@click.option("--step", "only", metavar="NAME", help=t("help.apply.step"))
@click.option("--from", "start", metavar="NAME", help=t("help.apply.from"))
@click.option("--check", is_flag=True, help=t("help.apply.check"))
@vault_option
@become_option
@plain_option
def apply_command(
    inventory: Path, only: str | None, start: str | None, vault_password_file: Path | None, **flags: bool
) -> None:
    """Run the steps."""
    from hpcampus.places import existing_site
    from hpcampus.screens.summary import print_done, print_would_change

    site = existing_site(inventory)
    console = console_here()
    if only and start:
        raise UsageProblemError("step-and-from")
    with site.state.lock():
        installer = make_installer(site, console, plain=flags["plain"])
        options = run_options(
            site, vault_password_file, only=only, start=start, check=flags["check"], become=flags["ask_become_pass"]
        )
        report = installer.apply(options)
    access = options_again(inventory, vault_password_file, become=flags["ask_become_pass"])
    choice = flag("--step", only) + (" --check" if options.check else "")
    raise_unless_successful(console, report.steps[-1], t("summary.retry-apply", options=access + choice))
    if options.check:
        print_would_change(console, report)
    else:
        print_done(console, report, access)


@click.command("verify", help=t("help.verify"))
@inventory_option
@vault_option
@become_option
@plain_option
def verify_command(inventory: Path, vault_password_file: Path | None, **flags: bool) -> None:
    """Prove that the platform works."""
    from hpcampus.places import existing_site

    site = existing_site(inventory)
    console = console_here()
    with site.state.lock():
        become = flags["ask_become_pass"]
        options = run_options(site, vault_password_file, become=become)
        retry = t("summary.retry-verify", options=options_again(inventory, vault_password_file, become=become))
        show_proof(console, make_installer(site, console, plain=flags["plain"]), options, retry)


@click.command("doctor", help=t("help.doctor"))
@inventory_option
@click.option("--json", "as_json", is_flag=True, help=t("help.doctor.json"))
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
def steps_command(inventory: Path) -> None:
    """List the steps."""
    from hpcampus.apply import load_steps
    from hpcampus.places import find_collection, site_at
    from hpcampus.screens.summary import print_steps

    print_steps(console_here(), load_steps(find_collection()), site_at(inventory).state.load())
