#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Start Chromium so that it hears nothing of this machine's network interfaces: ``quiet_chromium.py ARGUMENT...``.

A browser gives up what it is loading when an interface comes or goes (ERR_NETWORK_CHANGED), and here the hosts of other tests
come and go all the time. It hears of that through netlink sockets, which a filter (seccomp) refuses to it.
"""

import errno
import importlib
import os
import socket
import sys
from pathlib import Path

BROWSER = "/usr/bin/chromium"
PROGRAM = __file__
"""What tests start as the browser."""
PATIENCE_MS = 60_000
"""How long tests wait for what a page comes to show, on machines that do much else."""

# Machine -> (AUDIT_ARCH_* of linux/audit.h, number of socket(2) there).
SOCKET = {"x86_64": (0xC000003E, 41), "aarch64": (0xC00000B7, 198)}
AT_FIRST_ARGUMENT = 16
"""Where struct seccomp_data has it."""


def refuse_netlink() -> None:
    """Refuse netlink sockets to this process and to all that it starts, as a kernel without them does."""
    sys.path.insert(0, str(Path(__file__).parents[1] / "roles/gateway/files"))
    seccomp = importlib.import_module("closed_keyring")
    arch, number = SOCKET[os.uname().machine]
    seccomp.install(
        [
            (seccomp.LOAD, 0, 0, seccomp.AT_ARCH),
            (seccomp.IF_EQUAL, 0, 4, arch),
            (seccomp.LOAD, 0, 0, seccomp.AT_NUMBER),
            (seccomp.IF_EQUAL, 0, 2, number),
            (seccomp.LOAD, 0, 0, AT_FIRST_ARGUMENT),
            (seccomp.IF_EQUAL, 1, 0, socket.AF_NETLINK),
            (seccomp.RETURN, 0, 0, seccomp.RET_ALLOW),
            (seccomp.RETURN, 0, 0, seccomp.RET_ERRNO | errno.EAFNOSUPPORT),
        ]
    )


if __name__ == "__main__":
    refuse_netlink()
    os.execv(BROWSER, [BROWSER, *sys.argv[1:]])  # noqa: S606 (what it starts is a constant)
