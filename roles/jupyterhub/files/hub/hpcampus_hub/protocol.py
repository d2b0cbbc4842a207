# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The words that hub and gateway exchange: JSON lines over one ssh session, as frozen data.

The gateway greets with ``{"hello": {...}}`` and answers ``{"id": 7, "op": "list"}`` with ``{"id": 7, "ok": true, ...}``
or ``{"id": 7, "ok": false, "code": ..., "message": ...}``, in any order.

What the gateway says ends up in logs and on pages, so that its texts are made fit to be shown, and its numbers bounded, here.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

PROTOCOL = 1
SHOWN_MAX = 200
JOB_ID_MAX = 10**18 - 1
START_MAX = 4102444800
"""The year 2100 in epoch seconds: a later start is as good as unknown."""

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


def shown(text: str) -> str:
    """A text fit for a log and a page: on one line, of at most ``SHOWN_MAX`` characters, what cannot be seen written out."""
    head = re.sub(r"[ \t\r\n]+", " ", text[: 4 * SHOWN_MAX]).strip(" ")
    visible = "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in head)
    cut = len(visible) > SHOWN_MAX or len(text) > 4 * SHOWN_MAX
    return visible[: SHOWN_MAX - 1] + "…" if cut else visible


def _shown_value(value: object) -> str:
    """Any JSON value, fit to be shown."""
    try:
        return shown(value if isinstance(value, str) else repr(value))
    except (RecursionError, ValueError):
        return f"a {type(value).__name__} that is too large to show"


class ProtocolError(Exception):
    """The gateway said something that is not in the protocol."""


class GatewayError(Exception):
    """The gateway refused or could not do what was asked.

    Args:
        code: ``bad-request``, ``unknown-op``, ``busy``, ``slurm`` or ``internal``.
        message: the gateway's words; never a secret. They are cut, see :func:`shown`.
    """

    def __init__(self, code: str, message: str) -> None:
        self.code = shown(code)
        self.message = shown(message)
        super().__init__(f"{self.message} ({self.code})")


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
    """A job as the gateway lists it; ``start`` is Slurm's expected or real start, in epoch seconds.

    ``account`` is who submitted it, as Slurm says ("" from a gateway that does not tell); the ids are what its comment says.
    """

    job_id: int
    state: str
    reason: str
    nodes: str
    start: int | None
    hub_id: str
    user_id: str
    server_id: str
    spawn_id: str
    account: str = ""


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
class DoorSecrets:
    """What a job needs to let the hub in: the private key by which the hub knows it, and the one key that it lets in."""

    name: str
    """32 hex digits that nobody else knows until the job has made its private directory of that name."""

    host_key: str = field(repr=False)
    authorized_key: str
    port: int
    """TCP port of the node to listen on, or 0 where the hub comes through Slurm."""

    api_port: int


@dataclass(frozen=True)
class Secrets:
    """The part of a request that goes into a 0600 file and nowhere else; of tunnel and door one is there."""

    env: Mapping[str, str] = field(repr=False)
    tunnel: TunnelSecrets | None
    base_url: str
    default_url: str
    door: DoorSecrets | None = None
    standby: str | None = field(default=None, repr=False)
    """What a hand-over must know, for a job that waits until it is known whose it is."""
    webdav: Mapping[str, str] | None = field(default=None, repr=False)
    """The person's WebDAV folder: url, user, password, name."""


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
    overlay_mb: int
    courses: tuple[Mapping[str, str | bool], ...]
    secrets: Secrets

    def fields(self) -> dict[str, Any]:
        """The request's fields as the gateway expects them."""
        fields = asdict(self)
        fields["secrets"] = {name: value for name, value in fields["secrets"].items() if value is not None}
        return fields


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
        raise ProtocolError(
            f"the gateway speaks protocol {_shown_value(other)}, this hub {PROTOCOL}; run the gateway step again"
        )
    return Hello(PROTOCOL, _shown_value(hello.get("account", "")), _shown_value(hello.get("slurm", "")))


def decode_answer(line: str) -> Answer:
    """Read one answer.

    Raises:
        ProtocolError: the line is no answer.
    """
    fields = _object(line)
    number, ok = fields.pop("id", None), fields.pop("ok", None)
    if (number is not None and type(number) is not int) or not isinstance(ok, bool):
        raise ProtocolError(f"not an answer: {line[:80]!r}")
    if ok:
        return Answer(number, fields, None)
    code, message = fields.get("code", "internal"), fields.get("message", "")
    return Answer(number, fields, GatewayError(_shown_value(code), _shown_value(message)))


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
        raise ProtocolError(f"not a job: {_shown_value(job)}")
    texts = {name: job.get(name) for name in ("state", "reason", "nodes", "hub_id", "user_id", "server_id", "spawn_id")}
    texts["account"] = job.get("account", "")
    job_id, start = job.get("job_id"), job.get("start")
    good = _is_job_id(job_id) and (start is None or type(start) is int)
    if not good or not all(isinstance(value, str) for value in texts.values()):
        raise ProtocolError(f"not a job: {_shown_value(job)}")
    if start is not None and not 0 <= start <= START_MAX:
        start = None
    return Job(job_id=job_id, start=start, **{name: shown(str(value)) for name, value in texts.items()})  # type: ignore[arg-type]


def _is_job_id(value: object) -> bool:
    return type(value) is int and 1 <= value <= JOB_ID_MAX


def decode_job_id(fields: Mapping[str, Any]) -> int:
    """Read the job id of a ``submit`` answer.

    Raises:
        ProtocolError: there is none.
    """
    job_id = fields.get("job_id")
    if not _is_job_id(job_id):
        raise ProtocolError(f"submit gave no job id but {_shown_value(job_id)}")
    return int(job_id)  # type: ignore[arg-type]
