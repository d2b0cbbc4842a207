# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A directory of LDAP: whether it can be reached safely, whether it lets in, and whether people are found in it."""

from __future__ import annotations

import contextlib
import ssl
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from hpcampus.probes.finding import Finding, Line, note, ok, problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ldap3 import Connection

NAME = "ldap"
SECONDS = 30.0
CONNECT_SECONDS = 8
MOST_ENTRIES = 5
FILTER = "(|(objectClass=person)(objectClass=posixAccount)(objectClass=user))"
# By what people log in and are called, as directories name it.
ATTRIBUTES = ("uid", "sAMAccountName", "userPrincipalName", "cn", "displayName", "mail", "memberOf")
LOGINS = ATTRIBUTES[:3]
PORTS = {"ldap": 389, "ldaps": 636}


@dataclass(frozen=True)
class Directory:
    """What to look at.

    Attributes:
        url: ldaps://HOST or ldap://HOST, with a port if it is another one.
        base: Where people are.
        user: Name to bind with; empty binds anonymously.
        password: Its password.
        authorities: File with the certificates to trust besides the system's; empty when those do.
    """

    url: str
    base: str
    user: str = ""
    password: str = field(default="", repr=False)
    authorities: str = ""


@dataclass(frozen=True)
class Address:
    """Where a directory listens."""

    host: str
    port: int
    encrypted: bool


def parse_url(url: str) -> Address | None:
    """Read the address of a directory; None when it is none."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    if parts.scheme not in PORTS or not parts.hostname or parts.path not in {"", "/"}:
        return None
    return Address(parts.hostname, port or PORTS[parts.scheme], parts.scheme == "ldaps")


def look(directory: Directory) -> Finding:
    """Look at a directory."""
    address = parse_url(directory.url)
    if address is None:
        return Finding(NAME, (problem("ldap.url", url=directory.url),))
    from ldap3.core.exceptions import LDAPException  # noqa: PLC0415 -- of weight, and for this probe alone

    lines: list[Line] = []
    try:
        connection = _connect(directory, address)
        try:
            _converse(connection, directory, address, lines)
        finally:
            with contextlib.suppress(LDAPException, OSError):
                connection.unbind()
    except (LDAPException, OSError, ValueError) as error:
        lines.append(problem("ldap.failed", url=directory.url, problem=_said(error)))
    return Finding(NAME, tuple(lines))


def _connect(directory: Directory, address: Address) -> Connection:
    from ldap3 import DSA, Connection, Server, Tls  # noqa: PLC0415

    tls = Tls(validate=ssl.CERT_REQUIRED, ca_certs_file=directory.authorities or None)
    server = Server(
        address.host,
        port=address.port,
        use_ssl=address.encrypted,
        tls=tls,
        get_info=DSA,
        connect_timeout=CONNECT_SECONDS,
    )
    connection = Connection(
        server,
        user=directory.user or None,
        password=directory.password or None,
        receive_timeout=CONNECT_SECONDS,
        read_only=True,
        auto_referrals=False,
    )
    connection.open(read_server_info=False)
    return connection


def _converse(connection: Connection, directory: Directory, address: Address, lines: list[Line]) -> None:
    """Encrypt, bind and search, each only if what comes before it went well."""
    encrypted = address.encrypted or _start_tls(connection)
    if encrypted:
        lines.append(ok("ldap.encrypted", host=address.host, port=address.port))
    elif directory.user:
        lines.append(problem("ldap.password-open", host=address.host))
        return
    else:
        lines.append(note("ldap.open", host=address.host, port=address.port))
    if not connection.bind():
        key = "ldap.bind-refused" if directory.user else "ldap.anonymous-refused"
        lines.append(problem(key, user=directory.user, problem=_result(connection)))
        return
    lines.append(ok("ldap.bound", user=directory.user) if directory.user else ok("ldap.anonymous"))
    connection.search(directory.base, FILTER, attributes=list(ATTRIBUTES), size_limit=MOST_ENTRIES)
    entries = [entry for entry in connection.response or [] if entry.get("type") == "searchResEntry"]
    lines += _search_lines(connection, directory.base, entries)


def _start_tls(connection: Connection) -> bool:
    """Encrypt a connection; False when the server cannot.

    Raises:
        LDAPException: It can, and its certificate is not right.
    """
    from ldap3.core.exceptions import LDAPStartTLSError  # noqa: PLC0415

    try:
        return bool(connection.start_tls(read_server_info=False))
    except LDAPStartTLSError as error:
        if "certificate" in str(error):
            raise
        # A connection that was refused this once serves no more.
        connection.unbind()
        connection.open(read_server_info=False)
        return False


def _search_lines(connection: Connection, base: str, entries: Sequence[Any]) -> list[Line]:
    code = (connection.result or {}).get("result")
    size_limit_exceeded = 4
    if code not in {0, size_limit_exceeded}:
        return [problem("ldap.search-failed", base=base, problem=_result(connection))]
    if not entries:
        return [problem("ldap.nobody", base=base)]
    held = [name for name in ATTRIBUTES if any(entry.get("attributes", {}).get(name) for entry in entries)]
    lines = [ok("ldap.found", base=base, names=", ".join(held) or "-")]
    if not set(held) & set(LOGINS):
        lines.append(note("ldap.no-login", names=", ".join(LOGINS)))
    return lines


def _result(connection: Connection) -> str:
    result = connection.result or {}
    return str(result.get("message") or result.get("description") or "?")[:200]


def _said(error: Exception) -> str:
    return str(error)[:300] or type(error).__name__
