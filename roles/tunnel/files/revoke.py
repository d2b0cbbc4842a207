#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Ends tunnel sessions whose port is no longer registered.

sshd asks for permission only when a session begins. So this looks every two seconds which ports of the range the tunnel user listens
on, and ends the sshd process of a port that has no registry file in two looks running.
"""

import argparse
import contextlib
import os
import pwd
import signal
import time
from collections.abc import Collection, Mapping
from pathlib import Path

PAUSE_SECONDS = 2
LISTEN = "0A"
LOOPBACK = "0100007F"


def listeners(table: str, uid: int, ports: Collection[int]) -> dict[int, int]:
    """Return {port: socket inode} of the listening loopback sockets of ``uid`` in the text of /proc/net/tcp."""
    found = {}
    for line in table.splitlines()[1:]:
        fields = line.split()
        address, _, port = fields[1].partition(":")
        if fields[3] == LISTEN and address == LOOPBACK and int(fields[7]) == uid and int(port, 16) in ports:
            found[int(port, 16)] = int(fields[9])
    return found


def owners(inodes: Collection[int], uid: int) -> set[int]:
    """Return the processes of ``uid`` that hold one of the sockets."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    found: set[int] = set()
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):  # a process may end while we look
            if real_uid(entry) == uid:
                links = {str(fd.readlink()) for fd in (entry / "fd").iterdir()}
                if links & wanted:
                    found.add(int(entry.name))
    return found


def real_uid(folder: Path) -> int:
    """Return the real uid of a process; /proc shows processes that may not be dumped as root's."""
    status = (folder / "status").read_text(encoding="utf-8", errors="replace")
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith("Uid:"))


def registered(registry: str) -> set[int]:
    """Return the registered ports."""
    with os.scandir(registry) as entries:
        return {int(entry.name) for entry in entries if entry.name.isdigit()}


def look(registry: str, uid: int, ports: Collection[int], suspects: Mapping[int, int]) -> dict[int, int]:
    """Look once: end the sessions that were suspects already, return the ports that are suspects now."""
    open_ports = listeners(Path("/proc/net/tcp").read_text(encoding="ascii"), uid, ports)
    stray = {port: inode for port, inode in open_ports.items() if port not in registered(registry)}
    again = {port: inode for port, inode in stray.items() if suspects.get(port) == inode}
    for pid in owners(again.values(), uid) if again else ():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGTERM)
    for port in sorted(again):
        print(f"ended the session of port {port}: it is not registered any more", flush=True)
    return stray


def main() -> None:
    """Look for ever."""
    parser = argparse.ArgumentParser(description="End revoked tunnel sessions.", allow_abbrev=False)
    parser.add_argument("--registry", required=True)
    parser.add_argument("--user", required=True)
    parser.add_argument("--port-min", type=int, required=True)
    parser.add_argument("--port-max", type=int, required=True)
    options = parser.parse_args()
    uid = pwd.getpwnam(options.user).pw_uid
    suspects: dict[int, int] = {}
    while True:
        suspects = look(options.registry, uid, range(options.port_min, options.port_max + 1), suspects)
        time.sleep(PAUSE_SECONDS)


if __name__ == "__main__":
    main()
