# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Whose is a connection to a loopback port of this node?"""

import contextlib
import os
import socket
import struct


def is_ours(peer, port):
    """Whether a process of this job made the connection from ``peer`` (address, port) to our loopback port.

    All jobs have one uid, so the kernel's table of connections only tells strangers apart; among our own it is the descriptors of
    this job's processes that count: descendants of this process, since orphans inside the container stay below its first process.

    Returns:
        True or False; None where a host does not let us look into the processes in our container, so that nothing can be said.
    """
    try:
        found = find_connection(peer, port)
    except OSError:
        return None
    if found is None or found[0] != os.getuid() or found[1] == 0:  # no inode: closed already
        return False
    looked_inside = False
    for depth, pids in enumerate(generations(os.getpid())):
        for pid in pids:
            with contextlib.suppress(OSError):
                if holds_socket(pid, found[1]):
                    return True
                looked_inside = looked_inside or depth > 1
    return False if looked_inside else None


def table_end(address, port):
    """One end of a connection as the kernel's table writes it; in the table of IPv6 an IPv4 address is the end of a longer one."""
    return "{:08X}:{:04X}".format(struct.unpack("=I", socket.inet_aton(address))[0], port)


def find_connection(peer, port):
    """The (uid, inode) of the far socket of a loopback connection, or None when it is gone; OSError when there is no table."""
    far, near = table_end(*peer), table_end("127.0.0.1", port)
    for _ in range(2):  # the table can skip a line while others come and go
        for path in ("/proc/net/tcp", "/proc/net/tcp6"):
            if path.endswith("6") and not os.path.exists(path):
                continue
            with open(path, encoding="ascii") as lines:
                for line in lines:
                    fields = line.split() if far in line and near in line else ()
                    if fields and fields[1].endswith(far) and fields[2].endswith(near):
                        return int(fields[7]), int(fields[9])
    return None


def generations(pid):
    """Lists of processes: the process itself, its children, their children, and so on."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", "rb") as stream:
                parent = int(stream.read().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    pids = [pid]
    while pids:
        yield pids
        pids = [child for parent in pids for child in children.pop(parent, ())]


def holds_socket(pid, inode):
    """Whether a process has a socket open; OSError when we may not look, or it has ended."""
    folder, wanted = f"/proc/{pid}/fd", f"socket:[{inode}]"
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            if os.readlink(f"{folder}/{name}") == wanted:
                return True
    return False
