# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""SSH to the test hosts: one key pair a lab, one host key a host, everything pinned before the first connection."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
import time
from typing import TYPE_CHECKING

from hpcampus.lab.errors import LabError
from hpcampus.lab.recipes import USER

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

CONTROL_DIR = "/run/hpcampus-lab"


def ensure_key(path: Path, comment: str) -> str:
    """Make an ed25519 key pair unless it is there, and return the public line without its comment.

    Args:
        path: Private key; the public one lies beside it.
        comment: Comment of the public key.
    """
    public = path.with_name(f"{path.name}.pub")
    if not (path.exists() and public.exists()):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.unlink(missing_ok=True)
        argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f", str(path)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            msg = f"Cannot make the key {path}."
            raise LabError(msg, detail=done.stderr)
    return " ".join(public.read_text(encoding="utf-8").split()[:2])


def known_hosts(host_keys: Mapping[str, str]) -> str:
    """Return the text of a known_hosts file.

    Args:
        host_keys: Public key line of every host, by name.
    """
    return "".join(f"{name} {key}\n" for name, key in host_keys.items())


def ssh_config(addresses: Mapping[str, str], directory: Path) -> str:
    """Return a client configuration by which every host of a lab is reached under its short name.

    Args:
        addresses: IP address of every host, by name.
        directory: Directory of the lab.
    """
    lines = []
    for name, address in addresses.items():
        lines += [f"Host {name}", f"  HostName {address}", f"  HostKeyAlias {name}"]
    lines += [
        "Host *",
        f"  User {USER}",
        f"  IdentityFile {directory}/id_ed25519",
        "  IdentitiesOnly yes",
        "  BatchMode yes",
        f"  UserKnownHostsFile {directory}/known_hosts",
        "  GlobalKnownHostsFile /dev/null",
        "  StrictHostKeyChecking yes",
        "  ServerAliveInterval 5",
        "  ServerAliveCountMax 3",
        "  ControlMaster auto",
        "  ControlPersist 60",
        f"  ControlPath {control_path(directory)}",
    ]
    return "".join(f"{line}\n" for line in lines)


def control_path(directory: Path) -> str:
    """Return where the kept connections of a lab lie: hosts of two labs may have the same name, and the same address in turn.

    Args:
        directory: Directory of the lab.
    """
    return f"{CONTROL_DIR}/{hashlib.sha256(str(directory).encode()).hexdigest()[:8]}-%C"


def key_tar(
    host_key: Path, authorized: str, *, fresh_lists: bool = False, files: Sequence[tuple[str, str, int]] = ()
) -> bytes:
    """Return a tar archive with a host's own key and the key that may log in, to be unpacked in its root.

    Args:
        host_key: Private host key; the public one lies beside it.
        authorized: Public key line of the lab.
        fresh_lists: Whether the host's package lists count as just fetched, so that roles need not fetch them again.
        files: Absolute path, text and mode of further files of root's.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        private = host_key.read_bytes()
        public = host_key.with_name(f"{host_key.name}.pub").read_bytes()
        _add(archive, "etc/ssh/ssh_host_ed25519_key", private, 0o600, 0)
        _add(archive, "etc/ssh/ssh_host_ed25519_key.pub", public, 0o644, 0)
        if fresh_lists:
            _add(archive, "var/lib/apt/lists", None, 0o755, 0)
        for path, text, mode in files:
            _add(archive, path.lstrip("/"), text.encode(), mode, 0)
        _add(archive, f"home/{USER}/.ssh", None, 0o700, 1000)
        _add(archive, f"home/{USER}/.ssh/authorized_keys", f"{authorized}\n".encode(), 0o600, 1000)
    return buffer.getvalue()


def files_tar(files: Sequence[tuple[str, str, int]]) -> bytes:
    """Return a tar archive of root's files.

    Args:
        files: Absolute path, text and mode of each.
    """
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, text, mode in files:
            _add(archive, path.lstrip("/"), text.encode(), mode, 0)
    return buffer.getvalue()


def _add(archive: tarfile.TarFile, name: str, content: bytes | None, mode: int, owner: int) -> None:
    info = tarfile.TarInfo(name)
    info.mode = mode
    info.mtime = time.time()
    info.uid = info.gid = owner
    if content is None:
        info.type = tarfile.DIRTYPE
        archive.addfile(info)
    else:
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
