#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Signs the short-lived ssh certificates with which the hub logs in as a student; the only process that can read this CA's key.

A request is one line of JSON with exactly these fields::

    {"account": "alice", "pubkey": "ssh-ed25519 AAAA..."}

and the answer one line, as that of the signer of tunnels. The caller chooses the account within a pattern, nothing else: for how long
the certificate is good, from which addresses, and the one command that it runs stand in the configuration. It carries no permission.
"""

import json
import re
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_network
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent))

import hpcampus_signing as signing

FIELDS = ("account", "pubkey")
CONFIG_KEYS = ("ca_key", "command", "pattern", "prefix", "refused", "seconds", "source_addresses", "users")
SKEW_SECONDS = 300
"""For how long before now the certificate is good already: clocks of two sites differ, and the past is no danger."""

ACCOUNT = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
COMMAND = re.compile(r"(?:/[A-Za-z0-9._-]+)+(?: [A-Za-z0-9._/-]+)*")


@dataclass(frozen=True)
class Rules:
    """What may be signed, and for whom."""

    ca_key: str
    command: str
    pattern: str
    prefix: str
    refused: frozenset[str]
    seconds: int
    source_addresses: tuple[str, ...]
    users: frozenset[str]


def read_rules(data: Mapping[str, Any]) -> Rules:
    """Return the rules of a parsed configuration file; ValueError names what is wrong."""
    missing = [key for key in CONFIG_KEYS if key not in data]
    if missing:
        raise ValueError("missing: " + ", ".join(missing))
    if not data["source_addresses"]:
        raise ValueError("source_addresses: at least one is needed, or a stolen certificate would be good everywhere")
    addresses = tuple(str(ip_network(address)) for address in data["source_addresses"])
    if not COMMAND.fullmatch(data["command"]):
        raise ValueError("command: expected a path and plain arguments")
    if type(data["seconds"]) is not int or not 30 <= data["seconds"] <= 900:
        raise ValueError("seconds: expected an integer from 30 to 900")
    re.compile(data["pattern"])
    return Rules(
        ca_key=data["ca_key"],
        command=data["command"],
        pattern=data["pattern"],
        prefix=data["prefix"],
        refused=frozenset(data["refused"]) | {"root"},
        seconds=data["seconds"],
        source_addresses=addresses,
        users=frozenset(data["users"]),
    )


def check_account(name: object, rules: Rules) -> str:
    """Return the account if a student may have it; ValueError otherwise."""
    good = (
        isinstance(name, str)
        and ACCOUNT.fullmatch(name) is not None
        and name.startswith(rules.prefix)
        and name != rules.prefix
        and re.fullmatch(rules.pattern, name) is not None
        and name not in rules.refused
        and not name.startswith(("_", "systemd"))
    )
    if not good:
        raise ValueError("account: not one that a student may have")
    return str(name)


def keygen_options(account: str, rules: Rules) -> Sequence[str]:
    """What the certificate says: one account, one command, the hub's addresses, some minutes, no permission."""
    options = ["-I", f"hub:{account}", "-n", account, "-z", str(secrets.randbelow(2**63 - 1) + 1)]
    options += ["-V", f"-{SKEW_SECONDS}s:+{rules.seconds}s", "-O", "clear"]
    return [
        *options,
        "-O",
        f"force-command={rules.command}",
        "-O",
        "source-address=" + ",".join(rules.source_addresses),
    ]


def certify(line: bytes, rules: Rules) -> tuple[str, str]:
    """Return the certificate that a request line asks for, and what the journal says of it."""
    request = signing.fields_of(line, FIELDS)
    account = check_account(request["account"], rules)
    return signing.sign(rules.ca_key, request["pubkey"], keygen_options(account, rules)), f"account={account}"


def main() -> None:
    """Serve the socket that systemd hands over, by the rules of the file that is the only argument."""
    rules = read_rules(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")))
    signing.serve(signing.handed_over(), rules.users, lambda line: certify(line, rules))


if __name__ == "__main__":
    main()
