# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A directory of LDAP on this machine, small and independent of the library that asks it."""

from __future__ import annotations

import contextlib
import socketserver
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field

BIND, UNBIND, SEARCH, EXTENDED = 0x60, 0x42, 0x63, 0x77
INVALID_CREDENTIALS, INAPPROPRIATE, NO_SUCH_OBJECT, PROTOCOL_ERROR = 49, 48, 32, 2


@dataclass
class Behaviour:
    """What the directory does, and what it was told.

    Attributes:
        people: Attributes of each person.
        password: That of every name; anonymous binds are refused if it is set.
        starts_tls: Whether it can encrypt a connection that is not.
        base: The only place where something is.
        passwords: What was sent as passwords.
    """

    people: list[dict[str, str]] = field(default_factory=list)
    password: str = ""
    starts_tls: bool = False
    base: str = "ou=people,dc=example,dc=org"
    passwords: list[bytes] = field(default_factory=list)


def tlv(tag: int, content: bytes) -> bytes:
    """Write an element of BER."""
    length = len(content)
    size = bytes([length]) if length < 128 else bytes([0x82]) + length.to_bytes(2, "big")
    return bytes([tag]) + size + content


def read(data: bytes) -> tuple[int, bytes, bytes]:
    """Read an element of BER: its tag, its content, and what follows."""
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big")
    return data[0], data[start : start + length], data[start + length :]


def result(tag: int, code: int, text: str = "") -> bytes:
    return tlv(tag, tlv(0x0A, bytes([code])) + tlv(4, b"") + tlv(4, text.encode()))


def entry(number: int, attributes: dict[str, str], base: str) -> bytes:
    listed = b"".join(
        tlv(0x30, tlv(4, name.encode()) + tlv(0x31, tlv(4, value.encode()))) for name, value in attributes.items()
    )
    return tlv(0x64, tlv(4, f"cn=p{number},{base}".encode()) + tlv(0x30, listed))


class Handler(socketserver.StreamRequestHandler):
    behaviour: Behaviour
    context: ssl.SSLContext

    def handle(self) -> None:
        connection = self.request
        with contextlib.suppress(OSError):
            while True:
                header = connection.recv(2)
                if len(header) < 2:
                    return
                length = header[1]
                if length & 0x80:
                    extra = connection.recv(length & 0x7F)
                    length = int.from_bytes(extra, "big")
                data = b""
                while len(data) < length:
                    data += connection.recv(length - len(data))
                _, identity, rest = read(data)
                tag, request, _ = read(rest)
                if tag == UNBIND:
                    return
                for answer in self.answers(tag, request):
                    connection.sendall(tlv(0x30, tlv(2, identity) + answer))
                if tag == EXTENDED and self.behaviour.starts_tls:
                    connection = self.context.wrap_socket(connection, server_side=True)

    def answers(self, tag: int, request: bytes) -> Iterator[bytes]:
        told = self.behaviour
        if tag == EXTENDED:
            yield result(0x78, 0 if told.starts_tls else PROTOCOL_ERROR, "" if told.starts_tls else "unsupported")
        elif tag == BIND:
            _, _, rest = read(request)
            _, name, rest = read(rest)
            _, password, _ = read(rest)
            told.passwords.append(password)
            if told.password and not name:
                yield result(0x61, INAPPROPRIATE, "anonymous bind disallowed")
            else:
                right = password.decode() == told.password
                yield result(0x61, 0 if right else INVALID_CREDENTIALS, "" if right else "wrong name or password")
        elif tag == SEARCH:
            _, base, _ = read(request)
            if base.decode() != told.base:
                yield result(0x65, NO_SUCH_OBJECT, "no such object")
                return
            for number, person in enumerate(told.people):
                yield entry(number, person, told.base)
            yield result(0x65, 0)


@contextlib.contextmanager
def serving(behaviour: Behaviour, context: ssl.SSLContext, *, encrypted: bool) -> Iterator[int]:
    """Run a directory; give its port."""

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

        def get_request(self) -> tuple[object, object]:  # type: ignore[override]
            connection, address = self.socket.accept()
            return (context.wrap_socket(connection, server_side=True) if encrypted else connection), address

    handler = type("Bound", (Handler,), {"behaviour": behaviour, "context": context})
    with Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()
