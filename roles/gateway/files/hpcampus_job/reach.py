# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a compute node can tell about the data paths: does it reach the hub, is there an sshd program, and a port to knock at.

Writes JSON lines to the job's log: ``{"port", "sshd"}`` at once, then ``{"reverse"}``; the texts are empty where all is well. It then
stays a while, so that gateway and hub can knock, and is cancelled by the hub.
"""

import contextlib
import json
import shutil
import subprocess
import tempfile
import threading
import time

from .door import find_sshd, listen
from .files import read_and_remove
from .log import JobError

# As long as gateway and hub may take to try all ways, one after the other: an srun that nobody answers is given up after a minute.
STAY_SECONDS = 100
SSH_SECONDS = 20


def hub_argv(hub, known_hosts):
    """Argument list of an ssh that gets as far as the hub's refusal, which comes after the check of its host key."""
    return [
        *("ssh", "-T", "-F", "none", "-p", str(hub["port"]), "-l", hub["user"]),
        *("-o", "BatchMode=yes", "-o", "PreferredAuthentications=none", "-o", "IdentityAgent=none"),
        *("-o", "UserKnownHostsFile=" + known_hosts, "-o", "GlobalKnownHostsFile=/dev/null"),
        *("-o", "StrictHostKeyChecking=yes", "-o", "ConnectTimeout=10", "-o", "LogLevel=ERROR"),
        hub["host"],
    ]


def trouble_with_hub(hub):
    """Why a job's ssh would not reach the hub's sshd; empty when it would."""
    if shutil.which("ssh") is None:
        return "the node has no ssh program"
    with tempfile.NamedTemporaryFile("w", suffix=".known_hosts") as known_hosts:
        known_hosts.write("".join(line + "\n" for line in hub["known_hosts"]))
        known_hosts.flush()
        try:
            done = subprocess.run(
                hub_argv(hub, known_hosts.name),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                timeout=SSH_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "ssh to {}, port {}, got no answer".format(hub["host"], hub["port"])
    lines = done.stderr.decode("utf-8", "replace").strip().splitlines()
    if any("Permission denied" in line for line in lines):
        return ""
    return lines[-1][:300] if lines else "ssh to the hub ended without a word"


def listen_at_first_free(ports):
    """A socket at the first of some ports at which nothing listens: those that a firewall would open for doors, and no other."""
    for port in ports[:-1]:
        with contextlib.suppress(JobError):
            return listen(port)
    return listen(ports[-1])


def answer(server, token):
    """Tell the token to whoever knocks."""
    while True:
        client, _ = server.accept()
        with client:
            client.settimeout(5)
            client.sendall(token.encode("ascii") + b"\n")


def tell(**facts):
    """One line of the log."""
    print(json.dumps(facts, sort_keys=True), flush=True)


def main(base_dir, spawn_id):
    """Run the job; returns its exit status."""
    try:
        message = read_and_remove("{}/spawns/{}.json".format(base_dir, spawn_id))
        server = listen_at_first_free(message["ports"])
    except JobError as error:
        tell(failed=str(error))
        return 78
    try:
        find_sshd()
        sshd = ""
    except JobError as error:
        sshd = str(error)
    threading.Thread(target=answer, args=(server, spawn_id), daemon=True).start()
    tell(port=server.getsockname()[1], sshd=sshd)
    tell(reverse=trouble_with_hub(message["hub"]))
    time.sleep(STAY_SECONDS)
    return 0
