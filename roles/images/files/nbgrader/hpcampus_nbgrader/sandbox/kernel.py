# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The child for languages other than Python: runs cells in a Jupyter kernel, and sends what it puts out.

It begins with ``{"kernel": NAME}`` and goes on like :mod:`.shell`. The kernel is a process of the student's, which can end this one too.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellTimeoutError, DeadKernelError
from nbformat import v4

from . import confine, wire
from .task import Limits

CELL_SECONDS_MAX = 24 * 3600
"""The parent measures the time of cells."""


class Cells:
    """The cells of one notebook in a kernel.

    Args:
        handle: of the socket that leads to the parent.
        name: of the kernel.
    """

    def __init__(self, handle: int, name: str) -> None:
        self._handle = handle
        self._notebook = v4.new_notebook(metadata={"kernelspec": {"name": name, "display_name": name}})
        self._client = NotebookClient(
            self._notebook,
            timeout=CELL_SECONDS_MAX,
            kernel_name=name,
            allow_errors=True,
            resources={"metadata": {"path": str(Path.cwd())}},
        )

    async def serve(self, messages: Messages) -> None:
        """Run cells for as long as the parent sends some."""
        async with self._client.async_setup_kernel():
            wire.send(self._handle, {"ready": True})
            while (request := await messages.next()) is not None:
                wire.send(self._handle, await self._run(request))

    async def _run(self, request: wire.Message) -> wire.Message:
        cell = v4.new_code_cell(request["source"])
        self._notebook.cells.append(cell)
        done: wire.Message = {"done": request["cell"], "count": None}
        try:
            await self._client.async_execute_cell(cell, len(self._notebook.cells) - 1)
        except (CellTimeoutError, DeadKernelError) as error:
            done["raised"] = {"ename": type(error).__name__, "evalue": str(error)}
        for output in cell.outputs:
            wire.send(self._handle, {"output": output})
        done["count"] = cell.execution_count
        return done


class Messages:
    """What the parent sends, one after the other."""

    def __init__(self, handle: int) -> None:
        self._socket = socket.socket(fileno=handle)
        self._socket.setblocking(False)
        self._reader = wire.Reader()
        self._held: list[wire.Message] = []

    async def next(self) -> wire.Message | None:
        """The next message; None at the end."""
        loop = asyncio.get_running_loop()
        while not self._held:
            data = await loop.sock_recv(self._socket, 1 << 20)
            if not data:
                return None
            self._held += self._reader.feed(data)
        return self._held.pop(0)


async def live(handle: int) -> None:
    """Wait for the kernel's name and the limits, then run cells."""
    messages = Messages(handle)
    first, second = await messages.next(), await messages.next()
    told: dict[str, Any] = {**(first or {}), **(second or {})}
    confine.limit(Limits.from_json(told["limits"]))
    await Cells(handle, str(told["kernel"])).serve(messages)


def main(handle: int) -> None:
    """The child's life.

    Args:
        handle: of the socket that leads to the parent.
    """
    confine.show_memory()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(live(handle))
