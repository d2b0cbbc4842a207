# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""``relay``, ``forward`` and ``direct``: the job has an sshd of its own, and the hub's side connects to it.

The three differ in the way to that sshd only. The connection is kept up by the carrier, a unit of its own, which is told by one file
for each port what is to be up; so it outlives the hub's process. What the hub remembers of a job's door is no secret: the private
half of the host key goes to the job and is forgotten here.
"""

import contextlib
import json
import secrets
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh

from hpcampus_hub.protocol import DoorSecrets, shown
from hpcampus_hub.record import SpawnRecord
from hpcampus_hub.settings import API_PORT_OFFSET, Cluster
from hpcampus_hub.whole import write_whole

from .base import Offer, PathError

WORDS = {
    "relay": "relay, through Slurm on the login node",
    "forward": "forward, through the login node to a port of the compute node",
    "direct": "direct, to a port of the compute node",
}


class Desk:
    """The carrier's directory: orders that the hub writes, states that it reads, and the key that jobs let in.

    Args:
        directory: the carrier's directory; what is missing in it is made.
    """

    def __init__(self, directory: str) -> None:
        self._directory = Path(directory)
        self._orders = self._directory / "orders"
        self._written: dict[int, str] = {}

    def public_key(self) -> str:
        """The public half of the key with which jobs let the hub in, type and key; made at its first use.

        Raises:
            PathError: it can neither be read nor made.
        """
        path = self._directory / "key"
        try:
            with contextlib.suppress(FileNotFoundError):
                key = asyncssh.read_private_key(path)
                return " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
            key = asyncssh.generate_private_key("ssh-ed25519")
            write_whole(path, key.export_private_key("openssh").decode("ascii"))
            return " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
        except (OSError, asyncssh.KeyImportError) as error:
            raise PathError(
                f"the key {path} of the data paths cannot be used ({error}); run the hub step again"
            ) from error

    def order(self, port: int, fields: Mapping[str, Any]) -> None:
        """Order a connection, unless it is ordered already.

        Raises:
            PathError: the order cannot be written.
        """
        text = json.dumps(fields, sort_keys=True) + "\n"
        path = self._orders / f"{port}.json"
        if self._written.get(port) == text:
            return
        try:
            self._orders.mkdir(mode=0o700, exist_ok=True)
            if self._read(path) != fields:
                write_whole(path, text)
        except OSError as error:
            raise PathError(f"{path} cannot be written ({error.strerror}); run the hub step again") from error
        self._written[port] = text

    def withdraw(self, port: int, spawn_id: str) -> None:
        """Take an order back, unless the port is another server's by now."""
        path = self._orders / f"{port}.json"
        known = self._read(path)
        if known is None or known.get("spawn_id") in (spawn_id, None):
            self._written.pop(port, None)
            path.unlink(missing_ok=True)

    def error(self, port: int, spawn_id: str) -> str | None:
        """The last thing that went wrong with a connection; None when it is up, or nothing is known.

        That the first try fails is no news: the job may not have begun to listen.
        """
        state = self._read(self._directory / "state" / f"{port}.json")
        if state is None or state.get("up") is True or state.get("spawn_id") not in (spawn_id, ""):
            return None
        if state.get("spawn_id") and state.get("tries") in (0, 1):
            return None
        return shown(str(state.get("error", "")))

    def tidy(self, owned: frozenset[str], grace: float) -> None:
        """Take back orders of servers that are no longer there."""
        for path in self._orders.glob("[0-9]*.json"):
            with contextlib.suppress(FileNotFoundError, ValueError):
                spawn_id = (self._read(path) or {}).get("spawn_id")
                if spawn_id not in owned and time.time() - path.stat().st_mtime > grace:
                    path.unlink()
                    self._written.pop(int(path.stem), None)

    @staticmethod
    def _read(path: Path) -> dict[str, Any] | None:
        """A file's JSON object, or None."""
        try:
            value = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None


class Carried:
    """A path on which the carrier connects to the job's own sshd.

    Args:
        name: ``relay``, ``forward`` or ``direct``.
        clusters: the clusters by name.
        desk: where the carrier is told what to do.
    """

    def __init__(self, name: str, clusters: Mapping[str, Cluster], desk: Desk) -> None:
        self.name = name
        self.words = WORDS[name]
        self._clusters = clusters
        self._desk = desk

    def _node_port(self, record: SpawnRecord) -> int:
        """The job's port on its node: the hub's own port for it, which no other job of this hub has."""
        return 0 if self.name == "relay" else record.port

    async def offer(self, record: SpawnRecord, hub_api_port: int, seconds: int) -> Offer:  # noqa: ARG002 (no certificate)
        """Make the host key of the job's sshd.

        Raises:
            PathError: the hub's own key is missing.
        """
        key = asyncssh.generate_private_key("ssh-ed25519")
        public = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
        door = DoorSecrets(
            name=secrets.token_hex(16),
            host_key=key.export_private_key("openssh").decode("ascii"),
            authorized_key=self._desk.public_key(),
            port=self._node_port(record),
            api_port=record.port + API_PORT_OFFSET,
        )
        return Offer(replace(record, door_name=door.name, door_key=public), door=door)

    def open(self, record: SpawnRecord, hub_api_port: int) -> None:
        """Order the connection.

        Raises:
            PathError: the order cannot be written, or the cluster is no longer configured.
        """
        cluster = self._clusters.get(record.cluster)
        if cluster is None:
            raise PathError(f"its cluster {record.cluster} is no longer configured")
        self._desk.order(
            record.port,
            {
                "port": record.port,
                "spawn_id": record.spawn_id,
                "way": self.name,
                "host": cluster.host,
                "host_port": cluster.port,
                "host_key": cluster.host_key,
                "key_file": cluster.key_file,
                "user": cluster.user,
                "job_id": record.job_id,
                "node": record.node,
                "node_port": self._node_port(record),
                "door_name": record.door_name,
                "door_key": record.door_key,
                "hub_api_port": hub_api_port,
            },
        )

    def close(self, record: SpawnRecord) -> None:
        """Take the order back: the carrier ends the connection at once."""
        self._desk.withdraw(record.port, record.spawn_id)

    def trouble(self, record: SpawnRecord) -> str:
        """The last thing that went wrong; empty when the connection is up or nothing is known."""
        return self._desk.error(record.port, record.spawn_id) or ""

    def tidy(self, owned: frozenset[str], grace: float) -> None:
        """Take back orders of servers that are no longer there."""
        self._desk.tidy(owned, grace)
