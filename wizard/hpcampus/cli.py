# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command line. Imports of weight happen inside the commands, so that help is there at once."""
# ruff: noqa: PLC0415

from __future__ import annotations

import contextlib
import os
import shlex
import signal
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from hpcampus import __version__
from hpcampus.errors import (
    ExitCode,
    HpcampusError,
    InterruptedRunError,
    NoTerminalError,
    StepFailedError,
    UsageProblemError,
)
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpcampus.apply import Installer, Options, StepReport
    from hpcampus.places import Site
    from hpcampus.screens.console import Console

DEFAULT_INVENTORY = "inventory"
SETTINGS = {"help_option_names": ["-h", "--help"], "max_content_width": 120}

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


@click.group(help=t("help.main"), context_settings=SETTINGS)
@click.version_option(__version__, "--version", prog_name="hpcampus", help=t("help.version"))
def cli() -> None:
    """Hold the commands."""


@cli.command("setup", help=t("help.setup"))
@inventory_option
@click.option("--answers", "answers_file", type=click.Path(path_type=Path), help=t("help.setup.answers"))
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help=t("help.setup.set"))
@click.option("--non-interactive", is_flag=True, help=t("help.setup.non-interactive"))
@click.option("--admin-password-file", type=click.Path(path_type=Path), help=t("help.setup.password-file"))
@click.option("--accept-new-host-keys", "accept_new", is_flag=True, help=t("help.setup.accept-new"))
@click.option("--accept-changed-host-keys", "accept_changed", is_flag=True, help=t("help.setup.accept-changed"))
@click.option("--skip-host-keys", is_flag=True, help=t("help.setup.skip-host-keys"))
@vault_option
def setup_command(
    inventory: Path,
    answers_file: Path | None,
    assignments: Sequence[str],
    admin_password_file: Path | None,
    vault_password_file: Path | None,
    **flags: bool,
) -> None:
    """Ask, and write an inventory."""
    from hpcampus.places import find_collection, site_at
    from hpcampus.screens.progress import say
    from hpcampus.screens.setup import print_outcome
    from hpcampus.setup import Request, Setup
    from hpcampus.setup_input import read_answers, read_assignments, read_password

    interactive = not flags.pop("non_interactive")
    if interactive and not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise NoTerminalError("no-terminal")
    site, console = site_at(inventory), _console()
    request = Request(
        given=read_assignments(assignments),
        from_file=read_answers(answers_file) if answers_file else {},
        password=read_password(admin_password_file) if admin_password_file else None,
        vault_password_file=vault_password_file,
        **flags,
    )
    asker = None
    if interactive:
        from hpcampus.screens.prompts import Terminal

        say(console, t("setup.intro", path=site.inventory))
        asker = Terminal(console)
    with site.state.lock():
        setup = Setup(site, find_collection(), request, asker, lambda key, values: say(console, t(key, **values)))
        try:
            outcome = setup.run()
        except KeyboardInterrupt:
            raise InterruptedRunError("setup-stopped") from None
    print_outcome(console, outcome, _again(inventory))


@cli.command("apply", help=t("help.apply"))
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
    console = _console()
    if only and start:
        raise UsageProblemError("step-and-from")
    with site.state.lock():
        installer = _installer(site, console, plain=flags["plain"])
        options = _options(
            site, vault_password_file, only=only, start=start, check=flags["check"], become=flags["ask_become_pass"]
        )
        report = installer.apply(options)
    access = _again(inventory, vault_password_file, become=flags["ask_become_pass"])
    choice = _flag("--step", only) + (" --check" if options.check else "")
    _raise_unless_successful(console, report.steps[-1], t("summary.retry-apply", options=access + choice))
    if options.check:
        print_would_change(console, report)
    else:
        print_done(console, report, access)


@cli.command("verify", help=t("help.verify"))
@inventory_option
@vault_option
@become_option
@plain_option
def verify_command(inventory: Path, vault_password_file: Path | None, **flags: bool) -> None:
    """Prove that the platform works."""
    from hpcampus.places import existing_site

    site = existing_site(inventory)
    console = _console()
    with site.state.lock():
        become = flags["ask_become_pass"]
        options = _options(site, vault_password_file, become=become)
        retry = t("summary.retry-verify", options=_again(inventory, vault_password_file, become=become))
        _verify(console, _installer(site, console, plain=flags["plain"]), options, retry)


@cli.command("doctor", help=t("help.doctor"))
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
        options = _options(site, vault_password_file, become=become)
        retry = t("summary.retry-doctor", options=_again(inventory, vault_password_file, become=become))
        _examine(progress, _installer(site, progress, plain=flags["plain"]), options, retry, as_json=as_json)


@cli.command("steps", help=t("help.steps"))
@inventory_option
def steps_command(inventory: Path) -> None:
    """List the steps."""
    from hpcampus.apply import load_steps
    from hpcampus.places import find_collection, site_at
    from hpcampus.screens.summary import print_steps

    print_steps(_console(), load_steps(find_collection()), site_at(inventory).state.load())


@cli.group("demo", help=t("help.demo"))
def demo_group() -> None:
    """Hold the commands of the demo."""


