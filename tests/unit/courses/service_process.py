# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course service in a process of its own, which may be killed at a chosen moment or have a small disk."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.unit.courses.client import Client
from tests.unit.courses.hub_stand_in import OWN_TOKEN, HubStandIn
from tests.unit.courses.nursery import LIBRARIES, Nursery
from tests.unit.courses.site import PEOPLE, configuration
from tests.unit.hub.hub_process import free_port, until


class ServiceProcess:
    """The service and the hub that it asks."""

    def __init__(self, directory: Path, hub: HubStandIn, nursery: Nursery) -> None:
        self._nursery = nursery
        self.hub = hub
        hub.users = {name: [] for name in PEOPLE}
        self.directory = directory
        self.port = free_port()
        self.log_file = directory / "service.log"
        self.crash_file = directory / "crash"
        self.config = directory / "config.json"
        self.settings: dict[str, Any] = {**configuration(directory, hub), "port": self.port}
        self.crash_at: tuple[str, str] | None = None
        self.disk_mb = 0
        self._pid: int | None = None
        self._with_disk: subprocess.Popen[bytes] | None = None
        (directory / "token").write_text(OWN_TOKEN)

    @property
    def state(self) -> Path:
        """The directory of the service, as the service sees it."""
        path = Path(self.settings["state_dir"])
        return Path(f"/proc/{self.pid}/root{path}") if self.disk_mb else path

    @property
    def pid(self) -> int:
        assert self._pid is not None
        return self._pid

    @property
    def log(self) -> str:
        return self.log_file.read_text()

    def as_(self, name: str) -> Client:
        return Client(self.port, name)

    def write_config(self) -> None:
        self.config.write_text(json.dumps(self.settings))

    def launch(self, *arguments: str) -> None:
        """Start the process without waiting for it."""
        self.write_config()
        arguments = ("--config", str(self.config), *arguments)
        if self.disk_mb:
            self._launch_with_disk(arguments)
            return
        crash = (str(self.crash_file), *self.crash_at) if self.crash_at else None
        self._pid = self._nursery.start(arguments, self.log_file, self.directory, crash)

    def _launch_with_disk(self, arguments: Sequence[str]) -> None:
        mount = f'mount -t tmpfs -o size={self.disk_mb}m none "$1" && shift && exec "$@"'
        state, program = self.settings["state_dir"], [sys.executable, "-m", "hpcampus_courses.app", *arguments]
        environment = {**os.environ, "PYTHONPATH": LIBRARIES, "CREDENTIALS_DIRECTORY": str(self.directory)}
        with self.log_file.open("ab") as log:
            self._with_disk = subprocess.Popen(
                ["unshare", "-rm", "sh", "-c", mount, "sh", state, *program], stdout=log, stderr=log, env=environment
            )
        self._pid = self._with_disk.pid

    def _status(self) -> int | None:
        return self._nursery.status(self.pid) if self._with_disk is None else self._with_disk.poll()

    async def start(self) -> None:
        """Start the process, and wait until it answers."""
        self.launch()
        try:
            await until(self._answers, 60)
        except AssertionError:
            raise AssertionError(self.log) from None

    async def _answers(self) -> bool:
        assert self._status() is None, self.log
        try:
            return (await Client(self.port).get("health")).status == 200
        except OSError:
            return False

    def send_signal(self, number: signal.Signals) -> None:
        os.kill(self.pid, number)

    async def ended(self) -> int:
        """Wait for the end, and give the exit status."""
        deadline = time.monotonic() + 60
        while (status := self._status()) is None:
            assert time.monotonic() < deadline, self.log
            await asyncio.sleep(0.02)
        self._pid = None
        return status

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        if self._pid is None:
            return 0
        self.send_signal(how)
        return await self.ended()

    def memory_peak_mb(self) -> float:
        """The most memory that the process has used."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM:")).split()[1]) / 1024

    def files(self) -> dict[str, Path]:
        """The files that are kept, by name."""
        return {path.name: path for path in (self.state / "content").glob("??/*")}
