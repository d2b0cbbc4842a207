# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The words that hub and gateway exchange: JSON lines over one ssh session, as frozen data.

The gateway greets with ``{"hello": {...}}`` and answers ``{"id": 7, "op": "list"}`` with ``{"id": 7, "ok": true, ...}``
or ``{"id": 7, "ok": false, "code": ..., "message": ...}``, in any order.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

PROTOCOL = 1

RUNNING = "RUNNING"
PENDING = "PENDING"
TERMINAL_STATES = frozenset(
    {
        "BOOT_FAIL",
        "CANCELLED",
        "COMPLETED",
        "DEADLINE",
        "FAILED",
        "LAUNCH_FAILED",
        "NODE_FAIL",
        "OUT_OF_MEMORY",
        "PREEMPTED",
        "RECONFIG_FAIL",
        "REVOKED",
        "TIMEOUT",
    }
)
ENDING_STATES = TERMINAL_STATES | {"COMPLETING", "STOPPED"}
"""States in which a notebook server cannot be used any more."""


class ProtocolError(Exception):
    """The gateway said something that is not in the protocol."""


class GatewayError(Exception):
    """The gateway refused or could not do what was asked.

    Args:
        code: ``bad-request``, ``unknown-op``, ``busy``, ``slurm`` or ``internal``.
        message: the gateway's words; never a secret.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{message} ({code})")
        self.code = code
        self.message = message


@dataclass(frozen=True)
class Hello:
    """The gateway's greeting."""

    protocol: int
    account: str
    slurm: str


@dataclass(frozen=True)
class Answer:
    """One answer line; ``number`` is None when the gateway could not read which request it was."""

    number: int | None
    fields: Mapping[str, Any]
    error: GatewayError | None


@dataclass(frozen=True)
class Job:
    """A job of this account as the gateway lists it; ``start`` is Slurm's expected or real start, in epoch seconds."""

    job_id: int
    state: str
    reason: str
    nodes: str
    start: int | None
    hub_id: str
    user_id: str
    server_id: str
    spawn_id: str


@dataclass(frozen=True)
class TunnelSecrets:
    """What a job needs to open its one tunnel; the key and the certificate are good for one port only."""

    host: str
    port: int
    user: str
    known_hosts: tuple[str, ...]
    private_key: str = field(repr=False)
    certificate: str = field(repr=False)
    notebook_port: int
    api_port: int
    hub_api_port: int


@dataclass(frozen=True)
class Secrets:
    """The part of a request that goes into a 0600 file and nowhere else."""

    env: Mapping[str, str] = field(repr=False)
    tunnel: TunnelSecrets
    base_url: str
    default_url: str


@dataclass(frozen=True)
class Submit:
    """Start a job."""

    spawn_id: str
    user_id: str
    server_id: str
    partition: str
    cpus: int
    memory_mb: int
    time_limit_minutes: int
    gres: str
    account: str
    qos: str
    reservation: str
    image: str
    courses: tuple[Mapping[str, str], ...]
    secrets: Secrets

    def fields(self) -> dict[str, Any]:
        """The request's fields as the gateway expects them."""
        return asdict(self)


def encode(number: int, op: str, fields: Mapping[str, Any]) -> str:
    """One request line, ASCII only, ended by its only newline."""
    return json.dumps({**fields, "id": number, "op": op}) + "\n"


def _object(line: str) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise ProtocolError(f"not a line of JSON: {line[:80]!r}") from None
    if not isinstance(value, dict):
        raise ProtocolError(f"not a JSON object: {line[:80]!r}")
    return value


def decode_hello(line: str) -> Hello:
    """Read the greeting.

    Raises:
        ProtocolError: it is not a greeting, or speaks another protocol.
    """
    try:
        hello = _object(line).get("hello")
    except ProtocolError:
        hello = None
    if not isinstance(hello, dict) or type(hello.get("protocol")) is not int:
        raise ProtocolError(f"the gateway did not greet but said {line[:80]!r}")
    if hello["protocol"] != PROTOCOL:
        other = hello["protocol"]
        raise ProtocolError(f"the gateway speaks protocol {other}, this hub {PROTOCOL}; run the gateway step again")
    return Hello(PROTOCOL, str(hello.get("account", "")), str(hello.get("slurm", "")))


def decode_answer(line: str) -> Answer:
    """Read one answer.

    Raises:
        ProtocolError: the line is no answer.
    """
    fields = _object(line)
    number, ok = fields.pop("id", None), fields.pop("ok", None)
    if (number is not None and type(number) is not int) or not isinstance(ok, bool):
        raise ProtocolError(f"not an answer: {line[:80]!r}")
    error = None if ok else GatewayError(str(fields.get("code", "internal")), str(fields.get("message", "")))
    return Answer(number, fields, error)


def decode_jobs(fields: Mapping[str, Any]) -> tuple[Job, ...]:
    """Read the jobs of a ``list`` answer.

    Raises:
        ProtocolError: a job lacks a field or has one of a wrong type.
    """
    jobs = fields.get("jobs")
    if not isinstance(jobs, list):
        raise ProtocolError("the list of jobs is missing")
    return tuple(_decode_job(job) for job in jobs)


def _decode_job(job: object) -> Job:
    if not isinstance(job, dict):
        raise ProtocolError(f"not a job: {job!r}")
    texts = {name: job.get(name) for name in ("state", "reason", "nodes", "hub_id", "user_id", "server_id", "spawn_id")}
    job_id, start = job.get("job_id"), job.get("start")
    good = type(job_id) is int and (start is None or type(start) is int)
    if not good or not all(isinstance(value, str) for value in texts.values()):
        raise ProtocolError(f"not a job: {job!r}")
    return Job(job_id=job_id, start=start, **texts)  # type: ignore[arg-type]


def decode_job_id(fields: Mapping[str, Any]) -> int:
    """Read the job id of a ``submit`` answer.

    Raises:
        ProtocolError: there is none.
    """
    job_id = fields.get("job_id")
    if type(job_id) is not int or job_id < 1:
        raise ProtocolError(f"submit gave no job id but {job_id!r}")
    return job_id
