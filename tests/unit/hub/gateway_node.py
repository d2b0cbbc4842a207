# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A login node for tests whose forced command is the gateway itself, as it is installed on clusters."""

import asyncio
import contextlib
import json
import sys
from pathlib import Path
from typing import Any

import asyncssh

from tests.unit.gateway.loading import FILES


class GatewayNode:
    """An ssh server on loopback that starts the real gateway; its attributes are the knobs of a test."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir()
        self.base = directory / "base"
        (self.base / "users").mkdir(parents=True)
        self.key_file = directory / "id_ed25519"
        self._config = directory / "gateway.json"
        self._client_key = asyncssh.generate_private_key("ssh-ed25519")
        self._client_key.write_private_key(self.key_file)
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self._acceptor: asyncssh.SSHAcceptor | None = None
        self.port = 0
        self.words: list[str] = []
        """What was asked for."""
        self.cut_after = 0
        """Break the connection after so many lines of an answer."""
        self.command = [sys.executable, "-I", str(FILES / "gateway.py"), "--config", str(self._config)]
        self.configure()

    def configure(self, **changes: Any) -> None:
        """Write the gateway's configuration."""
        settings = {"hub_id": "hub", "base_dir": str(self.base), "partitions": [], "apptainer": "apptainer", **changes}
        self._config.write_text(json.dumps(settings))

    def cluster(self, **changes: Any) -> dict[str, Any]:
        """The cluster for the hub's configuration."""
        key = self._host_key.export_public_key("openssh").decode().strip()
        return {
            "name": "lab",
            "host": "127.0.0.1",
            "port": self.port,
            "user": "hpcampus",
            "host_key": " ".join(key.split()[:2]),
            "base_dir": "/srv/hpcampus",
            "key_file": str(self.key_file),
            **changes,
        }

    def make_homes(self, *people: str) -> None:
        for person in people:
            self.home(person).mkdir(parents=True)

    def home(self, person: str) -> Path:
        return self.base / "users" / person / "home"

    async def start(self) -> None:
        keys = asyncssh.import_authorized_keys(self._client_key.export_public_key("openssh").decode())
        self._acceptor = await asyncssh.listen(
            "127.0.0.1",
            self.port,
            server_host_keys=[self._host_key],
            authorized_client_keys=keys,
            process_factory=self._serve,
            encoding=None,
        )
        self.port = self._acceptor.get_port()

    async def stop(self) -> None:
        if self._acceptor is not None:
            self._acceptor.close()
            await self._acceptor.wait_closed()
            self._acceptor = None

    async def _serve(self, process: asyncssh.SSHServerProcess[bytes]) -> None:
        word = process.command or ""
        self.words.append(word.split()[0])
        pipe = asyncio.subprocess.PIPE
        gateway = await asyncio.create_subprocess_exec(
            *self.command, env={"SSH_ORIGINAL_COMMAND": word}, stdin=pipe, stdout=pipe, stderr=pipe
        )
        assert gateway.stdin is not None
        assert gateway.stdout is not None
        assert gateway.stderr is not None
        pumps = [asyncio.create_task(_pump(process.stdin, gateway.stdin))]
        if self.cut_after and word.startswith("tree"):
            for _ in range(self.cut_after):
                process.stdout.write(await gateway.stdout.readline())
            await process.stdout.drain()
            await asyncio.sleep(0.05)
            process.channel.get_connection().abort()
            gateway.kill()
        else:
            await asyncio.gather(_pump(gateway.stdout, process.stdout), _pump(gateway.stderr, process.stderr))
        status = await gateway.wait()
        for pump in pumps:
            pump.cancel()
        process.exit(status)


async def _pump(source: Any, sink: Any) -> None:
    """Copy a stream to its end; a program's standard input ends with it, a channel with the program."""
    with contextlib.suppress(OSError, asyncssh.Error):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()
        if isinstance(sink, asyncio.StreamWriter):
            sink.write_eof()
