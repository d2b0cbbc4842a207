# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A socket of the job that lets connections in for as long as the job runs, and carries each somewhere else."""

import contextlib
import select
import socket
import threading
import time

from .log import log

PAUSE_SECONDS = 0.5
LINES_MAX = 20


class Listener:
    """Lets connections in, each in a thread of its own; ``serve`` of a subclass gets one. Nothing that happens to it ends the accepting.

    Args:
        name: what events in the job's log begin with.
        server: a socket that listens.
        connections_max: so many at a time; more wait in the kernel's queue.
    """

    def __init__(self, name, server, connections_max):
        self._name = name
        self._server = server
        self._slots = threading.BoundedSemaphore(connections_max)
        self._said = 0

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
                self.say("waits", str(error))
                time.sleep(PAUSE_SECONDS)

    def _serve(self, client, peer):
        try:
            with client:
                self.serve(client, peer)
        except OSError as error:
            self.say("connection-lost", str(error))
        finally:
            self._slots.release()

    def say(self, event, detail):
        """Log an event, a few times only: others can cause it as often as they like."""
        if self._said < LINES_MAX:
            self._said += 1
            log(f"{self._name}-{event}", detail)


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
