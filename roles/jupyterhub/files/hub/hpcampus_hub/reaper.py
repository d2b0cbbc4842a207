# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Cancels jobs of this hub that no server owns any more, and frees ports that nobody uses."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from .background import Background
from .engine import Engine
from .link import LinkDownError
from .ports import Lease
from .protocol import ENDING_STATES, GatewayError, Job


@dataclass(frozen=True)
class Owned:
    """What the hub's servers own: jobs by spawn id, and ports."""

    spawn_ids: frozenset[str]
    leases: frozenset[Lease]


@dataclass(frozen=True)
class ReaperTimes:
    """Seconds between two rounds, and for how long a job or port may be without an owner."""

    pause: float = 15.0
    grace: float = 60.0


def find_orphans(jobs: Iterable[Job], owned: frozenset[str]) -> list[Job]:
    """Jobs that use or will use nodes and that no server owns."""
    return [job for job in jobs if job.spawn_id not in owned and job.state not in ENDING_STATES]


def ripe(
    orphans: Iterable[Job], seen: Mapping[str, float], now: float, grace: float
) -> tuple[list[Job], dict[str, float]]:
    """Tell which orphans have been so for the grace time.

    Args:
        orphans: jobs without an owner now.
        seen: since when (seconds) each spawn id was known to be an orphan.
        now: the same clock's time.
        grace: seconds.

    Returns:
        The jobs to cancel, and what ``seen`` is to be from now on.
    """
    orphans = list(orphans)
    since = {job.spawn_id: seen.get(job.spawn_id, now) for job in orphans}
    return [job for job in orphans if now - since[job.spawn_id] >= grace], since


class Reaper:
    """Looks after orphans in rounds.

    Args:
        engine: links, books and ports.
        owned: tells what servers own now.
        times: pause and grace.
        rollback: makes the database session of ``owned`` usable again after an error of the database.
    """

    def __init__(
        self,
        engine: Engine,
        owned: Callable[[], Owned],
        times: ReaperTimes | None = None,
        rollback: Callable[[], None] | None = None,
    ) -> None:
        self._engine = engine
        self._owned = owned
        self._times = times or ReaperTimes()
        self._rollback = rollback
        self._seen: dict[str, dict[str, float]] = {name: {} for name in engine.books}
        self._rounds = Background(self._run, "reaper")

    def start(self) -> None:
        """Begin, in the background."""
        self._rounds.start()

    async def stop(self) -> None:
        """Stop."""
        await self._rounds.stop()

    async def _run(self) -> None:
        while True:
            await asyncio.sleep(self._times.pause)
            with self._contained("Orphans cannot be looked after"):
                await self.round()

    async def round(self) -> None:
        """Look once; what goes wrong is logged and left to the next round, and does not keep the rest from its turn."""
        owned = self._ask_owned()
        if owned is None:
            return
        for name in self._engine.books:
            with self._contained(f"Jobs without an owner on cluster {name} cannot be looked after"):
                await self._reap_jobs(name, owned)
        with self._contained("The tunnel registry cannot be tidied"):
            self._free_ports(owned)
        for path in self._engine.paths.values():
            with self._contained(f"Data paths of the kind {path.name} cannot be tidied"):
                path.tidy(owned.spawn_ids, self._times.grace)

    def _ask_owned(self) -> Owned | None:
        """Ask what servers own; a database that was away leaves the session to be rolled back before its next use."""
        try:
            return self._owned()
        except Exception as error:  # noqa: BLE001 (whatever it is, the next round follows)
            self._tell("What servers own is unknown", error)
            if isinstance(error, SQLAlchemyError) and self._rollback is not None:
                self._rollback()
        return None

    @contextlib.contextmanager
    def _contained(self, what: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # noqa: BLE001 (whatever it is, the next round follows)
            self._tell(what, error)

    def _tell(self, what: str, error: Exception) -> None:
        """Log an error; with the traceback where nobody foresaw it."""
        cause = None if isinstance(error, OSError | SQLAlchemyError) else error
        self._engine.log.warning("%s; tried again in the next round: %s", what, error, exc_info=cause)

    async def _reap_jobs(self, cluster: str, owned: Owned) -> None:
        latest = self._engine.books[cluster].latest
        if latest is None:
            return
        orphans = find_orphans(latest.jobs.values(), owned.spawn_ids)
        doomed, self._seen[cluster] = ripe(orphans, self._seen[cluster], time.monotonic(), self._times.grace)
        for job in doomed:
            self._engine.log.warning(
                "Cancelling job %s of %s on cluster %s (%s): no server of this hub owns it",
                job.job_id,
                job.user_id,
                cluster,
                job.state,
            )
            try:
                await self._engine.link_of(cluster, job.account).call("cancel", job_id=job.job_id)
            except (GatewayError, LinkDownError) as error:
                self._engine.log.warning("Job %s could not be cancelled: %s", job.job_id, error)

    def _free_ports(self, owned: Owned) -> None:
        for entry in list(self._engine.ports.entries()):
            if entry.lease not in owned.leases and entry.age >= self._times.grace:
                self._engine.log.warning("Freeing tunnel port %s: no server of this hub owns it", entry.lease.port)
                self._engine.ports.drop(entry)
