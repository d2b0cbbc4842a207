# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs a script of this package on another host: with pinned keys only, and without a terminal."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hpcampus.probes import children
from hpcampus.probes.sections import Sections, parse_sections
from hpcampus.texts import t
from hpcampus.validators import OTHER_HOST

if TYPE_CHECKING:
    from collections.abc import Mapping

SCRIPTS = Path(__file__).with_name("scripts")
CONNECT_SECONDS = 8
# Names of accounts as directories hold them; nothing that could be an option.
ACCOUNT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._@-]{0,63}")
# A path that may stand between quotes.
KNOWN_HOSTS = re.compile(r"[^\x00-\x1f\x7f\"]+")
# What ssh says, and the text that says what to do about it.
CAUSES: Mapping[str, re.Pattern[str]] = {
    "key-refused": re.compile(r"Permission denied|Too many authentication failures"),
    "host-key": re.compile(
        r"Host key verification failed|host key for .* has changed|No .* host key is known", re.IGNORECASE
    ),
    "no-name": re.compile(r"Could not resolve hostname"),
    "no-answer": re.compile(r"timed out|No route to host|Network is unreachable|Connection refused"),
}


@dataclass(frozen=True)
class Host:
    """A host and the way to it.

    Attributes:
        name: Its name or address.
        user: Who logs in.
        known_hosts: File with the pinned keys.
    """

    name: str
    user: str
    known_hosts: str


class SshError(OSError):
    """A host could not be looked at; the text is for a person."""


def script(name: str) -> str:
    """Give the text of a script of this package, after what all of them use."""
    return "".join((SCRIPTS / f"{part}.sh").read_text(encoding="utf-8") for part in ("common", name))


def argv(host: Host) -> list[str]:
    """Give the command that reads a script from its standard input and runs it on a host.

    Raises:
        ValueError: The host or the account is not a name.
    """
    if (
        not OTHER_HOST.fullmatch(host.name)
        or not ACCOUNT.fullmatch(host.user)
        or not KNOWN_HOSTS.fullmatch(host.known_hosts)
    ):
        raise ValueError(f"{host.user}@{host.name}")
    # ssh expands percent signs in a file's name, and takes quotes away.
    known_hosts = host.known_hosts.replace("%", "%%")
    options = (
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        f'UserKnownHostsFile="{known_hosts}"',
        "GlobalKnownHostsFile=/dev/null",
        # A connection that is kept from before was checked against other keys, or none.
        "ControlMaster=no",
        "ControlPath=none",
        f"ConnectTimeout={CONNECT_SECONDS}",
        "ServerAliveInterval=5",
        "ServerAliveCountMax=2",
        "ClearAllForwardings=yes",
        "ForwardAgent=no",
        "ForwardX11=no",
        "PermitLocalCommand=no",
        # The banner of a site is no error.
        "LogLevel=ERROR",
    )
    return [
        "ssh",
        "-T",
        *(word for option in options for word in ("-o", option)),
        "-l",
        host.user,
        "--",
        host.name,
        "sh -s",
    ]


def look(host: Host, name: str, seconds: float) -> Sections:
    """Run a script on a host.

    Args:
        host: The host.
        name: Name of the script.
        seconds: How long it may take.

    Returns:
        What it printed, which may be incomplete when the connection broke.

    Raises:
        SshError: It could not be run.
    """
    try:
        done = children.run(argv(host), seconds, script(name))
    except TimeoutError as error:
        raise SshError(t("probe.ssh.too-long", host=host.name, seconds=f"{seconds:g}")) from error
    sections = parse_sections(done.out)
    if not sections.by_name:
        raise SshError(_explained(host, done))
    return sections


def look_here(name: str, seconds: float) -> Sections:
    """Run a script on this machine.

    Raises:
        OSError: It could not be run, or took longer.
    """
    return parse_sections(children.run(["sh", "-s"], seconds, script(name)).out)


def _explained(host: Host, done: children.Done) -> str:
    said = done.err or done.out
    for cause, pattern in CAUSES.items():
        if pattern.search(said):
            return t(f"probe.ssh.{cause}", host=host.name, user=host.user, problem=done.complaint)
    return t("probe.ssh.failed", host=host.name, problem=done.complaint)
