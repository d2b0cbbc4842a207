# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Follows the directory of orders."""

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from pathlib import Path

from .keeper import Keeper, State, Times, write_whole
from .orders import OrderError, read

LOOK_SECONDS = 0.05
WHOLE_LOOK_SECONDS = 2.0
AT_A_TIME = 4
EXIT_USAGE = 64
Signature = tuple[int, int, int]


def say(line: str) -> None:
    """Write a line of the log."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


class Carrier:
    """Has a keeper for each good order.

    Args:
        directory: holds ``orders``, ``state`` and the key.
        times: waiting times of the keepers.
    """

    def __init__(self, directory: Path, times: Times | None = None) -> None:
        self._orders = directory / "orders"
        self._state = directory / "state"
        self._key_file = directory / "key"
        self._times = times
        self._seen: dict[int, Signature] = {}
        self._keepers: dict[int, tuple[Keeper, asyncio.Task[None]]] = {}
        self._gates: dict[tuple[str, int], asyncio.Semaphore] = {}
        self._changed = 0
        self._looked = 0.0

    async def run(self, stop: asyncio.Event) -> None:
        """Follow the orders until told to stop; then every connection is ended."""
        for path in (self._orders, self._state):
            path.mkdir(mode=0o700, exist_ok=True)
        for path in self._state.iterdir():
            path.unlink()
        try:
            while not stop.is_set():
                try:
                    await self.look()
                except OSError as error:
                    say(f"the orders cannot be read: {error}")
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_SECONDS):
                        await stop.wait()
        finally:
            await asyncio.gather(*(self._drop(port) for port in list(self._keepers)))

    async def look(self) -> None:
        """Do what changed orders say. The directory's time is enough to see a change, but not two in one tick of the clock."""
        changed, now = self._orders.stat().st_mtime_ns, time.monotonic()
        if changed == self._changed and now - self._looked < WHOLE_LOOK_SECONDS:
            return
        self._changed, self._looked = changed, now
        there: dict[int, Signature] = {}
        with os.scandir(self._orders) as entries:
            for entry in entries:
                name, _, kind = entry.name.partition(".")
                if kind == "json" and name.isascii() and name.isdigit():
                    with contextlib.suppress(FileNotFoundError):
                        info = entry.stat(follow_symlinks=False)
                        there[int(name)] = (info.st_mtime_ns, info.st_ino, info.st_size)
        changed_ports = [port for port in {*self._seen, *there} if self._seen.get(port) != there.get(port)]
        self._seen = there
        for port in changed_ports:
            await self._obey(port)
        for port, (_, task) in self._keepers.items():
            if task.done() and not task.cancelled() and (error := task.exception()) is not None:
                say(f"port {port}: {type(error).__name__}: {error}")
                self._seen.pop(port, None)  # tried again at the next whole look

    async def _obey(self, port: int) -> None:
        """Start, replace or end what belongs to a port."""
        order, error = None, ""
        try:
            order = read(self._orders / f"{port}.json", port)
        except FileNotFoundError:
            pass
        except OrderError as wrong:
            error = str(wrong)
        known = self._keepers.get(port)
        if known is not None and known[0].order == order and not known[1].done():
            return
        await self._drop(port)
        if order is not None:
            gate = self._gates.setdefault((order.host, order.host_port), asyncio.Semaphore(AT_A_TIME))
            keeper = Keeper(order, self._state, self._key_file, gate, say, self._times)
            self._keepers[port] = (keeper, asyncio.create_task(keeper.run(), name=f"port {port}"))
        elif error:
            say(f"the order for port {port} is wrong: {error}")
            write_whole(self._state / f"{port}.json", json.dumps(State("", False, time.time(), 0, error).__dict__))
        else:
            (self._state / f"{port}.json").unlink(missing_ok=True)

    async def _drop(self, port: int) -> None:
        """End a port's connection and wait until it is gone."""
        known = self._keepers.pop(port, None)
        if known is not None:
            known[1].cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await known[1]


async def follow(directory: Path) -> None:
    """Run the carrier until a signal tells it to stop."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await Carrier(directory).run(stop)


def main(arguments: list[str]) -> int:
    """Run the command; returns the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: carrier.py DIRECTORY\n")
        return EXIT_USAGE
    os.umask(0o077)
    asyncio.run(follow(Path(arguments[0])))
    return 0
