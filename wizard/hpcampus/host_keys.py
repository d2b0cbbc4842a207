# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Host keys: fetched, shown as fingerprints, pinned in a file of the inventory. Pure but for `fetch`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hpcampus.errors import HostKeyError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

KINDS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa")
SCAN_SECONDS = 8


@dataclass(frozen=True)
class HostKey:
    """A public host key."""

    host: str
    kind: str
    blob: str

    @property
    def line(self) -> str:
        """The line of a known_hosts file."""
        return f"{self.host} {self.kind} {self.blob}"

    @property
    def public(self) -> str:
        """Kind and key, as operators publish it."""
        return f"{self.kind} {self.blob}"

    @property
    def fingerprint(self) -> str:
        """The fingerprint as ssh-keygen shows it."""
        digest = hashlib.sha256(base64.b64decode(self.blob)).digest()
        return "SHA256:" + base64.b64encode(digest).decode().rstrip("=")


def parse_keys(text: str, host: str = "") -> list[HostKey]:
    """Read keys from known_hosts lines or from ssh-keyscan; whatever is not a key is left out.

    Args:
        text: The lines.
        host: Take this as the name of the host, and only lines of it; empty takes all.
    """
    keys = []
    for line in text.splitlines():
        fields = line.split()
        if len(fields) < 3 or fields[0].startswith(("#", "|", "@")):
            continue
        name, kind, blob = fields[:3]
        if kind in KINDS and _is_blob(blob, kind) and (not host or name == host):
            keys.append(HostKey(name, kind, blob))
    return keys


def _is_blob(blob: str, kind: str) -> bool:
    try:
        data = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        return False
    return data.startswith(len(kind).to_bytes(4, "big") + kind.encode())


@dataclass(frozen=True)
class Comparison:
    """What a host shows against what is pinned."""

    host: str
    keys: tuple[HostKey, ...]
    changed: bool
    new: bool

    @property
    def fingerprints(self) -> str:
        """All fingerprints in one line."""
        return ", ".join(f"{key.kind} {key.fingerprint}" for key in self.keys)


def compare(host: str, shown: Sequence[HostKey], pinned: Sequence[HostKey]) -> Comparison:
    """Compare what a host shows with what is pinned for it.

    A kind of key that is pinned must be the same; further kinds are of no interest.
    """
    before = {key.kind: key.blob for key in pinned if key.host == host}
    changed = any(key.kind in before and before[key.kind] != key.blob for key in shown)
    return Comparison(host, tuple(shown), changed=changed, new=not any(key.kind in before for key in shown))


def pin(text: str, confirmed: Iterable[Comparison]) -> str:
    """Give the text of the known_hosts file with the confirmed keys in place of older ones of the same hosts."""
    replaced = {comparison.host for comparison in confirmed if comparison.new or comparison.changed}
    lines = [line for line in text.splitlines() if not line.split() or line.split()[0] not in replaced]
    for comparison in confirmed:
        if comparison.host in replaced:
            lines.extend(key.line for key in comparison.keys)
    return "\n".join(lines) + "\n" if lines else ""


def fetch(host: str) -> list[HostKey]:
    """Ask a host for its keys with ssh-keyscan.

    Raises:
        HostKeyError: It does not answer.
    """
    argv = ["ssh-keyscan", "-T", str(SCAN_SECONDS - 3), "-t", "ed25519,ecdsa,rsa", "--", host]
    try:
        done = subprocess.run(
            argv, capture_output=True, text=True, check=False, timeout=SCAN_SECONDS, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise HostKeyError("host-key-missing", host=host, problem=error) from error
    keys = parse_keys(done.stdout, host)
    if not keys:
        complaints = [line for line in done.stderr.splitlines() if line and not line.startswith("#")]
        raise HostKeyError("host-key-missing", host=host, problem=complaints[-1] if complaints else "It gave no key.")
    return keys
