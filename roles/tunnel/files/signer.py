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
import json
import os
import pwd
import re
import socket
import struct
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

FIELDS = ("port", "serial", "seconds", "pubkey")
SECONDS_MIN = 60
# A clock that is put right may go back by minutes between the signature and its use; the key is new, so nothing is lost by it.
CLOCK_SKEW_SECONDS = 600
MAX_REQUEST_BYTES = 4096
CALLER_TIMEOUT_SECONDS = 5
KEYGEN_TIMEOUT_SECONDS = 10
PUBKEY = re.compile(r"\Assh-ed25519 [A-Za-z0-9+/]{68}\Z")


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
    request = json.loads(line.decode("utf-8"))
    if not isinstance(request, dict) or set(request) != set(FIELDS):
        raise ValueError("fields: expected exactly " + ", ".join(FIELDS))
    ranges = {
        "port": (limits.port_min, limits.port_max),
        "serial": (1, 2**63 - 1),
        "seconds": (SECONDS_MIN, limits.max_seconds),
    }
    for name, (low, high) in ranges.items():
        if type(request[name]) is not int or not low <= request[name] <= high:
            raise ValueError(f"{name}: expected an integer from {low} to {high}")
    if not isinstance(request["pubkey"], str) or not PUBKEY.match(request["pubkey"]):
        raise ValueError("pubkey: expected one ed25519 public key without comment")
    return Request(*(request[name] for name in FIELDS))


def keygen_argv(ca_key: str, request: Request, pubkey_file: str) -> list[str]:
    """Argument list that signs: forwarding of ports and nothing else, from ten minutes ago until ``seconds`` from now."""
    name = f"spawn-{request.port}"
    argv = ["/usr/bin/ssh-keygen", "-q", "-s", ca_key, "-I", name, "-n", name, "-z", str(request.serial)]
    argv += [
        "-V",
        f"-{CLOCK_SKEW_SECONDS}s:+{request.seconds}s",
        "-O",
        "clear",
        "-O",
        "permit-port-forwarding",
        pubkey_file,
    ]
    return argv


def sign(ca_key: str, request: Request) -> str:
    """Return the certificate as one line of text."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key.pub"
        path.write_text(request.pubkey + "\n", encoding="ascii")
        argv = keygen_argv(ca_key, request, str(path))
        subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, stderr=sys.stderr, timeout=KEYGEN_TIMEOUT_SECONDS)
        certificate = (Path(folder) / "key-cert.pub").read_text(encoding="ascii")
    return " ".join(certificate.split()[:2])  # its comment is a path of ours


def read_line(connection: socket.socket) -> bytes:
    """Read one request line."""
    data = b""
    while not data.endswith(b"\n"):
        part = connection.recv(MAX_REQUEST_BYTES)
        data += part
        if not part or len(data) > MAX_REQUEST_BYTES:
            raise ValueError(f"request: expected one line of at most {MAX_REQUEST_BYTES} bytes")
    return data


def caller(connection: socket.socket) -> tuple[int, int, str]:
    """Return (pid, uid, name) of the process at the other end, as the kernel knows it."""
    pid, uid, _ = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
    try:
        return pid, uid, pwd.getpwuid(uid).pw_name
    except KeyError:
        return pid, uid, ""


def answer(connection: socket.socket, limits: Limits) -> dict[str, str]:
    """Return the answer to one caller; whatever goes wrong is refused and logged, and the service goes on."""
    pid, uid, name = caller(connection)
    try:
        line = read_line(connection)  # read first: closing on unread data would cut off the answer
        if name not in limits.users:
            raise PermissionError(f"uid {uid} may not ask for certificates")
        request = check_request(line, limits)
        certificate = sign(limits.ca_key, request)
    except (ValueError, RecursionError, OSError, subprocess.SubprocessError) as error:
        reason = str(error) if isinstance(error, (ValueError, PermissionError)) else "see the signer's journal"
        print(f"refused uid={uid} pid={pid}: {type(error).__name__}: {error}", flush=True)
        return {"error": f"{type(error).__name__}: {reason}"}
    print(
        f"signed port={request.port} serial={request.serial} seconds={request.seconds} uid={uid} pid={pid}", flush=True
    )
    return {"cert": certificate}


def serve(listener: socket.socket, limits: Limits) -> None:
    """Answer one caller after the other."""
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(CALLER_TIMEOUT_SECONDS)
            try:
                connection.sendall(json.dumps(answer(connection, limits)).encode("ascii") + b"\n")
            except OSError as error:
                print(f"caller went away: {error}", flush=True)


def main() -> None:
    """Serve the socket that systemd hands over as descriptor 3."""
    parser = argparse.ArgumentParser(description="Sign tunnel certificates.", allow_abbrev=False)
    parser.add_argument("--ca-key", required=True)
    parser.add_argument("--user", action="append", required=True)
    parser.add_argument("--port-min", type=int, required=True)
    parser.add_argument("--port-max", type=int, required=True)
    parser.add_argument("--max-seconds", type=int, required=True)
    options = parser.parse_args()
    os.umask(0o077)
    limits = Limits(options.ca_key, frozenset(options.user), options.port_min, options.port_max, options.max_seconds)
    serve(socket.socket(fileno=3), limits)


if __name__ == "__main__":
    main()
