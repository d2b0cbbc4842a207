# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The gateway's words ``homes`` and ``tree``, over the connections that the hub's own key opens."""

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterable, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Any

import asyncssh

from hpcampus_hub.link import LinkTimes, connect, explain
from hpcampus_hub.protocol import shown
from hpcampus_hub.settings import Cluster

from .repository import Pack
from .state import COUNTS, Person

CHUNK_BYTES = 256 * 1024
ANSWER_SECONDS = 1800.0
SKIPPED_MAX = 20
COUNT_MAX = 1_000_000

logging.getLogger("asyncssh").setLevel(logging.WARNING)


class DeliveryError(Exception):
    """A cluster did not take what was brought, or not all of it; the text says why."""


class Doors:
    """One connection to each cluster's login node, opened when it is needed.

    Args:
        clusters: by name.
        times: waiting times.
    """

    def __init__(self, clusters: Mapping[str, Cluster], times: LinkTimes | None = None) -> None:
        self._clusters = clusters
        self._times = times or LinkTimes()
        self._open: dict[str, asyncssh.SSHClientConnection] = {}
        self._closed: dict[str, str] = {}

    async def close(self) -> None:
        """Close every connection."""
        for connection in self._open.values():
            connection.abort()
            await connection.wait_closed()
        self._open.clear()

    async def homes(self, cluster: str, members: Iterable[str] | None, day: str) -> set[str]:
        """Ids of the members who have a home on a cluster, of everybody there when no members are given.

        Raises:
            DeliveryError: the cluster cannot be asked.
        """
        found = set()
        async with aclosing(self._ask(cluster, "homes", members, day, None)) as answers:
            async for answer in answers:
                found.add(_text(answer, "id"))
        return found if members is None else found & set(members)

    async def send(
        self, cluster: str, course: str, pack: Pack, members: Collection[str], day: str
    ) -> AsyncIterator[Person]:
        """Bring a pack to homes; each home's outcome comes as soon as it is known.

        Raises:
            DeliveryError: the cluster did not take it, or did not finish; what came before holds.
        """
        wanted = set(members)
        word = f"tree {course} {pack.sha256} {pack.size}"
        async with aclosing(self._ask(cluster, word, members, day, pack)) as answers:
            async for answer in answers:
                person = _person(answer, cluster)
                if person.id not in wanted:
                    raise DeliveryError(f"the gateway answered for {shown(person.id)}, whom nobody asked for")
                wanted.discard(person.id)
                yield person

    async def _ask(
        self, cluster: str, word: str, members: Iterable[str] | None, day: str, pack: Pack | None
    ) -> AsyncGenerator[dict[str, Any], None]:
        """Say a word, send what belongs to it, and give the answers up to the last."""
        header = json.dumps({"members": None if members is None else sorted(members), "day": day}).encode() + b"\n"
        try:
            async with asyncio.timeout(ANSWER_SECONDS), self._process(cluster, word) as process:
                sending = asyncio.create_task(_send(process, header, pack))
                try:
                    while line := await process.stdout.readline():
                        answer = _read(line)
                        if answer.get("done") is True:
                            await process.wait_closed()
                            return
                        yield answer
                    complaint = shown((await process.stderr.read(2000)).decode("utf-8", "replace"))
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)
        except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
            await self._drop(cluster)
            raise DeliveryError(explain(error, self._clusters[cluster])) from None
        if complaint.startswith("refused"):
            complaint = "the gateway there does not know how to bring files; run the gateway step again"
        raise DeliveryError(complaint.removeprefix("gateway: ") or "the gateway ended before it had answered for all")

    @asynccontextmanager
    async def _process(self, cluster: str, word: str) -> AsyncIterator[asyncssh.SSHClientProcess[bytes]]:
        connection = await self._connection(cluster)
        process = await connection.create_process(word, encoding=None)
        try:
            yield process
        finally:
            process.close()

    async def _connection(self, cluster: str) -> asyncssh.SSHClientConnection:
        """The connection to a cluster; one that cannot be had is not tried a second time in a run."""
        if cluster in self._closed:
            raise DeliveryError(self._closed[cluster])
        if cluster not in self._open:
            try:
                self._open[cluster] = await connect(self._clusters[cluster], self._times)
            except (asyncssh.Error, OSError, TimeoutError, ValueError) as error:
                self._closed[cluster] = explain(error, self._clusters[cluster])
                raise DeliveryError(self._closed[cluster]) from None
        return self._open[cluster]

    async def _drop(self, cluster: str) -> None:
        connection = self._open.pop(cluster, None)
        if connection is not None:
            connection.abort()


async def _send(process: asyncssh.SSHClientProcess[bytes], header: bytes, pack: Pack | None) -> None:
    process.stdin.write(header)
    if pack is not None:
        with pack.file.open("rb") as stream:
            while data := stream.read(CHUNK_BYTES):
                process.stdin.write(data)
                await process.stdin.drain()
    process.stdin.write_eof()


def _read(line: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(line)
    except (ValueError, RecursionError):
        answer = None
    if not isinstance(answer, dict):
        raise DeliveryError(f"the gateway answered {shown(line.decode('utf-8', 'replace'))}")
    return answer


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key, "")
    return shown(value) if isinstance(value, str) else ""


def _count(answer: Mapping[str, Any], key: str) -> int:
    value = answer.get(key, 0)
    return value if type(value) is int and 0 <= value <= COUNT_MAX else 0


def _person(answer: Mapping[str, Any], cluster: str) -> Person:
    """What a gateway says of a home, which is believed no more than it must be."""
    key, skipped = _text(answer, "id"), answer.get("skipped", [])
    person = Person(id=key, name=key, cluster=cluster, error=_text(answer, "error"))
    for name in (*COUNTS, "skipped_more"):
        setattr(person, name, _count(answer, name))
    if isinstance(skipped, list):
        person.skipped = [shown(reason) for reason in skipped[:SKIPPED_MAX] if isinstance(reason, str)]
    return person
