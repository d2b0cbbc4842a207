# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The name of the hub: what it resolves to, and whether it is this machine. Pure but for `look`."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpcampus.probes import children
from hpcampus.probes.finding import Finding, Line, note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

NAME = "name"
SECONDS = 15.0
PORT_SECONDS = 4.0
ACME_PORT = 80


@dataclass(frozen=True)
class Resolved:
    """What a name resolves to.

    Attributes:
        addresses: Its addresses, without doubles.
        canonical: The name that it is an alias of; empty when it is none.
        error: Why it has none.
    """

    addresses: tuple[str, ...] = ()
    canonical: str = ""
    error: str = ""


def look(name: str) -> Finding:
    """Look at the name of the hub."""
    resolved = resolve(name)
    public = [address for address in resolved.addresses if ipaddress.ip_address(address).is_global]
    reachable = can_connect(name, ACME_PORT) if public else None
    return examine(name, resolved, own_addresses(), reachable)


def examine(name: str, resolved: Resolved, own: tuple[str, ...], reachable: bool | None) -> Finding:
    """Give the finding.

    Args:
        name: The name of the hub.
        resolved: What it resolves to.
        own: Addresses of this machine.
        reachable: Whether its port 80 can be reached from here; None when that was not tried.
    """
    facts = {"addresses": list(resolved.addresses)}
    if not resolved.addresses:
        return Finding(NAME, (problem("name.no-address", name=name, problem=resolved.error),), facts=facts)
    lines = [ok("name.resolves", name=name, addresses=", ".join(resolved.addresses))]
    if resolved.canonical:
        lines.append(ok("name.alias", name=name, canonical=resolved.canonical))
    proposals = {}
    if is_loopback(resolved.addresses):
        lines.append(note("name.loopback", name=name))
        proposals["hub_connection"] = "local"
    elif set(resolved.addresses) & set(own):
        lines.append(ok("name.here", name=name))
        proposals["hub_connection"] = "local"
    lines.append(_acme_line(name, resolved.addresses, reachable))
    return Finding(NAME, tuple(lines), proposals, facts=facts)


def is_loopback(addresses: Sequence[str]) -> bool:
    """Tell whether a name is this machine's own because /etc/hosts says so, and no more."""
    return all(ipaddress.ip_address(address).is_loopback for address in addresses)


def place_lines(name: str, addresses: Sequence[str], own: Sequence[str]) -> list[Line]:
    """Say that a name does not lead to its server, if so.

    Args:
        name: The name of the hub.
        addresses: What it resolves to.
        own: The addresses of its server; empty when they are not known.
    """
    if not addresses or not own or is_loopback(addresses) or set(addresses) & set(own):
        return []
    # A server behind address translation has another address inside.
    inside = all(not ipaddress.ip_address(address).is_global for address in own)
    outside = any(ipaddress.ip_address(address).is_global for address in addresses)
    make = note if inside and outside else problem
    return [make("name.elsewhere", name=name, addresses=", ".join(addresses), own=", ".join(own))]


def _acme_line(name: str, addresses: tuple[str, ...], reachable: bool | None) -> Line:
    if not any(ipaddress.ip_address(address).is_global for address in addresses):
        return note("name.acme-private", name=name)
    return ok("name.acme", name=name) if reachable else note("name.acme-closed", name=name)


def resolve(name: str) -> Resolved:
    """Ask the system's resolver for all addresses of a name."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM, flags=socket.AI_CANONNAME)
    except (OSError, UnicodeError) as error:
        return Resolved(error=getattr(error, "strerror", None) or str(error))
    canonical = next((entry[3] for entry in found if entry[3]), "").rstrip(".").lower()
    addresses = tuple(dict.fromkeys(str(entry[4][0]).partition("%")[0] for entry in found))
    return Resolved(addresses, "" if canonical in {name.lower(), *addresses} else canonical)


def own_addresses() -> tuple[str, ...]:
    """Give the addresses of this machine that others may know; none when it does not tell."""
    try:
        said = children.run(["hostname", "-I"], 3).out
    except OSError:
        return ()
    return parse_addresses(said)


def parse_addresses(text: str) -> tuple[str, ...]:
    """Read addresses, whatever is between them and is none is left out."""
    found = []
    for word in text.split():
        try:
            found.append(str(ipaddress.ip_address(word)))
        except ValueError:
            continue
    return tuple(dict.fromkeys(found))


def can_connect(name: str, port: int) -> bool:
    """Tell whether packets reach a port; refused is reached too: the web server is yet to come."""
    try:
        socket.create_connection((name, port), PORT_SECONDS).close()
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
    return True
