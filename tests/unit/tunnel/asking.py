# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A signer's caller for tests: an authority and a key, bytes over a real socket pair, and a certificate as ssh-keygen reads it."""

import os
import pwd
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

PUBKEY = "ssh-ed25519 " + "A" * 68
ME = pwd.getpwuid(os.getuid()).pw_name


class Authority:
    """Files of an authority, and of a key for it to sign.

    Args:
        folder: where they are made.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.key = str(folder / "ca")
        for name in ("ca", "subject"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name], check=True)
        self.pubkey = " ".join((folder / "subject.pub").read_text().split()[:2])

    def show(self, certificate: str) -> str:
        """Give what ssh-keygen says of a certificate; times are in UTC."""
        path = self._folder / "shown.pub"
        path.write_text(certificate + "\n")
        argv = ["ssh-keygen", "-L", "-f", str(path)]
        return subprocess.run(argv, capture_output=True, text=True, check=True, env={"TZ": "UTC"}).stdout


def ask(request: bytes, answer: Callable[[socket.socket], Any]) -> dict[str, str]:
    """Send bytes to a signer's answering function over a real socket pair."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        ours.sendall(request)
        ours.shutdown(socket.SHUT_WR)
        found: dict[str, str] = answer(theirs)
        return found
