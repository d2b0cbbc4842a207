# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Podman's systemd containers need root on this machine; say so and get it."""

from __future__ import annotations

import os
import shutil
import sys
from typing import TYPE_CHECKING

from hpcampus.lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence

_KEEP = (
    "XDG_CACHE_HOME",
    "XDG_STATE_HOME",
    "XDG_CONFIG_HOME",
    "PATH",
    "CONTAINERS_CONF",
    "PIP_INDEX_URL",
    "SSL_CERT_FILE",
)


def require_root(argv: Sequence[str]) -> None:
    """Go on when this process is root, else start `argv` again through sudo; does not return in that case.

    Args:
        argv: The whole command that the user gave, program included.

    Raises:
        LabError: When this is not root and sudo is not installed.
    """
    if os.geteuid() == 0:
        return
    if not shutil.which("sudo"):
        msg = "Test hosts are containers with a full systemd, and starting those needs root."
        raise LabError(msg, cure=f"Run as root: {' '.join(argv)}")
    print(
        "Test hosts are containers with a full systemd, and starting those needs root: going on with sudo.",
        file=sys.stderr,
    )
    os.execvp("sudo", ["sudo", f"--preserve-env={','.join(_KEEP)}", "--", *argv])  # noqa: S606 - an argv, no shell
