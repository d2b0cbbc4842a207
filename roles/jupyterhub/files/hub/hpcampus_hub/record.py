# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub's database remembers of a server's job, so that a restarted hub finds it again. It holds no secret."""

import enum
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Self

from .ports import Lease


class Phase(enum.StrEnum):
    """How far a server has come."""

    SUBMITTING = "submitting"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"


LEGS = (
    ("submit", "requested", "submitted"),
    ("queue", "submitted", "running"),
    ("tunnel", "running", "tunnel"),
    ("server", "tunnel", "ready"),
)
"""The legs of a start, each between two marks: key, certificate and sbatch; Slurm; job and tunnel; notebook server."""


@dataclass(frozen=True)
class SpawnRecord:
    """One server's job.

    Args:
        spawn_id: 32 hex digits, this hub's name for the start; the job's comment carries it.
        cluster: the cluster's name.
        port: loopback port of the tunnel.
        serial: the certificate's serial.
        phase: how far it has come.
        deadline: epoch second by which it must be ready.
        job_id: Slurm's id, once known.
        node: where it runs, once known.
        account: the Unix account on the cluster; "" is the service account.
        marks: epoch seconds of what happened, see ``LEGS``.
        path: name of its data path.
        door_name: name of the job's private directory, where the hub comes to the job.
        door_key: public key by which the hub then knows the job.
    """

    spawn_id: str
    cluster: str
    port: int
    serial: int
    phase: Phase
    deadline: float
    job_id: int | None = None
    node: str = ""
    account: str = ""
    marks: Mapping[str, float] = field(default_factory=dict)
    path: str = "reverse"
    door_name: str = ""
    door_key: str = ""

    @property
    def lease(self) -> Lease:
        """The port and the serial that may use it."""
        return Lease(self.port, self.serial)

    def marked(self, name: str, now: float) -> Self:
        """The record with a mark; the first of a name counts."""
        return self if name in self.marks else replace(self, marks={**self.marks, name: now})

    def legs(self) -> dict[str, float]:
        """Seconds of each leg whose ends are known."""
        return {
            name: round(max(0.0, self.marks[end] - self.marks[begin]), 3)
            for name, begin, end in LEGS
            if begin in self.marks and end in self.marks
        }

    def state(self) -> dict[str, Any]:
        """The record as JSON-able data."""
        return {**asdict(self), "phase": self.phase.value}

    @classmethod
    def from_state(cls, state: Mapping[str, Any]) -> Self | None:
        """Read a record back; None when the data is not one (another version's, another spawner's)."""
        try:
            record = cls(**{**state, "phase": Phase(state["phase"])})
        except (TypeError, KeyError, ValueError):
            return None
        integers: tuple[object, ...] = (record.port, record.serial, 0 if record.job_id is None else record.job_id)
        texts: tuple[object, ...] = (
            record.spawn_id,
            record.cluster,
            record.node,
            record.account,
            record.path,
            record.door_name,
            record.door_key,
        )
        marks: object = record.marks
        numbers: tuple[object, ...] = (record.deadline, *(marks.values() if isinstance(marks, Mapping) else (None,)))
        good = (
            all(type(value) is int for value in integers)
            and all(isinstance(text, str) for text in texts)
            and all(isinstance(number, int | float) for number in numbers)
        )
        return record if good else None
