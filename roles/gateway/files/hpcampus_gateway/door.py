# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The words ``relay JOB_ID SPAWN_ID`` and ``forward JOB_ID SPAWN_ID``: standard input and output become a connection to a job's door.

Both go to jobs of this hub only, and only to the port that was agreed on when the job was submitted. What travels is ssh between hub
and job: nothing of it can be read or changed here.
"""

import os
import re
import socket
import sys
import threading

from .errors import BadRequestError, GatewayError
from .slurm import relay_argv

_WORD = re.compile(r"\A(relay|forward) ([1-9][0-9]{0,17}) ([0-9a-f]{32})\Z")
CONNECT_SECONDS = 10
EXIT_REFUSED = 77
EXIT_UNREACHED = 69
BLOCK_BYTES = 256 * 1024


def parse_word(command):
    """The (way, job id, spawn id) of a command, or None when it is another one."""
    match = _WORD.match(command)
    return (match.group(1), int(match.group(2)), match.group(3)) if match else None


def connect(node, port):
    """Connect to a job's port on its node."""
    try:
        client = socket.create_connection((node, port), CONNECT_SECONDS)
    except OSError as error:
        raise GatewayError("node {}, port {}: {}".format(node, port, error.strerror or error)) from None
    client.settimeout(None)
    client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    client.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    return client


def copy(source, sink, ended):
    """Copy from one descriptor to another until there is no more."""
    try:
        while True:
            data = os.read(source, BLOCK_BYTES)
            if not data:
                return
            while data:
                data = data[os.write(sink, data) :]
    except OSError:  # one of the two hung up
        return
    finally:
        ended.set()


def splice(source, sink, client):
    """Copy from ``source`` to the socket and from the socket to ``sink``, at the same time, until one of them ends."""
    ended = threading.Event()
    for ends in ((source, client), (client, sink)):
        threading.Thread(target=copy, args=(*ends, ended), daemon=True).start()
    ended.wait()


def check_way(way, port):
    """Refuse the way that the job was not submitted for."""
    if (way == "forward") != (port != 0):
        raise BadRequestError("the job has another door")


def carry(operations, config, slurm, way, job_id, spawn_id):
    """Serve one connection to a job's door; returns the exit status."""
    try:
        job, port = operations.door_of(job_id, spawn_id)
        check_way(way, port)
        if way == "relay":
            argv = relay_argv(config, job_id, spawn_id)
            os.execvpe(argv[0], argv, slurm.env)  # noqa: S606 (a list)
        with connect(job.nodes, port) as client:
            splice(sys.stdin.fileno(), sys.stdout.fileno(), client.fileno())
    except (GatewayError, OSError) as error:
        print(f"gateway: {way}: {error}", file=sys.stderr)
        return EXIT_REFUSED if isinstance(error, BadRequestError) else EXIT_UNREACHED
    return 0
