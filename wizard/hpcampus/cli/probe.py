# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands that look at one thing of the world, as setup does in the background."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpcampus.cli.common import console_here, json_option
from hpcampus.errors import ExitCode, HostKeyError, UsageProblemError
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable

    from hpcampus.probes import Finding


def _checked(check: Callable[[str], str], value: Any) -> Any:
    """Give what was typed in its proper form.

    Raises:
        BadParameter: It has none.
    """
    try:
        return tuple(check(one) for one in value) if isinstance(value, tuple) else check(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


def _hosts(_ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    from hpcampus.validators import host

    return _checked(host, value)


def _hub_name(_ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    from hpcampus.validators import hub_name

    return _checked(hub_name, value)


def _pinned(path: Path) -> str:
    """Give the file of pinned keys.

    Raises:
        HostKeyError: There is none, so that no host may be spoken to.
    """
    if not path.is_file():
        raise HostKeyError("known-hosts-missing", path=path)
    return str(path)


def _account(_ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    from hpcampus.probes.ssh import ACCOUNT
    from hpcampus.validators import matching

    return _checked(matching(ACCOUNT, "unix-user"), value)


known_hosts_option = click.option(
    "--known-hosts",
    type=click.Path(resolve_path=True, path_type=Path),
    default=Path("~/.ssh/known_hosts").expanduser,
    show_default="~/.ssh/known_hosts",
    help=t("help.probe.known-hosts"),
)


@click.group("probe", help=t("help.probe"))
def probe_group() -> None:
    """Hold the probes."""


@probe_group.command("machine", help=t("help.probe.machine"))
@json_option
def probe_machine(*, as_json: bool) -> None:
    """Look at this machine."""
    from hpcampus.probes import server

    _show(server.MACHINE, server.SECONDS, server.look_here, as_json=as_json)


@probe_group.command("name", help=t("help.probe.name"))
@click.argument("name", callback=_hub_name)
@json_option
def probe_name(name: str, *, as_json: bool) -> None:
    """Look at a name."""
    from hpcampus.probes import name as names

    _show(names.NAME, names.SECONDS, lambda: names.look(name), as_json=as_json)


@probe_group.command("nodes", help=t("help.probe.nodes"))
@click.argument("hosts", nargs=-1, required=True, callback=_hosts)
@click.option("--user", callback=_account, default="root", show_default=True, help=t("help.probe.user"))
@known_hosts_option
@json_option
def probe_nodes(hosts: tuple[str, ...], user: str, known_hosts: Path, *, as_json: bool) -> None:
    """Look at hosts of a cluster."""
    from hpcampus.probes import nodes

    cluster = nodes.Cluster("", "", hosts, user, _pinned(known_hosts))
    _show(nodes.NAME, nodes.SECONDS, lambda: nodes.look(cluster), as_json=as_json)


@probe_group.command("centre", help=t("help.probe.centre"))
@click.argument("login", callback=_hosts)
@click.option("--account", callback=_account, required=True, help=t("help.probe.account"))
@known_hosts_option
@json_option
def probe_centre(login: str, account: str, known_hosts: Path, *, as_json: bool) -> None:
    """Look at the login node of a centre."""
    from hpcampus.probes import centre, ssh

    host = ssh.Host(login, account, _pinned(known_hosts))
    _show(centre.NAME, centre.SECONDS, lambda: centre.look(host), as_json=as_json)


@probe_group.command("moodle", help=t("help.probe.moodle"))
@click.argument("url")
@json_option
def probe_moodle(url: str, *, as_json: bool) -> None:
    """Look at a platform of LTI."""
    from hpcampus.probes import moodle

    _show(moodle.NAME, moodle.SECONDS, lambda: moodle.look(url), as_json=as_json)


@probe_group.command("ldap", help=t("help.probe.ldap"))
@click.argument("url")
@click.option("--base", required=True, metavar="DN", help=t("help.probe.base"))
@click.option("--user", default="", metavar="DN", help=t("help.probe.bind-user"))
@click.option("--password-file", type=click.Path(path_type=Path), help=t("help.probe.password-file"))
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), help=t("help.probe.ca-file"))
@json_option
def probe_ldap(
    url: str, base: str, user: str, password_file: Path | None, ca_file: str | None, *, as_json: bool
) -> None:
    """Look at a directory."""
    from hpcampus.probes import ldap
    from hpcampus.setup.inputs import read_password

    if bool(user) != bool(password_file):
        raise UsageProblemError("user-and-password")
    password = read_password(password_file) if password_file else ""
    directory = ldap.Directory(url, base, user, password, ca_file or "")
    _show(ldap.NAME, ldap.SECONDS, lambda: ldap.look(directory), as_json=as_json)


def _show(name: str, seconds: float, look: Callable[[], Finding], *, as_json: bool) -> None:
    """Run a probe, print what it found, and end with what that means."""
    import json

    from hpcampus.probes import Probe, Prober
    from hpcampus.probes.finding import as_data
    from hpcampus.screens.probes import print_finding

    with Prober([Probe(name, seconds, lambda _: True, lambda _: look())]) as prober:
        prober.look({})
        finding = prober.finding(name, wait=seconds + 1)
    assert finding is not None, name  # noqa: S101 -- it counts as ended after its time
    if as_json:
        click.echo(json.dumps(as_data(finding), indent=2))
    else:
        print_finding(console_here(), finding)
    if finding.problems:
        raise SystemExit(ExitCode.VERIFY_FAILED)
