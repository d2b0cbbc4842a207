# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The programs that the lab needs on this machine, and the Debian packages that bring them."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from hpcampus.lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Callable

# Package: what shows that it is there (a program, or a file with its whole path).
_NEEDED = {
    "podman": "podman",
    "conmon": "conmon",
    "netavark": "/usr/lib/podman/netavark",
    "aardvark-dns": "/usr/lib/podman/aardvark-dns",
    "iptables": "iptables",
    "iproute2": "ip",
    "nftables": "nft",
    "uidmap": "newuidmap",
    "mmdebstrap": "mmdebstrap",
    "openssh-client": "ssh-keygen",
    "debian-archive-keyring": "/usr/share/keyrings/debian-archive-keyring.gpg",
}


def missing_packages(present: Callable[[str], bool], *, runc: bool) -> tuple[str, ...]:
    """Return the Debian packages whose programs are not on this machine.

    Args:
        present: Tells whether a program's name or a file's absolute path exists.
        runc: Whether the container runtime must be runc.
    """
    needed = dict(_NEEDED)
    if runc:
        needed["runc"] = "runc"
    return tuple(package for package, sign in needed.items() if not present(sign))


def is_present(sign: str) -> bool:
    """Tell whether a program is on the path or in an administrator's directory, or a file exists."""
    if sign.startswith("/"):
        return Path(sign).exists()
    return shutil.which(sign, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin") is not None


def install_packages(packages: tuple[str, ...], progress: Callable[[str], None]) -> None:
    """Install packages with apt.

    Raises:
        LabError: When there is no apt on this machine, or apt fails.
    """
    if not packages:
        return
    names = " ".join(packages)
    if not shutil.which("apt-get"):
        msg = f"The lab needs programs that are not here: {names}."
        raise LabError(
            msg, cure="This machine has no apt-get. Install them with its own package manager and try again."
        )
    progress(f"Install Debian packages that the test hosts are run with: {names}")
    env = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    # The first try uses the package lists as they are; only when that fails are they renewed.
    command = [
        "apt-get",
        "--quiet=2",
        "--yes",
        "--no-install-recommends",
        "-o",
        "DPkg::Lock::Timeout=120",
        "install",
        *packages,
    ]
    if subprocess.run(command, env=env, capture_output=True, check=False).returncode == 0:
        return
    subprocess.run(["apt-get", "--quiet=2", "update"], env=env, capture_output=True, check=False)
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"apt-get could not install {names}."
        raise LabError(msg, detail=done.stderr or done.stdout, cure="Mend apt on this machine, then try again.")