@demo_group.command("up", help=t("help.demo.up"))
@plain_option
def demo_up(*, plain: bool) -> None:
    """Make the demo."""
    from hpcampus import demo
    from hpcampus.apply import Options, run_fingerprint
    from hpcampus.places import find_collection
    from hpcampus.screens.demo import print_access
    from hpcampus.screens.progress import say
    from hpcampus.vault import ensure_key

    _become_root()
    console = _console()
    site = demo.demo_site()
    collection = find_collection()
    with site.state.lock():
        say(console, t("demo.boot"))
        containers = demo.up(lambda text: say(console, t("demo.lab-line", text=text)))
        accounts = demo.write_inventory(site, containers, collection / "inventories" / "demo")
        options = Options(vault_password_file=ensure_key(site, None), hosts_identity=demo.identity(containers))
        installer = _installer(site, console, plain=plain)
        journal = site.state.load()
        if journal.finished and journal.fingerprint == run_fingerprint(site, collection, options.hosts_identity):
            say(console, t("demo.unchanged"))
        else:
            _raise_unless_successful(console, installer.apply(options).steps[-1], t("summary.retry-demo"))
        _verify(console, installer, options, t("summary.retry-demo"))
    print_access(console, demo.URL, accounts, site.inventory)


@demo_group.command("status", help=t("help.demo.status"))
def demo_status() -> None:
    """Say how the demo is."""
    from hpcampus import demo
    from hpcampus.screens.demo import print_status

    _become_root()
    with demo.translated():
        statuses = demo.make_lab().status()
    print_status(_console(), statuses, demo.URL)
    if any(status.state != "running" for status in statuses):
        raise SystemExit(ExitCode.LAB)


@demo_group.command("down", help=t("help.demo.down"))
def demo_down() -> None:
    """Remove the demo."""
    from hpcampus import demo
    from hpcampus.screens.progress import say

    _become_root()
    console = _console()
    kept = demo.down(lambda text: say(console, t("demo.lab-line", text=text)))
    say(console, t("demo.down-done"))
    if kept.is_dir():
        say(console, t("demo.down-kept", path=kept))


@demo_group.command("shell", help=t("help.demo.shell"))
@click.argument("host")
def demo_shell(host: str) -> None:
    """Open a shell in a container."""
    from hpcampus import demo

    _become_root()
    raise SystemExit(demo.shell(host, terminal=sys.stdin.isatty()))


def _console() -> Console:
    from hpcampus.screens.console import make_console

    return make_console()


def _installer(site: Site, console: Console, *, plain: bool) -> Installer:
    from hpcampus.apply import Installer
    from hpcampus.places import find_collection
    from hpcampus.screens.progress import make_view

    return Installer(site, find_collection(), make_view(console, plain=plain))


def _options(site: Site, vault_password_file: Path | None, *, become: bool = False, **choices: Any) -> Options:
    from hpcampus.apply import Options
    from hpcampus.inventory_files import check_readable
    from hpcampus.vault import find_key

    key = find_key(site, vault_password_file)
    check_readable(site, key)
    password = click.prompt("BECOME password", hide_input=True) if become else None
    return Options(vault_password_file=key, become_password=password, **choices)


def _verify(console: Console, installer: Installer, options: Options, retry: str) -> None:
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


def _examine(console: Console, installer: Installer, options: Options, retry: str, *, as_json: bool) -> None:
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


def _raise_unless_successful(console: Console, last: StepReport, retry: str) -> None:
    from hpcampus.runner import Outcome
    from hpcampus.screens.summary import print_failures

    if last.result.outcome is Outcome.STOPPED:
        raise InterruptedRunError("stopped")
    if last.result.outcome is Outcome.FAILED:
        print_failures(console, last, retry)
        raise StepFailedError("step-failed", name=last.step.name)


def _again(inventory: Path, vault_password_file: Path | None = None, *, become: bool = False) -> str:
    """Give the options that the next command needs to reach the same site, each with a space before it."""
    named = None if str(inventory) == DEFAULT_INVENTORY else inventory
    vault = _flag("--vault-password-file", vault_password_file)
    return _flag("--inventory", named) + vault + (" --ask-become-pass" if become else "")


def _flag(name: str, value: object) -> str:
    return "" if value is None else f" {name} {shlex.quote(str(value))}"


def _become_root() -> None:
    from hpcampus import demo
    from hpcampus.lab import require_root

    with demo.translated():
        require_root([sys.executable, "-m", "hpcampus", *sys.argv[1:]])


def _on_sigterm(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and give its exit code; every error becomes text.

    Args:
        arguments: Command line without the program's name; that of the process by default.
    """
    try:
        result = cli.main(
            args=None if arguments is None else list(arguments), prog_name="hpcampus", standalone_mode=False
        )
        sys.stdout.flush()
        return int(result) if isinstance(result, int) else ExitCode.OK
    except HpcampusError as error:
        return _report(error)
    except click.ClickException as error:
        error.show()
        return ExitCode.USAGE
    except (KeyboardInterrupt, click.Abort):
        return _report(InterruptedRunError("stopped"))
    except BrokenPipeError:
        # Whoever read our output has gone; nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return ExitCode.OK
    except Exception as problem:  # noqa: BLE001 -- the last resort: a person never sees a traceback
        return _report(_internal(problem))


def _internal(problem: Exception) -> HpcampusError:
    from hpcampus.files import PRIVATE_FILE, make_private_directory, write_atomically
    from hpcampus.places import state_home

    path = state_home() / f"error-{datetime.now(UTC):%Y%m%dT%H%M%S}.txt"
    with contextlib.suppress(OSError):
        make_private_directory(path.parent)
        write_atomically(path, traceback.format_exc(), PRIVATE_FILE)
    return HpcampusError("internal", problem=f"{type(problem).__name__}: {problem}", path=path)


def _report(error: HpcampusError) -> int:
    from hpcampus.screens.console import make_console
    from hpcampus.screens.summary import print_error

    print_error(make_console(stderr=True), error)
    return error.exit_code


def main() -> NoReturn:
    """Be the program `hpcampus`."""
    signal.signal(signal.SIGTERM, _on_sigterm)
    sys.exit(run())
