# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person with a notebook, as a script: log in, start, run cells, stop."""

from __future__ import annotations

import asyncio
import contextlib
import json
import uuid
from typing import TYPE_CHECKING, Any

from hpcampus_hub.probe import Client, ProbeError, run_in

if TYPE_CHECKING:
    import ssl
    from collections.abc import AsyncIterator

    from tornado.httpclient import HTTPResponse
    from tornado.websocket import WebSocketClientConnection

# Prints the command line of every process of the container that listens on TCP, and of its kernels, as JSON.
LISTENERS = """
import json, pathlib

def listeners():
    tables = [pathlib.Path("/proc/net", name).read_text().splitlines()[1:] for name in ("tcp", "tcp6")]
    listening = {f"socket:[{line.split()[9]}]" for table in tables for line in table if line.split()[3] == "0A"}
    found, kernels = set(), set()
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_text().replace("\\0", " ")
            if "ipykernel" in command:
                kernels.add(command)
            if any(str(handle.readlink()) in listening for handle in (process / "fd").iterdir()):
                found.add(command)
        except OSError:
            pass
    return sorted(found), sorted(kernels)

print(json.dumps(listeners()))
"""


class Notebook:
    """One person and the server she started.

    Args:
        url: Address of the hub.
        user: Name to log in with.
        password: Its password.
        context: TLS settings.
        owner: Whose server it is, if not her own: an instructor opens the server of a course.
    """

    def __init__(self, url: str, user: str, password: str, context: ssl.SSLContext, owner: str = "") -> None:
        self.user = user
        self._password = password
        self._client = Client(url, user, context, owner=owner)
        self.events: list[dict[str, Any]] = []

    async def login(self) -> None:
        """Log in and get a token."""
        await self._client.login(self._password)

    async def start(self, **options: str) -> None:
        """Start the server and wait until it is ready."""
        self.events = await self._client.spawn(options)

    async def ask(self, method: str, path: str, **options: Any) -> HTTPResponse:
        """Send a request with the person's token; every status is fine."""
        return await self._client.fetch(path, method, path, tuple(range(200, 600)), **options)

    async def cell(self, code: str) -> str:
        """Run a cell in a kernel of its own and give what it printed."""
        kernel, channel = await self._client.open_kernel()
        try:
            found = await run_in(channel, code, self.user)
        finally:
            channel.close()
        await self._client.fetch("kernel", "DELETE", f"{self._client.server}/api/kernels/{kernel}", (204,))
        return found.output.strip()

    @contextlib.asynccontextmanager
    async def kernel(self) -> AsyncIterator[Kernel]:
        """Start a kernel that lives as long as the block."""
        kernel, channel = await self._client.open_kernel()
        try:
            yield Kernel(channel, self.user)
        finally:
            channel.close()
            await self._client.fetch("kernel", "DELETE", f"{self._client.server}/api/kernels/{kernel}", (204,))

    async def leave_kernel(self, code: str) -> str:
        """Start a kernel, run a cell in it, and leave it running; give its id."""
        kernel, channel = await self._client.open_kernel()
        try:
            await run_in(channel, code, self.user)
        finally:
            channel.close()
        return kernel

    async def cell_in(self, kernel: str, code: str) -> str:
        """Run a cell in a kernel that was left running and give what it printed."""
        channel = await self._client.open_channel(kernel)
        try:
            return (await run_in(channel, code, self.user)).output.strip()
        finally:
            channel.close()

    async def json_cell(self, code: str) -> Any:
        """Run a cell that prints JSON and give what it says."""
        return json.loads(await self.cell(code))

    async def node(self) -> str:
        """Give the compute node that the server runs on."""
        return await self.cell("import os; print(os.environ['HPCAMPUS_NODE'])")

    async def answers(self) -> bool:
        """Tell whether the notebook server answers the person's browser."""
        return (await self.ask("GET", f"{self._client.server}/api/status", request_timeout=5)).code == 200

    async def has_server(self) -> bool:
        """Tell whether the hub knows a server, ready or on its way."""
        return await self._client.has_server()

    def drop(self) -> None:
        """Close the connections and leave everything else as it is."""
        self._client.close()

    async def stop(self) -> None:
        """Stop the server, if there is one: an earlier test that failed may have left it."""
        if await self._client.has_server():
            await self._client.stop_server(120)

    async def close(self) -> None:
        """Stop the server, if there is one, and log out."""
        try:
            await self.stop()
            await self._client.logout()
        except ProbeError as error:
            if "answered 403" not in str(error):  # never logged in
                raise
        finally:
            self._client.close()


class Kernel:
    """A kernel whose channel is open.

    Args:
        channel: Its websocket.
        user: Name that the messages carry.
    """

    def __init__(self, channel: WebSocketClientConnection, user: str) -> None:
        self._channel = channel
        self._user = user

    async def cell(self, code: str) -> str:
        """Run a cell and give what it printed."""
        return (await run_in(self._channel, code, self._user)).output.strip()

    async def debug(self, command: str, **arguments: Any) -> Any:
        """Send what a debugger sends, over the control channel, and give the content of the reply."""
        number = uuid.uuid4().hex
        header = {"msg_id": number, "msg_type": "debug_request", "username": self._user, "session": uuid.uuid4().hex}
        message = {
            "header": {**header, "date": "2000-01-01T00:00:00Z", "version": "5.3"},
            "parent_header": {},
            "metadata": {},
            "channel": "control",
            "buffers": [],
            "content": {"type": "request", "seq": 1, "command": command, "arguments": arguments},
        }
        await self._channel.write_message(json.dumps(message))
        async with asyncio.timeout(30):
            while True:
                text = await self._channel.read_message()
                if text is None:
                    raise ProbeError("the kernel's channel closed before it answered")
                answer = json.loads(text)
                if answer["header"]["msg_type"] == "debug_reply" and answer["parent_header"].get("msg_id") == number:
                    return answer["content"]
