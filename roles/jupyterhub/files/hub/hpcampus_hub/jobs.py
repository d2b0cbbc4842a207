# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is known of a cluster's jobs: one query for all of them, shared by every spawner.

A query that fails says nothing: the jobs are then unknown, never gone. A job counts as gone only when two good queries
in a row, both begun after it was submitted, do not list it, or when Slurm names a state from which there is no return.
"""

import asyncio
import contextlib
import enum
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .background import Background
from .link import LinkDownError
from .protocol import ENDING_STATES, GatewayError, Job, ProtocolError

Accepts = Callable[[Job], bool]
Fetch = Callable[[], Awaitable[tuple[Job, ...]]]
Log = logging.Logger | logging.LoggerAdapter[Any]


class Standing(enum.Enum):
    """What can be said of a job."""

    THERE = "there"
    ENDED = "ended"
    GONE = "gone"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Verdict:
    """What can be said of a job, and the job as last listed, if it was."""

    standing: Standing
    job: Job | None = None

    @property
    def over(self) -> bool:
        """Whether the job has certainly ended."""
        return self.standing in (Standing.ENDED, Standing.GONE)


@dataclass(frozen=True)
class Snapshot:
    """One good query: when it began (monotonic seconds) and every job by its spawn id."""

    began: float
    jobs: Mapping[str, Job]


@dataclass(frozen=True)
class BookTimes:
    """Pauses between queries in seconds: while something starts or stops, and otherwise."""

    fast: float = 0.3
    slow: float = 5.0


def judge(history: Iterable[Snapshot], spawn_id: str, since: float) -> Verdict:
    """Judge a job by the good queries that followed each other without a failure, newest last.

    Args:
        history: consecutive good queries; a failed one empties the history.
        spawn_id: the job.
        since: monotonic second from which on a query must list the job.

    Returns:
        The verdict.
    """
    snapshots = list(history)
    if not snapshots:
        return Verdict(Standing.UNKNOWN)
    job = snapshots[-1].jobs.get(spawn_id)
    if job is not None:
        return Verdict(Standing.ENDED if job.state in ENDING_STATES else Standing.THERE, job)
    counted = [snapshot for snapshot in snapshots[-2:] if snapshot.began > since and spawn_id not in snapshot.jobs]
    return Verdict(Standing.GONE if len(counted) == 2 else Standing.UNKNOWN)


class JobBook:
    """Asks a cluster for its jobs at a steady pace and answers every spawner from the result.

    Args:
        fetch: one query; raises when the cluster cannot be asked.
        hub_id: jobs of other hubs in the same account are left out.
        log: the hub's log.
        times: pauses between queries.
        accepts: says of a job with this hub's comment whether its account may have written it; others are left out.
    """

    def __init__(
        self, fetch: Fetch, hub_id: str, log: Log, times: BookTimes | None = None, accepts: Accepts | None = None
    ) -> None:
        self._fetch = fetch
        self._hub_id = hub_id
        self._accepts = accepts or (lambda _job: True)
        self._log = log
        self._times = times or BookTimes()
        self._history: deque[Snapshot] = deque(maxlen=2)
        self._watchers = 0
        self._followed: dict[str, tuple[float, Callable[[], None]]] = {}
        self._wake = asyncio.Event()
        self._turn = asyncio.Event()
        self._asking = Background(self._run, "jobs")
        self.trouble = ""

    @property
    def latest(self) -> Snapshot | None:
        """The newest good query, if the last query was good."""
        return self._history[-1] if self._history else None

    def verdict(self, spawn_id: str, since: float) -> Verdict:
        """Judge a job now; see :func:`judge`."""
        return judge(self._history, spawn_id, since)

    @contextlib.contextmanager
    def watch(self) -> Iterator[None]:
        """Ask at the fast pace while something starts or stops."""
        self._watchers += 1
        self._wake.set()
        try:
            yield
        finally:
            self._watchers -= 1

    def follow(self, spawn_id: str, since: float, ended: Callable[[], None]) -> None:
        """Have ``ended`` called once, by the query after which the job is certainly over; see :func:`judge` for ``since``.

        So the end of a job is known after one query, and a thousand jobs that go on cost nothing.
        """
        self._followed[spawn_id] = (since, ended)

    def unfollow(self, spawn_id: str) -> None:
        """Forget :meth:`follow`."""
        self._followed.pop(spawn_id, None)

    def _tell_followers(self) -> None:
        over = [spawn_id for spawn_id, (since, _) in self._followed.items() if self.verdict(spawn_id, since).over]
        for spawn_id in over:
            _, ended = self._followed.pop(spawn_id)
            ended()

    async def turn(self, timeout: float) -> None:  # noqa: ASYNC109
        """Wait for the end of the next query, good or not, at most for ``timeout`` seconds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self._turn.wait()

    def start(self) -> None:
        """Begin to ask, in the background."""
        self._asking.start()

    async def stop(self) -> None:
        """Stop asking."""
        await self._asking.stop()

    async def ask(self) -> None:
        """Ask once and remember the answer."""
        began = time.monotonic()
        try:
            listed = [job for job in await self._fetch() if job.hub_id == self._hub_id]
            jobs = {job.spawn_id: job for job in listed if self._accepts(job)}
        except (GatewayError, LinkDownError, ProtocolError) as error:
            self._note_trouble(str(error))
        except Exception as error:  # noqa: BLE001 (whatever it is, the next query follows)
            self._note_trouble(str(error) or type(error).__name__, cause=error)
        else:
            if self.trouble:
                self._log.info("The jobs are known again")
            self.trouble = ""
            self._history.append(Snapshot(began, jobs))
            self._tell_followers()
        self._turn.set()
        self._turn.clear()

    def _note_trouble(self, trouble: str, cause: Exception | None = None) -> None:
        """Forget the history and tell why, once; with the traceback where nobody foresaw the cause."""
        self._history.clear()
        if trouble != self.trouble:
            self._log.warning("The jobs are unknown: %s", trouble, exc_info=cause)
        self.trouble = trouble

    async def _run(self) -> None:
        while True:
            await self.ask()
            self._wake.clear()
            if self._watchers:
                await asyncio.sleep(self._times.fast)
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._times.slow):
                    await self._wake.wait()
