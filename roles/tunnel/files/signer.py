#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Signs the short-lived ssh certificates of the jobs; the only process that can read the CA key.

systemd opens the socket and starts this as the user that owns the key. A request is one line of JSON with exactly these fields::

    {"port": 20017, "serial": 8123, "seconds": 3600, "pubkey": "ssh-ed25519 AAAA..."}

and the answer one line, ``{"cert": "ssh-ed25519-cert-v01@openssh.com AAAA..."}`` or ``{"error": "ValueError: ..."}``. Key id and
principal are ``spawn-<port>``: a caller chooses the port within the range, nothing else. Who calls is asked of the kernel.
"""

import argparse
import socket
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parent))

import hpcampus_signing as signing

FIELDS = ("port", "serial", "seconds", "pubkey")
SECONDS_MIN = 60
# A clock that is put right may go back by minutes between the signature and its use; the key is new, so nothing is lost by it.
CLOCK_SKEW_SECONDS = 600


@dataclass(frozen=True)
class Limits:
    """What may be signed, and for whom."""

    ca_key: str
    users: frozenset[str]
    port_min: int
    port_max: int
    max_seconds: int


class Request(NamedTuple):
    """A checked request."""

    port: int
    serial: int
    seconds: int
    pubkey: str


def check_request(line: bytes, limits: Limits) -> Request:
    """Return what one request line asks for; ValueError names the field."""
    request = signing.fields_of(line, FIELDS)
    ranges = {
        "port": (limits.port_min, limits.port_max),
        "serial": (1, 2**63 - 1),
        "seconds": (SECONDS_MIN, limits.max_seconds),
    }
    for name, (low, high) in ranges.items():
        if type(request[name]) is not int or not low <= request[name] <= high:
            raise ValueError(f"{name}: expected an integer from {low} to {high}")
    return Request(*(request[name] for name in FIELDS))


def keygen_options(request: Request) -> Sequence[str]:
    """What the certificate says: forwarding of ports and nothing else, from ten minutes ago until ``seconds`` from now."""
    name = f"spawn-{request.port}"
    validity = f"-{CLOCK_SKEW_SECONDS}s:+{request.seconds}s"
    options = ["-I", name, "-n", name, "-z", str(request.serial), "-V", validity]
    return [*options, "-O", "clear", "-O", "permit-port-forwarding"]


def certify(line: bytes, limits: Limits) -> tuple[str, str]:
    """Return the certificate that a request line asks for, and what the journal says of it."""
    request = check_request(line, limits)
    certificate = signing.sign(limits.ca_key, request.pubkey, keygen_options(request))
    return certificate, f"port={request.port} serial={request.serial} seconds={request.seconds}"


def answer(connection: socket.socket, limits: Limits) -> dict[str, str]:
    """Return the answer to one caller."""
    return signing.answer(connection, limits.users, lambda line: certify(line, limits))


def serve(listener: socket.socket, limits: Limits) -> None:
    """Answer one caller after the other."""
    signing.serve(listener, limits.users, lambda line: certify(line, limits))


def main() -> None:
    """Serve the socket that systemd hands over."""
    parser = argparse.ArgumentParser(description="Sign tunnel certificates.", allow_abbrev=False)
    parser.add_argument("--ca-key", required=True)
    parser.add_argument("--user", action="append", required=True)
    parser.add_argument("--port-min", type=int, required=True)
    parser.add_argument("--port-max", type=int, required=True)
    parser.add_argument("--max-seconds", type=int, required=True)
    options = parser.parse_args()
    limits = Limits(options.ca_key, frozenset(options.user), options.port_min, options.port_max, options.max_seconds)
    serve(signing.handed_over(), limits)


if __name__ == "__main__":
    main()
