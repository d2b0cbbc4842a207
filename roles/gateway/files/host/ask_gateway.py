# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Say one word to a cluster's gateway, on the hub, as the hub's account and with its key.

Reads one JSON object: host, port, user, host_key, key_file, as_user ("" for the present one), word, and file, which root may open
and the hub's account need not: it becomes the standard input over there. Prints what the gateway says and ends with its status;
255 is ssh's own.
"""

import json
import os
import subprocess
import sys
import tempfile


def ssh_argv(door, known_hosts):
    """Argument list of the connection: the pinned host key, the one identity, no question."""
    options = [
        "BatchMode=yes",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "PreferredAuthentications=publickey",
        "UserKnownHostsFile=" + known_hosts,
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no",
        "ConnectTimeout=15",
        "ServerAliveInterval=10",
        "ServerAliveCountMax=6",
        "LogLevel=ERROR",
        "ControlMaster=no",
        "ControlPath=none",
    ]
    argv = ["runuser", "--user=" + door["as_user"], "--"] if door["as_user"] else []
    argv += ["ssh", "-T", "-F", "none", "-i", door["key_file"], "-p", str(door["port"])]
    for option in options:
        argv += ["-o", option]
    return argv + ["--", "{}@{}".format(door["user"], door["host"]), door["word"]]


def known_hosts_line(door):
    """The host's line; ssh looks for the bare name when the port is its usual one."""
    name = door["host"] if int(door["port"]) == 22 else "[{}]:{}".format(door["host"], door["port"])
    return "{} {}\n".format(name, door["host_key"])


def main():
    """Say the word; returns the gateway's exit status."""
    door = json.load(sys.stdin)
    with tempfile.NamedTemporaryFile("w", prefix="hpcampus-known-hosts-") as stream:
        stream.write(known_hosts_line(door))
        stream.flush()
        os.fchmod(stream.fileno(), 0o644)
        with open(door.get("file") or os.devnull, "rb") as source:
            return subprocess.run(ssh_argv(door, stream.name), stdin=source, check=False, cwd="/").returncode


if __name__ == "__main__":
    sys.exit(main())
