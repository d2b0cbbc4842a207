# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A login node and a job for the carrier's real ssh programs: two ssh servers on loopback that forward unix sockets and nothing else."""

import asyncio
import contextlib
import json
import os
import shutil
import socket
from pathlib import Path
from typing import Any

import asyncssh

from hpcampus_carrier import commands

SPAWN = "0123456789abcdef0123456789abcdef"
DOOR = "fedcba9876543210fedcba9876543210"
ACCOUNT = "hpcampus"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def public(key: asyncssh.SSHKey) -> str:
    return " ".join(key.export_public_key("openssh").decode().split()[:2])


class _JobServer(asyncssh.SSHServer):
    """Forwards to unix sockets, and listens on some."""

    def connection_requested(self, *_: Any) -> bool:
        return False

    def unix_connection_requested(self, dest_path: str) -> bool:  # noqa: ARG002
        return True

    def unix_server_requested(self, listen_path: str) -> bool:  # noqa: ARG002
        return True


class Peers:
    """Both servers, and the hub's API and the notebook at the ends of the way."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.private = Path(commands.PRIVATE_ROOT + DOOR)
        self.link_key, self.path_key, self.login_key, self.job_key = (
            asyncssh.generate_private_key("ssh-ed25519") for _ in range(4)
        )
        self.words: list[str] = []
        self.job_port, self.login_port, self.api_port, self.port = (free_port() for _ in range(4))
        self.refusal = ""
        """What the gateway says instead of carrying."""
        self._servers: list[Any] = []

    async def start(self) -> None:
        shutil.rmtree(self.private, ignore_errors=True)
        (self.private / "h").mkdir(parents=True, mode=0o700)
        for name, key in (("link_key", self.link_key), ("key", self.path_key)):
            path = self.directory / name
            key.write_private_key(path)
            path.chmod(0o600)
        self._servers = [
            await asyncssh.listen(
                "127.0.0.1",
                self.job_port,
                server_factory=_JobServer,
                server_host_keys=[self.job_key],
                authorized_client_keys=asyncssh.import_authorized_keys(public(self.path_key)),
            ),
            await asyncssh.listen(
                "127.0.0.1",
                self.login_port,
                server_host_keys=[self.login_key],
                authorized_client_keys=asyncssh.import_authorized_keys(public(self.link_key)),
                process_factory=self._gateway,
                encoding=None,
            ),
            await asyncio.start_unix_server(self._answer(b"notebook"), self.private / "notebook.sock"),
            await asyncio.start_server(self._answer(b"hub"), "127.0.0.1", self.api_port),
        ]

    async def stop(self) -> None:
        for server in self._servers:
            server.close()
        shutil.rmtree(self.private, ignore_errors=True)

    @staticmethod
    def _answer(name: bytes) -> Any:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            line = await reader.readline()
            writer.write(name + b" heard " + line)
            await writer.drain()
            writer.close()

        return answer

    async def _gateway(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        self.words.append(process.command or "")
        if self.refusal:
            process.stderr.write(self.refusal.encode() + b"\n")
            process.exit(77)
            return
        reader, writer = await asyncio.open_connection("127.0.0.1", self.job_port)
        await process.redirect(stdin=writer, stdout=reader)
        await process.wait_closed()
        writer.close()

    def order(self, **changes: Any) -> dict[str, Any]:
        way = changes.get("way", "relay")
        return {
            "port": self.port,
            "spawn_id": SPAWN,
            "way": way,
            "host": "127.0.0.1",
            "host_port": self.login_port,
            "host_key": public(self.login_key),
            "key_file": str(self.directory / "link_key"),
            "user": ACCOUNT,
            "job_id": 7,
            "node": "127.0.0.1",
            "node_port": 0 if way == "relay" else self.job_port,
            "door_name": DOOR,
            "door_key": public(self.job_key),
            "hub_api_port": self.api_port,
            **changes,
        }

    def place(self, text: str | None = None, **changes: Any) -> Path:
        """Write an order whole."""
        path = self.directory / "orders" / f"{self.port}.json"
        path.parent.mkdir(exist_ok=True)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(self.order(**changes)) if text is None else text)
        draft.replace(path)
        return path

    def state(self) -> dict[str, Any] | None:
        try:
            value: dict[str, Any] = json.loads((self.directory / "state" / f"{self.port}.json").read_text())
        except (OSError, ValueError):
            return None
        return value

    def is_up(self) -> bool:
        state = self.state()
        return state is not None and state["up"]

    async def ask_notebook(self) -> bytes:
        """From the hub's end to the notebook."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(b"you\n")
        answer = await reader.readline()
        writer.close()
        return answer

    async def notebook_answers(self) -> bool:
        try:
            return await self.ask_notebook() == b"notebook heard you\n"
        except OSError:
            return False

    async def ask_hub(self) -> bytes:
        """From the job's end to the hub's API."""
        (path,) = (self.private / "h").iterdir()
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(b"you\n")
        answer = await reader.readline()
        writer.close()
        return answer


def ssh_processes(parent: int) -> list[int]:
    """The ssh programs that a process has started."""
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError, IndexError):
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
                if int(fields[1]) == parent and (entry / "comm").read_text() == "ssh\n" and fields[0] != "Z":
                    found.append(int(entry.name))
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
