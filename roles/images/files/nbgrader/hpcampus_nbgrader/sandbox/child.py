# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A process that runs cells, as its parent sees it: what it is told, what it sends, and its end."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from . import wire

if TYPE_CHECKING:
    from collections.abc import Iterator

READ_BYTES = 1 << 18
PROGRAMS = Path(__file__).parent
Event = tuple[str, object]


def end_all() -> None:
    """Kill every other process of the container, whoever its parent is; outside a container there is nothing to kill so."""
    if os.getpid() != 1:
        return
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.kill(-1, signal.SIGKILL)
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


class Child:
    """A process that runs cells, started at once.

    Args:
        kind: ``shell`` for Python, ``kernel`` for other languages, ``tests`` for the tests of an isolated notebook.
        directory: where it works.
        peer: of ``shell`` and ``tests`` the socket on which they speak with each other.
    """

    def __init__(self, kind: str, directory: str, peer: int | None = None) -> None:
        ours, theirs = socket.socketpair()
        out_read, out_write = os.pipe()
        err_read, err_write = os.pipe()
        nothing = os.open(os.devnull, os.O_RDONLY)
        argv = [sys.executable, "-I", str(PROGRAMS / f"_{kind}.py"), str(theirs.fileno()), directory]
        argv += [] if peer is None else [str(peer)]
        for handle in (theirs.fileno(), *([] if peer is None else [peer])):
            os.set_inheritable(handle, True)
        streams = [
            (os.POSIX_SPAWN_DUP2, source, target) for source, target in ((nothing, 0), (out_write, 1), (err_write, 2))
        ]
        self.pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=streams, setsid=True)
        theirs.close()
        for handle in (nothing, out_write, err_write):
            os.close(handle)
        self._socket = ours
        self._reader = wire.Reader()
        self._pipes = {out_read: "stdout", err_read: "stderr"}
        for handle in (*self._pipes, ours.fileno()):
            os.set_blocking(handle, False)
        self.gone = ""

    def send(self, message: wire.Message) -> None:
        """Tell it something; a child that is gone, or does not listen, is found out when it is waited for."""
        self._socket.settimeout(5)
        try:
            self._socket.sendall(wire.encode(message))
        except OSError:
            self._lose("The process that ran the cells has ended.")
        finally:
            self._socket.setblocking(False)

    def interrupt(self) -> None:
        """Interrupt the cell that runs."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGINT)

    def events(self, deadline: float) -> Iterator[Event]:
        """What it sends until a monotonic second, or until it is gone: ``message`` and an object, ``text`` and a stream's output."""
        while not self.gone:
            left = deadline - time.monotonic()
            if left <= 0:
                return
            ready = select.select([self._socket.fileno(), *self._pipes], [], [], left)[0]
            for handle in ready:
                if handle in self._pipes:
                    yield from self._text(handle)
            if self._socket.fileno() in ready:
                yield from self._messages()

    def texts(self) -> Iterator[Event]:
        """What programs have written to the descriptors until now."""
        for handle in select.select(list(self._pipes), [], [], 0)[0] if self._pipes else []:
            yield from self._text(handle)

    def _text(self, handle: int) -> Iterator[Event]:
        try:
            data = os.read(handle, READ_BYTES)
        except OSError:
            return
        if not data:
            del self._pipes[handle]
            os.close(handle)
            return
        text = data.decode("utf-8", "replace")
        yield "text", {"output_type": "stream", "name": self._pipes[handle], "text": text}

    def _messages(self) -> Iterator[Event]:
        try:
            data = os.read(self._socket.fileno(), READ_BYTES)
            found = self._reader.feed(data)
        except BlockingIOError:
            return
        except (OSError, ValueError):
            self._lose("The process that ran the cells sent what nobody can read.")
            return
        for message in found:
            yield "message", message
        if not data:
            self._lose(self._ended())

    def _lose(self, why: str) -> None:
        self.gone = self.gone or why

    def _ended(self) -> str:
        """How it came to its end."""
        for _ in range(50):
            with contextlib.suppress(ChildProcessError):
                pid, status = os.waitpid(self.pid, os.WNOHANG)
                if pid:
                    return describe(status)
            time.sleep(0.01)
        return "The process that ran the cells has closed its way out."

    def end(self) -> None:
        """Kill it, with what it started."""
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self.pid, signal.SIGKILL)
        end_all()
        with contextlib.suppress(ChildProcessError):
            os.waitpid(self.pid, 0)
        self._lose("The process that ran the cells was ended.")
        self._socket.close()
        for handle in self._pipes:
            os.close(handle)
        self._pipes = {}


def describe(status: int) -> str:
    """A wait status in words."""
    if os.WIFSIGNALED(status):
        number = os.WTERMSIG(status)
        name = signal.Signals(number).name if number in set(signal.Signals) else str(number)
        why = ", perhaps for want of memory" if number == signal.SIGKILL else ""
        return f"The process that ran the cells was ended by {name}{why}."
    return f"The process that ran the cells ended itself with status {os.WEXITSTATUS(status)}."
