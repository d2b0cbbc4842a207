# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub orders: one file for each connection, checked field by field. It holds no secret."""

import json
import re
from dataclasses import dataclass, fields
from pathlib import Path

RELAY, FORWARD, DIRECT = WAYS = ("relay", "forward", "direct")
ORDER_BYTES = 16 * 1024
_PUBLIC_KEY = r"(?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)) [A-Za-z0-9+/]{40,2000}={0,2}"
_HOST = r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9])?"
_TEXTS = {
    "spawn_id": r"[0-9a-f]{32}",
    "way": "|".join(WAYS),
    "host": _HOST,
    "user": r"[a-z_][a-z0-9_-]{0,31}",
    "host_key": _PUBLIC_KEY,
    "key_file": r"(?:/[A-Za-z0-9._+-]{1,64}){1,12}",
    "node": _HOST,
    "door_name": r"[0-9a-f]{32}",
    "door_key": _PUBLIC_KEY,
}
_NUMBERS = {
    "port": (1024, 65535),
    "host_port": (1, 65535),
    "job_id": (1, 10**18 - 1),
    "node_port": (0, 65535),
    "hub_api_port": (1, 65535),
}


class OrderError(ValueError):
    """An order breaks a rule; the text names the field."""


@dataclass(frozen=True)
class Order:
    """One connection that is to be up.

    Args:
        port: loopback port of the hub that leads to the notebook; the file's name.
        spawn_id: the hub's name for the start, 32 hex digits.
        way: ``relay``, ``forward`` or ``direct``.
        host: login node, with its ``host_port``, public ``host_key``, and the ``key_file`` to log in with.
        user: account on login node and compute node.
        job_id: Slurm's id of the job.
        node: compute node, with ``node_port``, the job's TCP port there (0 for ``relay``).
        door_name: name of the job's private directory.
        door_key: public key by which the job is known.
        hub_api_port: loopback port of the hub's API.
    """

    port: int
    spawn_id: str
    way: str
    host: str
    host_port: int
    host_key: str
    key_file: str
    user: str
    job_id: int
    node: str
    node_port: int
    door_name: str
    door_key: str
    hub_api_port: int


def check(data: object, port: int) -> Order:
    """Make an order of parsed JSON.

    Args:
        data: the file's content.
        port: the port that the file is named for.

    Raises:
        OrderError: a field is missing, unknown or not allowed.
    """
    names = {field.name for field in fields(Order)}
    if not isinstance(data, dict) or set(data) != names:
        raise OrderError(f"expected an object with {', '.join(sorted(names))}")
    for name, rule in _TEXTS.items():
        if not isinstance(data[name], str) or not re.fullmatch(rule, data[name]):
            raise OrderError(f"{name}: not allowed (rule: {rule[:80]})")
    for name, (low, high) in _NUMBERS.items():
        if type(data[name]) is not int or not low <= data[name] <= high:
            raise OrderError(f"{name}: expected an integer from {low} to {high}")
    if data["port"] != port:
        raise OrderError(f"port: is {data['port']} in a file for {port}")
    if (data["node_port"] == 0) != (data["way"] == RELAY):
        raise OrderError("node_port: is 0 for relay and for nothing else")
    return Order(**data)


def read(path: Path, port: int) -> Order:
    """Read and check an order.

    Raises:
        OrderError: it cannot be read, or breaks a rule.
        FileNotFoundError: it is gone.
    """
    try:
        with path.open("rb") as stream:
            text = stream.read(ORDER_BYTES + 1)
        if len(text) > ORDER_BYTES:
            raise OrderError("the file is too long")
        return check(json.loads(text), port)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise OrderError(f"the file cannot be read: {error.strerror}") from None
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError):
        raise OrderError("the file is not JSON") from None
