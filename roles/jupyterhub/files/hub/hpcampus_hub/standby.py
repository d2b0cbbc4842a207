# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Warm standbys: jobs of a profile that run before anybody asks, each for the next person who does.

A standby has imported the notebook server and waits in its container, without home, courses or identity. Whoever asks for the
profile as it comes gets one handed over through its own data path, with a secret that only this hub and the job know; it counts once.
Each costs an allocation of the profile and about 100 MB for as long as it waits, which is why a profile has none unless it says so.

Standbys are not remembered: those of an earlier hub process have no owner any more, and the reaper cancels them.
"""

import asyncio
import contextlib
import json
import secrets
import time
from dataclasses import dataclass, field, replace
from typing import Any

from tornado.httpclient import AsyncHTTPClient, HTTPError
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from .background import Background
from .engine import Engine
from .link import LinkDownError
from .options import Choice
from .paths.base import PathError
from .ports import LOOPBACK, NoPortError
from .protocol import RUNNING, GatewayError, ProtocolError, decode_job_id
from .record import Phase, SpawnRecord
from .request import Identity, submission
from .settings import Profile

NOBODY = Identity(user_id="standby", server_id="", courses=(), base_url="/", default_url="", env={})
"""Whose server a standby is until it is handed over; its comment says so in the queue."""

_MARGIN_SECONDS = 300
_ASK_SECONDS = 5.0
_HAND_OVER_SECONDS = 30.0
_TROUBLE = (GatewayError, LinkDownError, ProtocolError, PathError, NoPortError)


class HandOverError(Exception):
    """A standby could not be handed over; the text says why. Its job is of no use any more."""


@dataclass(frozen=True)
class Standby:
    """A job that waits.

    Args:
        record: the job, its port and its path.
        profile: name of the profile that it was submitted with.
        secret: what a hand-over must know.
        born: monotonic second of its submission.
        warm: whether it can be handed over.
    """

    record: SpawnRecord
    profile: str
    born: float
    secret: str = field(repr=False)
    warm: bool = False


@dataclass(frozen=True)
class PoolTimes:
    """Seconds between two looks, and between two tries after one failed."""

    pause: float = 1.0
    retry: float = 30.0


def most_age(profile: Profile) -> float:
    """Seconds after which a standby is replaced: what it has waited is missing at the end of somebody's time."""
    return min(3600.0, profile.time_limit_minutes * 60 / 4)


