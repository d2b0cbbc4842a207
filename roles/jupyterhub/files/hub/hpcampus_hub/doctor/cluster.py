# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Legs of one cluster: from the login node's name through ssh and the gateway to Slurm, images and storage."""

import asyncio
import contextlib
import time
from collections.abc import Mapping, Sequence
from typing import Any

import asyncssh

from hpcampus_hub.link import LinkDownError, LinkTimes, Session, connect, host_key_algorithms, open_session
from hpcampus_hub.paths.reach import ORDER, Reach, ReachError, reach
from hpcampus_hub.protocol import PENDING, RUNNING, GatewayError, ProtocolError, decode_jobs
from hpcampus_hub.settings import AUTO, Cluster, Profile, Tunnel

from .finding import Said
from .host import judge_room
from .network import addresses, knock, reason, refused
from .words import say, together

SKEW_SECONDS = 60.0
CALL_SECONDS = 8.0
_TIMES = LinkTimes(connect=6.0, call=CALL_SECONDS)
_ASKED = (GatewayError, LinkDownError, ProtocolError, TimeoutError)


class Visit:
    """One visit to a cluster: the legs share a single ssh session with its gateway.

    Args:
        cluster: where, as whom, with which key, and which host key to expect.
        profiles: the profiles whose jobs run there.
        images: images that jobs there may ask for.
        hub_id: slug that marks this hub's jobs.
        times: waiting times of the link.
    """

    def __init__(
        self,
        cluster: Cluster,
        profiles: Sequence[Profile],
        images: Sequence[str],
        hub_id: str,
        times: LinkTimes = _TIMES,
    ) -> None:
        self._cluster = cluster
        self._profiles = profiles
        self.wanted_images = images
        self._hub_id = hub_id
        self._times = times
        self._connection: asyncssh.SSHClientConnection | None = None
        self._session: Session | None = None
        self._reader: asyncio.Task[None] | None = None
        self._partitions: Mapping[str, Mapping[str, Any]] = {}
        self._health: Mapping[str, Any] | GatewayError | None = None

    async def close(self) -> None:
        """End the session."""
        if self._connection is not None:
            self._connection.abort()
        if self._reader is not None:
            self._reader.cancel()
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await self._reader

    async def name(self) -> Said:
        """The login node's name has an address."""
        host = self._cluster.host
        try:
            found = await addresses(host)
        except OSError as error:
            return say("login-name.unknown", host=host, error=reason(error))
        return say("login-name.good", host=host, addresses=", ".join(found))

    async def port(self) -> Said:
        """Its ssh port accepts connections."""
        where = {"host": self._cluster.host, "port": self._cluster.port}
        try:
            await knock(self._cluster.host, self._cluster.port)
        except OSError as error:
            case = "login-port.refused" if refused(error) else "login-port.silent"
            return say(case, **where, error=reason(error))
        return say("login-port.good", **where)

    async def host_key(self) -> Said:
        """It shows the pinned host key."""
        cluster = self._cluster
        pinned = asyncssh.import_public_key(cluster.host_key)
        try:
            shown = await self._shown_key(host_key_algorithms(cluster.host_key))
        except asyncssh.KeyExchangeFailed:  # it has no key of that kind: show one that it has
            shown = await self._shown_key(())
        except (asyncssh.Error, OSError) as error:
            return say("host-key.none", host=cluster.host, port=cluster.port, error=reason(error))
        if shown is None or shown.public_data != pinned.public_data:
            fingerprint = "none" if shown is None else shown.get_fingerprint()
            return say("host-key.other", host=cluster.host, fingerprint=fingerprint, pinned=pinned.get_fingerprint())
        return say("host-key.good", fingerprint=shown.get_fingerprint())

    async def _shown_key(self, algorithms: Sequence[str]) -> asyncssh.SSHKey | None:
        return await asyncssh.get_server_host_key(
            self._cluster.host, self._cluster.port, server_host_key_algs=list(algorithms) or (), config=None
        )

    async def account(self) -> Said:
        """The account accepts the link's key."""
        cluster = self._cluster
        user = f"{cluster.user}@{cluster.host}"
        try:
            self._connection = await connect(cluster, self._times)
        except asyncssh.PermissionDenied:
            return say("account.refused", user=user)
        except (FileNotFoundError, PermissionError, asyncssh.KeyImportError) as error:
            return say("account.no-key", path=cluster.key_file, error=reason(error))
        except (asyncssh.Error, OSError, ValueError) as error:
            return say("account.closed", user=user, error=reason(error))
        return say("account.good", user=user)

    async def gateway(self) -> Said:
        """The gateway greets and speaks this hub's protocol."""
        assert self._connection is not None  # noqa: S101 (the leg needs the one before)
        try:
            session = await open_session(self._connection)
            hello = await session.greet(self._times.connect)
        except TimeoutError:
            return say("gateway.silent", seconds=f"{self._times.connect:g}")
        except ProtocolError as error:
            return say("gateway.ended" if "ended at once" in str(error) else "gateway.strange", error=error)
        except (asyncssh.Error, OSError) as error:
            return say("gateway.ended", error=reason(error))
        self._session = session
        self._reader = asyncio.create_task(self._read(session))
        return say("gateway.good", protocol=hello.protocol, slurm=hello.slurm or "not found")

    @staticmethod
    async def _read(session: Session) -> None:
        try:
            await session.read()
        finally:
            session.fail("the gateway ended the session")

    async def call(self, op: str, *, timeout: float | None = None, **fields: Any) -> Mapping[str, Any]:  # noqa: ASYNC109
        """Ask the gateway one thing.

        Raises:
            GatewayError: it refused, or Slurm failed.
            LinkDownError: the session ended, or no answer in time.
        """
        assert self._session is not None  # noqa: S101 (the legs need that of the gateway)
        limit = self._times.call if timeout is None else timeout
        try:
            return await self._session.call(op, fields, limit)
        except TimeoutError:
            raise LinkDownError(f"no answer to {op} within {limit:g} s") from None

    async def clock(self) -> Said:
        """Hub and login node agree on the time."""
        began = time.time()
        there = (await self.call("ping")).get("time")
        if isinstance(there, bool) or not isinstance(there, int | float):
            return say("clock.strange")
        skew = abs(there - (began + time.time()) / 2)
        return say("clock.skewed" if skew > SKEW_SECONDS else "clock.good", skew=f"{skew:.0f}")

    async def slurm(self) -> Said:
        """Slurm answers, and tells its partitions."""
        try:
            answer = await self.call("info")
        except LinkDownError as error:
            return say("slurm.silent", error=error)
        except GatewayError as error:
            return say("slurm.fails", error=error)
        found = [entry for entry in _list(answer.get("partitions")) if isinstance(entry, Mapping)]
        self._partitions = {str(entry.get("name")): entry for entry in found}
        return say("slurm.good", partitions=", ".join(self._partitions) or "none")

    async def partitions(self) -> Said:
        """Every profile's partition is there and up, and has a node that is large enough."""
        problems = [said for profile in self._profiles for said in judge_profile(profile, self._partitions)]
        if problems:
            return together(problems)
        return say("partitions.good", profiles=", ".join(profile.name for profile in self._profiles) or "none")

    async def path(self, tunnel: Tunnel) -> Said:
        """The data path works, tried by a short job of its own."""
        if not self._profiles:
            return say("path.no-profile", cluster=self._cluster.name)
        try:
            found = await reach(self, tunnel, self._profiles[0])
        except ReachError as error:
            return say("path.failed", error=error)
        return judge_path(self._cluster.data_path, found)

    async def queue(self) -> Said:
        """The queue can be asked."""
        try:
            jobs = [job for job in decode_jobs(await self.call("list")) if job.hub_id == self._hub_id]
        except _ASKED as error:
            return say("queue.fails", error=error)
        states = [job.state for job in jobs]
        return say("queue.good", jobs=len(jobs), running=states.count(RUNNING), pending=states.count(PENDING))

    async def _look_at_storage(self) -> Mapping[str, Any]:
        """The gateway's answer to ``health``, asked once.

        Raises:
            GatewayError: an older gateway does not know the question.
        """
        if self._health is None:
            try:
                self._health = await self.call("health")
            except GatewayError as error:
                self._health = error
        if isinstance(self._health, GatewayError):
            raise self._health
        return self._health

    async def images(self) -> Said:
        """Every image that a profile or a course names is published."""
        try:
            published = [str(name) for name in _list((await self._look_at_storage()).get("images"))]
        except _ASKED as error:
            return say("images.unknown", error=error)
        missing = [image for image in self.wanted_images if image not in published]
        if missing:
            return say("images.missing", images=", ".join(missing))
        return say("images.good", images=", ".join(published) or "none, and none is asked for")

    async def storage(self) -> Said:
        """The base directory can be written and has room."""
        path = self._cluster.base_dir
        try:
            health = await self._look_at_storage()
        except _ASKED as error:
            return say("storage.unknown", error=error)
        problem, free, files = health.get("problem", ""), health.get("free_bytes"), health.get("free_files")
        if problem:
            return say("storage.unwritable", path=path, error=problem)
        if type(free) is not int or not (files is None or type(files) is int):
            return say("storage.unknown", error="its answer has another form")
        return judge_room("storage", path, free, files)


