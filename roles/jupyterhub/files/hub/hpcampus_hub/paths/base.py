# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the spawner asks of a data path, whichever it is."""

from dataclasses import dataclass
from typing import Protocol

from hpcampus_hub.protocol import DoorSecrets, TunnelSecrets
from hpcampus_hub.record import SpawnRecord

REVERSE = "reverse"


class PathError(Exception):
    """The path cannot be offered to a job; the text says why and what to do."""


@dataclass(frozen=True)
class Offer:
    """What a job gets to use a path, and the record with what the hub must remember of it; one of the two is None."""

    record: SpawnRecord
    tunnel: TunnelSecrets | None = None
    door: DoorSecrets | None = None


class DataPath(Protocol):
    """A way between the hub's loopback port of a server and its job, in both directions.

    Every method may be called again: what is done already is not done twice.
    """

    name: str
    """How settings and records call it."""

    words: str
    """How people call it, as in "connecting (...)"."""

    async def offer(self, record: SpawnRecord, hub_api_port: int, seconds: int) -> Offer:
        """Make what a new job needs.

        Args:
            record: the server's record; its port is leased.
            hub_api_port: loopback port of the hub's API.
            seconds: for how long the job may need it.

        Raises:
            PathError: it cannot be made.
        """
        ...

    def open(self, record: SpawnRecord, hub_api_port: int) -> None:
        """Have the path up and kept up: the job runs, on the node that the record names.

        Raises:
            PathError: it cannot be told to whoever opens it.
        """
        ...

    def close(self, record: SpawnRecord) -> None:
        """End the path now, a session that is open too."""
        ...

    def trouble(self, record: SpawnRecord) -> str:
        """Why the path is not up at the moment; empty when it is up or nobody knows."""
        ...

    def tidy(self, owned: frozenset[str], grace: float) -> None:
        """Close what belongs to none of the owned spawn ids and is older than ``grace`` seconds."""
        ...
