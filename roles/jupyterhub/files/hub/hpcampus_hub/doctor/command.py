# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The program ``hpcampus-doctor``. It ends with 0 when nothing is broken, with 1 when something is, with 2 on a wrong command line.

Started as root it asks sshd and systemd first, then becomes the hub's account for good: what it finds is what the hub finds.
"""

import argparse
import asyncio
import getpass
import json
import logging
import re
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from hpcampus_hub.hub_account import NotTheHubError, become, find_account

from .catalogue import Patient, legs_of, visits_of
from .finding import Finding, Verdict
from .host import Look, look
from .notebook import Login, Notebook
from .site import ConfigurationError, load_hub
from .table import WIDTH, Table, as_json, summary
from .walk import Walk, worst
from .web import trusting

ETC = Path("/etc/jupyterhub")
SELF_SIGNED = Path("/etc/ssl/certs/hpcampus-selfsigned.pem")
_UNIX_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")


class UsageError(Exception):
    """The command cannot be carried out as it was given; the text says what to change."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog="hpcampus-doctor",
        description="Walk every leg from the public name to a notebook's cell, and say what is broken and what cures it.",
        epilog="Exit status: 0 nothing is broken, 1 something is, 2 wrong command line.",
    )
    made.add_argument("--url", default="", help="public address to examine, when it is not the configured one")
    made.add_argument("--ca-file", type=Path, help="PEM file to trust besides what this host trusts")
    made.add_argument("--paths", action="store_true", help="try every data path, with one short job on each cluster")
    made.add_argument("--json", action="store_true", help="print everything as one line of JSON")
    notebook = made.add_argument_group("a notebook as well")
    choice = notebook.add_mutually_exclusive_group()
    choice.add_argument(
        "--spawn", action="store_true", help="start one; asks for the password when there is no file of it"
    )
    choice.add_argument("--no-spawn", action="store_true", help="start none, even with a password")
    notebook.add_argument("--user", default="verify", help="who starts it (%(default)s)")
    notebook.add_argument("--password-file", help="file whose first line is the password, or - for standard input")
    notebook.add_argument("--profile", default="", help="size to ask for; the first on offer otherwise")
    return made


def read_login(arguments: argparse.Namespace) -> Login | None:
    """Who starts a notebook, or None.

    Raises:
        UsageError: the password cannot be read.
    """
    if arguments.no_spawn or not (arguments.spawn or arguments.password_file):
        return None
    options = {"profile": arguments.profile} if arguments.profile else {}
    return Login(arguments.user, _read_password(arguments), options)


def _read_password(arguments: argparse.Namespace) -> str:
    path = arguments.password_file
    if path is None and not sys.stdin.isatty():
        raise UsageError("--spawn needs a password: give --password-file FILE, or - to read it from standard input")
    try:
        if path is None:
            return getpass.getpass(f"Password of {arguments.user}: ")
        text = sys.stdin.readline() if path == "-" else Path(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError, EOFError) as error:
        why = getattr(error, "strerror", None) or type(error).__name__
        raise UsageError(f"the password cannot be read from {path or 'the terminal'}: {why}") from error
    first = (text.splitlines() or [""])[0]
    if not first:
        raise UsageError("the password is empty; it has to be the first line of what --password-file names")
    return first


def become_hub() -> Look:
    """Ask what only root may ask, then become the hub's account for good.

    Raises:
        UsageError: started as somebody else, or not on a hub.
    """
    try:
        account = find_account("hpcampus-doctor")
    except NotTheHubError as error:
        raise UsageError(str(error)) from None
    seen = look(tunnel_user(ETC))
    become(account)
    return seen


def tunnel_user(etc: Path) -> str:
    """The tunnel's account, before the configuration may be run."""
    try:
        name = json.loads((etc / "clusters.json").read_text(encoding="utf-8"))["tunnel"].get("user", "tunnel")
    except (OSError, ValueError, KeyError, AttributeError, TypeError):
        return "tunnel"
    return name if isinstance(name, str) and _UNIX_USER.fullmatch(name) else "tunnel"


def patient(etc: Path, url: str, ca_file: Path | None, login: Login | None, seen: Look) -> Patient:
    """Everything that is examined.

    Raises:
        UsageError: the file of certificates cannot be used.
    """
    try:
        context = trusting(ca_file)
    except OSError as error:
        raise UsageError(f"--ca-file {ca_file}: {error.strerror or error}") from error
    try:
        hub = load_hub(etc, url)
    except ConfigurationError as error:
        return Patient(str(error), seen, {}, Notebook("", None))
    if url and hub.public.scheme not in ("http", "https"):
        raise UsageError(f"--url {url}: write it as https://hub.example.org/")
    return Patient(hub, seen, visits_of(hub), Notebook(hub.url, login, context), ca_file)


async def examine(one: Patient, tell: Callable[[Finding], None]) -> list[Finding]:
    """Walk all legs; ``tell`` gets each finding as it is made."""
    findings = []
    try:
        async for finding in Walk().walk(legs_of(one)):
            findings.append(finding)
            tell(finding)
    finally:
        for visit in one.visits.values():
            await visit.close()
    return findings


def run(arguments: argparse.Namespace, prepare: Callable[[], Look] = become_hub, etc: Path = ETC) -> int:
    """Carry out a parsed command line; gives the exit status."""
    logging.getLogger().addHandler(logging.NullHandler())  # what a leg has to say, it says itself
    login = read_login(arguments)
    ca_file = arguments.ca_file or (SELF_SIGNED if SELF_SIGNED.is_file() else None)
    one = replace(patient(etc, arguments.url, ca_file, login, prepare()), paths=arguments.paths)
    terminal = sys.stdout.isatty()
    lines = Table(shutil.get_terminal_size().columns if terminal else WIDTH, colour=terminal)

    def tell(finding: Finding) -> None:
        if not arguments.json:
            print(*lines.rows(finding), sep="\n", flush=True)

    findings = asyncio.run(examine(one, tell))
    print(as_json(findings) if arguments.json else summary(findings))
    return 1 if worst(findings) is Verdict.BROKEN else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    arguments = parser().parse_args(argv)
    try:
        return run(arguments)
    except UsageError as error:
        print(f"hpcampus-doctor: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("hpcampus-doctor: stopped", file=sys.stderr)
        return 130