def _list(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else []


def judge_profile(profile: Profile, partitions: Mapping[str, Mapping[str, Any]]) -> list[Said]:
    """What keeps a profile's jobs from ever starting, or some of what it lets people choose.

    Args:
        profile: what a job asks for.
        partitions: partitions by name as the gateway tells them: available, nodes, cpus, memory_mb, time_limit_minutes, gres.

    Returns:
        A finding for each obstacle; none when a job can start.
    """
    where = {"profile": profile.name, "partition": profile.partition}
    partition = partitions.get(profile.partition)
    if partition is None:
        return [say("partitions.missing", **where, known=", ".join(partitions) or "none")]
    if not partition.get("available"):
        return [say("partitions.down", **where)]
    if not partition.get("nodes"):
        return [say("partitions.empty", **where)]
    problems = []
    for what, key in (("cpus", "cpus"), ("memory", "memory_mb"), ("time", "time_limit_minutes")):
        wanted, top, most = getattr(profile, key), profile.range_of(key).high, partition.get(key)
        if type(most) is not int:
            continue
        if wanted > most:
            problems.append(say(f"partitions.{what}", **where, wanted=wanted, most=most))
        elif top > most:
            problems.append(say("partitions.range", **where, key=key, top=top, most=most))
    offered = [str(text) for text in _list(partition.get("gres"))]
    there = ", ".join(offered) or "nothing of the kind"
    if profile.gres and not has_gres(profile.gres, offered):
        problems.append(say("partitions.gres", **where, wanted=profile.gres, most=there))
    choices = [choice for choice in profile.gres_choices if choice and not has_gres(choice, offered)]
    if choices:
        problems.append(say("partitions.choice", **where, choices=", ".join(choices), most=there))
    return problems


def judge_path(configured: str, found: Reach) -> Said:
    """What is to be said of the data paths that were found to work, or not, between the hub and a node."""
    others = ", ".join(name for name in ORDER if found.ways[name] == "") or "none"
    if found.best is None:
        return say("path.none", node=found.node, story=found.story())
    if configured == AUTO:
        return say("path.good", path=found.best, node=found.node, others=others)
    if found.ways[configured]:
        return say("path.broken", path=configured, node=found.node, why=found.ways[configured], others=others)
    return say("path.good", path=configured, node=found.node, others=others)


def has_gres(wanted: str, offered: Sequence[str]) -> bool:
    """Whether some node offers every item of a GRES request, by name and, where one is asked for, by type.

    Args:
        wanted: such as ``gpu:a100:2,shard:4``.
        offered: what sinfo prints for each kind of node, such as ``gpu:a100:4(S:0-1),shard:8``.
    """
    there = {tuple(item.split("(")[0].split(":")[:2]) for line in offered for item in line.split(",") if ":" in item}
    for item in wanted.split(","):
        name, *rest = item.split(":")
        kind = rest[0] if rest and not rest[0].isdigit() else None
        if not any(have[0] == name and kind in (None, have[1]) for have in there):
            return False
    return True
