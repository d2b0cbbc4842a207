# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands of the demo."""

from __future__ import annotations

import sys

import click

from hpcampus.cli.common import console_here, make_installer, plain_option, show_proof
from hpcampus.cli.completion import demo_hosts
from hpcampus.errors import ExitCode
from hpcampus.texts import OPTION, catalogue, t


@click.group("demo", help=t("help.demo"))
def demo_group() -> None:
    """Hold the commands of the demo."""


@demo_group.command("up", help=t("help.demo.up"))
@plain_option
def demo_up(*, plain: bool) -> None:
    """Make the demo."""
    from hpcampus import demo, vault
    from hpcampus.apply import Options, run_fingerprint
    from hpcampus.places import find_collection
    from hpcampus.screens.demo import print_access
    from hpcampus.screens.progress import say
    from hpcampus.screens.summary import raise_unless_successful

    _become_root()
    console = console_here()
    site = demo.demo_site()
    collection = find_collection()
    with site.state.lock():
        say(console, t("demo.boot"))
        containers = demo.up(lambda text: say(console, t("demo.lab-line", text=text)))
        accounts = demo.write_inventory(site, containers, collection / "inventories" / "demo")
        options = Options(**vault.run_options(vault.ensure_key(site, None)), hosts_identity=demo.identity(containers))
        installer = make_installer(site, console, plain=plain)
        journal = site.state.load()
        if journal.finished and journal.fingerprint == run_fingerprint(site, collection, options.hosts_identity):
            say(console, t("demo.unchanged"))
        else:
            raise_unless_successful(console, installer.apply(options).steps[-1], t("summary.retry-demo"))
        show_proof(console, installer, options, t("summary.retry-demo"))
    print_access(console, demo.URL, accounts, site.inventory)


@demo_group.command("status", help=t("help.demo.status"))
def demo_status() -> None:
    """Say how the demo is."""
    from hpcampus import demo
    from hpcampus.screens.demo import print_status

    _become_root()
    with demo.translated():
        statuses = demo.make_lab().status()
    print_status(console_here(), statuses, demo.URL)
    if any(status.state != "running" for status in statuses):
        raise SystemExit(ExitCode.LAB)


@demo_group.command("down", help=t("help.demo.down"))
def demo_down() -> None:
    """Remove the demo."""
    from hpcampus import demo
    from hpcampus.screens.progress import say

    _become_root()
    console = console_here()
    kept = demo.down(lambda text: say(console, t("demo.lab-line", text=text)))
    say(console, t("demo.down-done"))
    if kept.is_dir():
        say(console, t("demo.down-kept", path=kept))


@demo_group.command("shell", help=t("help.demo.shell"))
@click.argument("host", shell_complete=demo_hosts)
def demo_shell(host: str) -> None:
    """Open a shell in a container."""
    from hpcampus import demo

    _become_root()
    raise SystemExit(demo.shell(host, terminal=sys.stdin.isatty()))


def _become_root() -> None:
    from hpcampus import demo
    from hpcampus.lab import require_root

    with demo.translated():
        require_root([sys.executable, "-m", "hpcampus", OPTION, catalogue().language, *sys.argv[1:]])
