# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A loopback port of the node that leads to the hub's API."""

import contextlib
import socket
import time

from .listener import Listener, carry
from .peers import is_ours

CONNECTIONS_MAX = 64
HUB_SECONDS = 30
IDLE_SECONDS = 300
UNJUDGED_IDLE_SECONDS = 15


class ApiPort(Listener):
    """A loopback port, held for the whole job, that leads to the hub's API through the tunnel.

    Everybody on the node can connect to it, so that what a connection costs is bounded: so many at a time, none idle for long, and
    those of other jobs and other people are closed before they cost more than a look. Without it the server cannot reach the hub
    for the rest of the job.
    """

    def __init__(self, private_dir):
        self._hub_socket = private_dir + "/hub.sock"
        server = socket.socket()
        server.bind(("127.0.0.1", 0))
        server.listen(128)
        self.port = server.getsockname()[1]
        super().__init__("api-port", server, CONNECTIONS_MAX)

    def serve(self, client, peer):
        """Carry one connection if it comes from this job."""
        ours = is_ours(peer, self.port)
        if ours is False:
            self.say("refused", "a connection that is not of this job")
            return
        idle = UNJUDGED_IDLE_SECONDS if ours is None else IDLE_SECONDS
        with socket.socket(socket.AF_UNIX) as hub:
            hub.settimeout(1)  # a full queue of the tunnel is no reason to wait without end
            if self._reach(hub):
                with contextlib.suppress(OSError):  # one of the two hung up
                    carry(client, hub, idle)

    def _reach(self, hub):
        """Connect to the tunnel; while it is not up yet the caller waits instead of being refused."""
        deadline = time.monotonic() + HUB_SECONDS
        while hub.connect_ex(self._hub_socket) != 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True
