# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Finds out on which ways hub and jobs of a cluster reach each other: the gateway's short job, and a knock of the hub's own."""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from hpcampus_hub.link import LinkDownError
from hpcampus_hub.protocol import GatewayError, ProtocolError, decode_job_id, shown
from hpcampus_hub.settings import Profile, Tunnel

ORDER = ("reverse", "direct", "forward", "relay")
"""Which of several that work is taken: the cheaper first."""

_ANSWER_SECONDS = 180.0
_KNOCK_SECONDS = 10.0
_PORTS = 5


class Asks(Protocol):
    """What asks a cluster's gateway: the hub's link, or a visit of the doctor."""

    async def call(self, op: str, *, timeout: float | None = None, **fields: Any) -> Mapping[str, Any]:  # noqa: ASYNC109
        """Ask one thing; raises GatewayError or LinkDownError."""
        ...


class ReachError(Exception):
    """Nothing was found out; the text says why."""


@dataclass(frozen=True)
class Reach:
    """What was found on one node of a cluster.

    Args:
        node: the node.
        ways: for each of ``ORDER`` why it does not work, or an empty text.
    """

    node: str
    ways: Mapping[str, str]

    @property
    def best(self) -> str | None:
        """The way to take, if any works."""
        return next((name for name in ORDER if self.ways[name] == ""), None)

    def story(self) -> str:
        """All four ways in one sentence."""
        return "; ".join(f"{name}: {self.ways[name] or 'works'}" for name in ORDER)


def _door_ports(tunnel: Tunnel) -> list[int]:
    """Some of the ports at which jobs may have their doors, for a firewall opens no other; several, as a node may have one in use."""
    ports = range(tunnel.port_min, tunnel.port_max + 1)
    return secrets.SystemRandom().sample(ports, min(_PORTS, len(ports)))


async def reach(link: Asks, tunnel: Tunnel, profile: Profile) -> Reach:
    """Try every data path of a cluster with one short job; takes a few seconds, or a minute where the queue is long.

    Args:
        link: asks the cluster's gateway.
        tunnel: how jobs find the hub.
        profile: where and on whose account the job is to run.

    Raises:
        ReachError: the cluster cannot be asked, or the job did not start.
    """
    hub = {
        "host": tunnel.host,
        "port": tunnel.port,
        "user": tunnel.user,
        "known_hosts": list(tunnel.known_hosts),
    }
    ports = _door_ports(tunnel)
    place = {name: getattr(profile, name) for name in ("partition", "account", "qos", "reservation")}
    try:
        answer = await link.call("reach", timeout=_ANSWER_SECONDS, hub=hub, ports=ports, **place)
        job_id, node, port, token, ways = _decode(answer, ports)
        try:
            if ways["direct"] == "":
                ways["direct"] = await _knock(node, port, token)
        finally:
            await link.call("cancel", job_id=job_id)
    except (GatewayError, LinkDownError, ProtocolError) as error:
        raise ReachError(str(error)) from error
    return Reach(node, ways)


def _decode(answer: Mapping[str, Any], ports: list[int]) -> tuple[int, str, int, str, dict[str, str]]:
    """Read the gateway's answer."""
    node, port, token, ways = (answer.get(name) for name in ("node", "port", "token", "ways"))
    if (
        not isinstance(node, str)
        or type(port) is not int
        or port not in ports
        or not isinstance(token, str)
        or not isinstance(ways, dict)
        or not all(isinstance(ways.get(name), str) for name in ORDER)
    ):
        raise ProtocolError("the answer on the data paths is not one")
    return decode_job_id(answer), shown(node), port, token, {name: shown(ways[name]) for name in ORDER}


async def _knock(node: str, port: int, token: str) -> str:
    """Why the hub does not reach the node's port; empty when it does."""
    try:
        async with asyncio.timeout(_KNOCK_SECONDS):
            reader, writer = await asyncio.open_connection(node, port)
            try:
                told = await reader.readline()
            finally:
                writer.close()
    except TimeoutError:
        return f"{node}, port {port}, does not answer the hub"
    except (OSError, ValueError) as error:
        return shown(f"{node}, port {port}, cannot be reached from the hub: {error}")
    return "" if told.decode("ascii", "replace").strip() == token else "another program answers on the port of the node"
