# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the signers have in common: one line in, one line out, a caller whom the kernel names, and ssh-keygen.

Installed beside the programs that use it. What may be signed is their own matter.
"""

import json
import os
import pwd
import re
import socket
import struct
import subprocess
import sys
import tempfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

MAX_REQUEST_BYTES = 4096
CALLER_TIMEOUT_SECONDS = 5
KEYGEN_TIMEOUT_SECONDS = 10
PUBKEY = re.compile(r"\Assh-ed25519 [A-Za-z0-9+/]{68}\Z")

Certify = Callable[[bytes], tuple[str, str]]
"""Turns a request line into a certificate and the words for the journal; ValueError names the field at fault."""


def fields_of(line: bytes, names: Collection[str]) -> dict[str, Any]:
    """Return the fields of one request line, which must be exactly these, with a public key among them."""
    request = json.loads(line.decode("utf-8"))
    if not isinstance(request, dict) or set(request) != set(names):
        raise ValueError("fields: expected exactly " + ", ".join(names))
    if not isinstance(request["pubkey"], str) or not PUBKEY.match(request["pubkey"]):
        raise ValueError("pubkey: expected one ed25519 public key without comment")
    return request


def sign(ca_key: str, pubkey: str, options: Sequence[str]) -> str:
    """Return the certificate as one line of text; ``options`` are ssh-keygen's, for what the certificate shall say."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "key.pub"
        path.write_text(pubkey + "\n", encoding="ascii")
        argv = ["/usr/bin/ssh-keygen", "-q", "-s", ca_key, *options, str(path)]
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


def answer(connection: socket.socket, users: Collection[str], certify: Certify) -> dict[str, str]:
    """Return the answer to one caller; whatever goes wrong is refused and logged, and the service goes on."""
    pid, uid, name = caller(connection)
    try:
        line = read_line(connection)  # read first: closing on unread data would cut off the answer
        if name not in users:
            raise PermissionError(f"uid {uid} may not ask for certificates")
        certificate, words = certify(line)
    except (ValueError, RecursionError, OSError, subprocess.SubprocessError) as error:
        reason = str(error) if isinstance(error, (ValueError, PermissionError)) else "see the signer's journal"
        print(f"refused uid={uid} pid={pid}: {type(error).__name__}: {error}", flush=True)
        return {"error": f"{type(error).__name__}: {reason}"}
    print(f"signed {words} uid={uid} pid={pid}", flush=True)
    return {"cert": certificate}


def serve(listener: socket.socket, users: Collection[str], certify: Certify) -> None:
    """Answer one caller after the other."""
    while True:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(CALLER_TIMEOUT_SECONDS)
            try:
                connection.sendall(json.dumps(answer(connection, users, certify)).encode("ascii") + b"\n")
            except OSError as error:
                print(f"caller went away: {error}", flush=True)


def handed_over() -> socket.socket:
    """The socket that systemd hands over as descriptor 3; what is made from here on is for nobody else to read."""
    os.umask(0o077)
    return socket.socket(fileno=3)