class StandbyPool:
    """Keeps as many standbys as the profiles say.

    Args:
        engine: links, books, ports and paths.
        hub_api_port: loopback port of the hub's API.
        base_env: what a job's environment holds before it is known for whom it is.
        times: pauses.
    """

    def __init__(self, engine: Engine, hub_api_port: int, times: PoolTimes | None = None) -> None:
        self._engine = engine
        self._hub_api_port = hub_api_port
        self._times = times or PoolTimes()
        self._waiting: list[Standby] = []
        self._not_before: dict[str, float] = {}
        self._http: AsyncHTTPClient = SimpleAsyncHTTPClient(force_instance=True)
        self._assigning: set[asyncio.Task[None]] = set()
        self._rounds = Background(self._run, "standbys")

    @property
    def records(self) -> list[SpawnRecord]:
        """The jobs that wait: the reaper must know that they have an owner."""
        return [standby.record for standby in self._waiting]

    def start(self) -> None:
        """Begin, in the background; without a profile that wants standbys there is nothing to do."""
        if any(profile.standby for profile in self._engine.site.profiles.values()):
            self._rounds.start()

    async def stop(self) -> None:
        """Stop, and cancel what waits: nobody would know its secret any more."""
        await self._rounds.stop()
        for task in self._assigning:
            task.cancel()
        await asyncio.gather(*(self._drop(standby) for standby in list(self._waiting)))
        self._http.close()

    def take(self, profile: Profile) -> Standby | None:
        """A warm standby of a profile, oldest first; from now on it is the caller's."""
        for standby in self._waiting:
            if standby.profile == profile.name and standby.warm:
                self._waiting.remove(standby)
                return standby
        return None

    async def hand_over(self, standby: Standby, identity: Identity) -> None:
        """Tell a standby whose server it is; the cluster's queue shows it a little later.

        Raises:
            HandOverError: it refused, or could not be asked.
        """
        try:
            await self._ask(standby, "POST", _HAND_OVER_SECONDS, identity.fields())
        except (OSError, HTTPError) as error:
            raise HandOverError(f"standby {standby.record.job_id} could not be handed over: {error}") from error
        task = asyncio.create_task(self._assign(standby.record, identity), name=f"assign {standby.record.job_id}")
        self._assigning.add(task)
        task.add_done_callback(self._assigning.discard)

    async def _assign(self, record: SpawnRecord, identity: Identity) -> None:
        """Have the cluster's queue show whose job it is now."""
        try:
            await self._engine.links[record.cluster].call(
                "assign", job_id=record.job_id, user_id=identity.user_id, server_id=identity.server_id
            )
        except (GatewayError, LinkDownError) as error:
            self._engine.log.warning("Job %s still carries no user's name in the queue: %s", record.job_id, error)

    async def _ask(self, standby: Standby, method: str, seconds: float, body: Any = None) -> None:
        await self._http.fetch(
            f"http://{LOOPBACK}:{standby.record.port}/",
            method=method,
            body=None if body is None else json.dumps(body),
            headers={"Authorization": f"hpcampus {standby.secret}"} if method == "POST" else {},
            request_timeout=seconds,
            connect_timeout=seconds,
        )

    # --- the pool ---

    async def _run(self) -> None:
        while True:
            try:
                await self.round()
            except Exception:
                self._engine.log.exception("The standbys cannot be looked after; tried again")
            await asyncio.sleep(self._times.pause)

    async def round(self) -> None:
        """Look once: drop what is of no use, find out what is warm, submit what is missing."""
        for standby in list(self._waiting):
            if standby in self._waiting:  # somebody may have taken it while another was asked
                await self._look(standby)
        for profile in self._engine.site.profiles.values():
            count = sum(standby.profile == profile.name for standby in self._waiting)
            if count < profile.standby and time.monotonic() >= self._not_before.get(profile.name, 0.0):
                await self._add(profile)

    async def _look(self, standby: Standby) -> None:
        record = standby.record
        verdict = self._engine.books[record.cluster].verdict(record.spawn_id, standby.born)
        profile = self._engine.site.profiles[standby.profile]
        if verdict.over:
            self._engine.log.warning("Standby %s of profile %s ended", record.job_id, standby.profile)
            self._not_before[standby.profile] = time.monotonic() + self._times.retry
            self._forget(standby)
        elif time.monotonic() - standby.born > most_age(profile):
            await self._drop(standby)
        elif not standby.warm and verdict.job is not None and verdict.job.state == RUNNING:
            await self._find_warm(self._replace(standby, record=replace(record, node=verdict.job.nodes)))

    async def _find_warm(self, standby: Standby) -> None:
        """Have the path open, and ask the job whether it is warm."""
        try:
            self._engine.path(standby.record.path).open(standby.record, self._hub_api_port)
            await self._ask(standby, "GET", _ASK_SECONDS)
        except (OSError, HTTPError, PathError):
            return
        if standby in self._waiting:
            self._replace(standby, warm=True)
            seconds = time.monotonic() - standby.born
            self._engine.log.info(
                "Standby %s of profile %s is warm after %.1f s", standby.record.job_id, standby.profile, seconds
            )

    def _replace(self, standby: Standby, **changes: Any) -> Standby:
        self._waiting.remove(standby)
        changed = replace(standby, **changes)
        self._waiting.append(changed)
        return changed

    async def _add(self, profile: Profile) -> None:
        """Submit one standby; what goes wrong is told once in a while."""
        try:
            path = await self._engine.chooser.path(profile.cluster)
            record = self._engine.new_record(profile.cluster, path)
        except (NoPortError, PathError) as error:
            self._failed(profile, error)
            return
        standby = Standby(record, profile.name, time.monotonic(), secrets.token_hex(32))
        self._waiting.append(standby)
        try:
            offer = await self._engine.path(record.path).offer(
                record, self._hub_api_port, profile.time_limit_minutes * 60 + _MARGIN_SECONDS
            )
            request = submission(Choice.plain(profile), NOBODY, offer, standby=standby.secret)
            job_id = decode_job_id(await self._engine.links[profile.cluster].call("submit", **request.fields()))
        except _TROUBLE as error:
            self._failed(profile, error)
            self._forget(standby)
            return
        self._replace(standby, record=replace(offer.record, job_id=job_id, phase=Phase.STARTING))

    def _failed(self, profile: Profile, error: Exception) -> None:
        self._not_before[profile.name] = time.monotonic() + self._times.retry
        self._engine.log.warning(
            "No standby for profile %s, tried again in %g s: %s", profile.name, self._times.retry, error
        )

    def _forget(self, standby: Standby) -> None:
        """Give back what the hub holds for it."""
        if standby in self._waiting:
            self._waiting.remove(standby)
        self._engine.ports.release(standby.record.lease)
        with contextlib.suppress(PathError):
            self._engine.path(standby.record.path).close(standby.record)

    async def _drop(self, standby: Standby) -> None:
        """Cancel a standby that nobody gets; the reaper does it if the cluster cannot be told now."""
        self._forget(standby)
        if standby.record.job_id is not None:
            with contextlib.suppress(GatewayError, LinkDownError):
                await self._engine.links[standby.record.cluster].call("cancel", job_id=standby.record.job_id)
