# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Keeps one connection up, and tells how it is."""

import asyncio
import contextlib
import json
import os
import random
import secrets
import socket
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

from . import commands
from .orders import DIRECT, Order

LINE_CHARACTERS = 300
QUIET = (b"channel ", b"connect to ", b"connect_to ")
"""Beginnings of lines that only say that the notebook server does not listen yet: the hub knocks several times a second."""


@dataclass(frozen=True)
class Times:
    """Seconds: pauses between tries, after how long a connection was good, how long one that is not up keeps others waiting."""

    pause_least: float = 0.4
    pause_most: float = 15.0
    good_after: float = 5.0
    turn: float = 5.0
    look: float = 0.05


@dataclass(frozen=True)
class State:
    """How a connection is."""

    spawn_id: str
    up: bool
    since: float
    tries: int
    error: str


def write_whole(path: Path, text: str) -> None:
    """Write a file so that a reader sees all of it or none of it."""
    draft = path.with_name(f".{path.name}.new")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)


def pause(failures: int, times: Times, jitter: float) -> float:
    """Seconds before the next try: doubled with each failure, shortened by up to half by jitter 0..1."""
    whole = min(times.pause_most, times.pause_least * 2.0 ** min(failures, 16))
    return whole * (1.0 - 0.5 * jitter)


def listens(port: int) -> bool:
    """Whether somebody listens on a loopback port, found without knocking there."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def clean(line: bytes) -> str:
    """A line of a program, fit for a log."""
    text = line.decode("utf-8", "replace").strip()[:LINE_CHARACTERS]
    return "".join(c if c.isprintable() else "?" for c in text)


class Keeper:
    """Opens a connection, watches it and opens it again, until cancelled.

    Args:
        order: what is to be up.
        folder: where the state is told.
        key_file: the private key that jobs let in.
        gate: lets so many connections of one login node be opened at a time: sshd drops what is too much.
        say: writes a line of the log.
        times: waiting times.
    """

    def __init__(
        self,
        order: Order,
        folder: Path,
        key_file: Path,
        gate: asyncio.Semaphore,
        say: Callable[[str], None],
        times: Times | None = None,
    ) -> None:
        self.order = order
        self._state_file = folder / f"{order.port}.json"
        self._known_hosts = folder / f"{order.port}.known_hosts"
        self._key_file = key_file
        self._gate = gate
        self._say = say
        self._times = times or Times()
        self._failures = 0
        self._error = ""
        self._said = ""
        self._was_up = False

    async def run(self) -> None:
        """Keep the connection up until cancelled; then it is ended, and nothing of it is left."""
        try:
            write_whole(self._known_hosts, commands.known_hosts(self.order))
            while True:
                self._tell(up=False)
                self._note(await self._once())
                await asyncio.sleep(pause(self._failures, self._times, random.random()))  # noqa: S311 (no secret)
                self._failures += 1
        finally:
            for path in (self._state_file, self._known_hosts):
                path.unlink(missing_ok=True)

    def _note(self, error: str) -> None:
        """Take down why the connection ended. The first try may come before the job listens: that is no news."""
        self._error = error
        if error != self._said and (self._was_up or self._failures):
            self._say(f"{self._name} is down: {error}")
            self._said = error

    @property
    def _name(self) -> str:
        return f"port {self.order.port}, job {self.order.job_id}, {self.order.way}"

    def _tell(self, *, up: bool) -> None:
        state = State(self.order.spawn_id, up, time.time(), self._failures, "" if up else self._error)
        write_whole(self._state_file, json.dumps(state.__dict__))

    async def _once(self) -> str:
        """Open the connection and wait until it ends; returns why it did."""
        began: float | None = None
        await self._gate.acquire()
        held, opened = True, time.monotonic()
        try:
            async with self._programs() as (inner, outer):
                programs = [program for program in (inner, outer) if program is not None]
                while not any(program.ended for program in programs):
                    if began is None and listens(self.order.port):
                        began = time.monotonic()
                        self._say(f"{self._name} is up after {began - opened:.1f} s")
                        self._error = self._said = ""
                        self._tell(up=True)
                    if held and (began is not None or time.monotonic() - opened > self._times.turn):
                        self._gate.release()
                        held = False
                    await self._wait(programs, quick=began is None)
        finally:
            if held:
                self._gate.release()
        self._was_up = began is not None
        if began is not None and time.monotonic() - began >= self._times.good_after:
            self._failures = 0
        return next((program.last for program in reversed(programs) if program.last), "ssh ended without a word")

    async def _wait(self, programs: list["Program"], *, quick: bool) -> None:
        """Wait until a program ends, or, while the connection is being opened, for a moment."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self._times.look if quick else None):
                await asyncio.wait([program.end for program in programs], return_when=asyncio.FIRST_COMPLETED)

    @contextlib.asynccontextmanager
    async def _programs(self) -> AsyncIterator[tuple["Program", "Program | None"]]:
        """Run the ssh programs of the connection; afterwards none of them is left."""
        known, nonce = str(self._known_hosts), secrets.token_hex(4)
        inner_argv = commands.inner_argv(self.order, known, str(self._key_file), nonce)
        async with contextlib.AsyncExitStack() as stack:
            if self.order.way == DIRECT:
                yield await stack.enter_async_context(Program.run(inner_argv, None)), None
                return
            near, far = socket.socketpair()
            try:
                outer_argv = commands.outer_argv(self.order, known)
                outer = await stack.enter_async_context(Program.run(outer_argv, far))
                inner = await stack.enter_async_context(Program.run(inner_argv, near))
            finally:
                near.close()
                far.close()
            yield inner, outer


class Program:
    """A running ssh: when it ends, and the last thing that it said."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self.last = ""
        self.end = asyncio.create_task(self._follow())

    @property
    def ended(self) -> bool:
        """Whether it has ended and all it said is read."""
        return self.end.done()

    async def _follow(self) -> None:
        stream = self._process.stderr
        assert stream is not None  # noqa: S101 (it was asked for)
        with contextlib.suppress(ValueError):  # a line without end
            async for line in stream:
                if not line.startswith(QUIET) and clean(line):
                    self.last = clean(line)
        await self._process.wait()

    @classmethod
    @contextlib.asynccontextmanager
    async def run(cls, argv: list[str], way: socket.socket | None) -> AsyncIterator["Program"]:
        """Start a program with a socket as its standard input and output; it is killed when the block ends."""
        process = await asyncio.create_subprocess_exec(
            *argv,
            stdin=way.fileno() if way is not None else asyncio.subprocess.DEVNULL,
            stdout=way.fileno() if way is not None else asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": "/usr/local/bin:/usr/bin:/bin", "LC_ALL": "C", "HOME": os.environ.get("HOME", "/")},
        )
        program = cls(process)
        try:
            yield program
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1):
                    await asyncio.shield(program.end)
            program.end.cancel()
