# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A loopback port of the node that leads to the hub's API."""

import contextlib
import select
import socket
import threading
import time

from .log import log
from .peers import is_ours

CONNECTIONS_MAX = 64
HUB_SECONDS = 30
IDLE_SECONDS = 300
UNJUDGED_IDLE_SECONDS = 15
PAUSE_SECONDS = 0.5
LINES_MAX = 20


class ApiPort:
    """A loopback port, held for the whole job, that leads to the hub's API through the tunnel.

    Everybody on the node can connect to it, so that what a connection costs is bounded: so many at a time, none idle for long, and
    those of other jobs and other people are closed before they cost more than a look. Nothing that happens to a connection ends
    the accepting: without it the server cannot reach the hub for the rest of the job.
    """

    def __init__(self, private_dir):
        self._hub_socket = private_dir + "/hub.sock"
        self._slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._said = 0
        self._server = socket.socket()
        self._server.bind(("127.0.0.1", 0))
        self._server.listen(128)
        self.port = self._server.getsockname()[1]

    def start(self):
        """Begin in a thread of its own."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        """Let connections in for ever; without a free slot, descriptor or thread they wait in the kernel's queue."""
        while True:
            self._slots.acquire()
            client = None
            try:
                client, peer = self._server.accept()
                threading.Thread(target=self._serve, args=(client, peer), daemon=True).start()
            except Exception as error:  # noqa: BLE001 (no descriptor, no thread, no memory: all of it passes)
                if client is not None:
                    client.close()
                self._slots.release()
                self._say("api-port-waits", str(error))
                time.sleep(PAUSE_SECONDS)

    def _serve(self, client, peer):
        """Carry one connection if it comes from this job."""
        try:
            with client:
                ours = is_ours(peer, self.port)
                if ours is False:
                    self._say("api-port-refused", "a connection that is not of this job")
                    return
                idle = UNJUDGED_IDLE_SECONDS if ours is None else IDLE_SECONDS
                with socket.socket(socket.AF_UNIX) as hub:
                    hub.settimeout(1)  # a full queue of the tunnel is no reason to wait without end
                    if self._reach(hub):
                        with contextlib.suppress(OSError):  # one of the two hung up
                            carry(client, hub, idle)
        except OSError as error:
            self._say("api-port-connection-lost", str(error))
        finally:
            self._slots.release()

    def _reach(self, hub):
        """Connect to the tunnel; while it is not up yet the caller waits instead of being refused."""
        deadline = time.monotonic() + HUB_SECONDS
        while hub.connect_ex(self._hub_socket) != 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _say(self, event, detail):
        """Log an event, a few times only: others can cause it as often as they like."""
        if self._said < LINES_MAX:
            self._said += 1
            log(event, detail)


def carry(one, other, idle_seconds):
    """Copy between two sockets until both have ended or nothing was said for ``idle_seconds``."""
    ways = {one.fileno(): (one, other), other.fileno(): (other, one)}
    poll = select.poll()
    for source in (one, other):
        source.settimeout(idle_seconds)
        poll.register(source, select.POLLIN)
    while ways:
        ready = poll.poll(idle_seconds * 1000)
        if not ready:
            return
        for number, _ in ready:
            source, sink = ways[number]
            data = source.recv(65536)
            if data:
                sink.sendall(data)
                continue
            poll.unregister(source)
            del ways[number]
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)
