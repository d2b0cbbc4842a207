# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job of one server: what the hub remembers of it, what the cluster says of it, its data path and its end."""

import asyncio
import time
from collections.abc import Callable

from .engine import Engine
from .jobs import JobBook, Log, Standing, Verdict
from .link import LinkDownError
from .paths.base import PathError
from .protocol import TERMINAL_STATES, GatewayError
from .record import Phase, SpawnRecord
from .start_error import StartError, log_tail

CALL_SECONDS = 10.0
QUEUE_PAUSE_SECONDS = 0.5


class ServerJob:
    """The job of one server, from one start to the next.

    Args:
        engine: links, books and ports.
        hub_api_port: loopback port of the hub's API.
        save: writes :attr:`record` to the hub's database.
        log: the server's log.
    """

    def __init__(self, engine: Engine, hub_api_port: int, save: Callable[[], None], log: Log) -> None:
        self.record: SpawnRecord | None = None
        self._engine = engine
        self._hub_api_port = hub_api_port
        self._save = save
        self._log = log
        self.since = time.monotonic()
        """Monotonic second from which on the cluster's list of jobs must name the job."""

    def keep(self, record: SpawnRecord | None) -> None:
        """Remember the job now, in the database too: the hub may end at any moment."""
        self.record = record
        self._save()

    def is_current(self, record: SpawnRecord) -> bool:
        """Whether the server is still meant to run with this job."""
        now = self.record
        return now is not None and now.spawn_id == record.spawn_id and now.phase is not Phase.STOPPING

    def begin(self) -> None:
        """From now on the cluster's list of jobs must name the job, or it is gone."""
        self.since = time.monotonic()

    def book(self, record: SpawnRecord) -> JobBook:
        """What is known of the jobs of the job's cluster."""
        return self._engine.books[record.cluster]

    def verdict(self, record: SpawnRecord) -> Verdict:
        """What can be said of the job now."""
        return self.book(record).verdict(record.spawn_id, self.since)

    async def log_lines(self, record: SpawnRecord) -> str:
        """The end of the job's log, or nothing when it cannot be had."""
        try:
            answer = await self._engine.link_of(record.cluster, record.account).call(
                "log", timeout=CALL_SECONDS, spawn_id=record.spawn_id
            )
        except (GatewayError, LinkDownError):
            return ""
        return log_tail(answer.get("text"))

    # --- the data path -----------------------------------------------------------------------------------------------

    def open(self, record: SpawnRecord) -> None:
        """Have the way to a running job opened.

        Raises:
            StartError: it cannot be.
        """
        try:
            self._engine.path(record.path).open(record, self._hub_api_port)
        except PathError as error:
            raise StartError(f"Job {record.job_id} cannot be reached: {error}.", reason="path") from error

    def path_trouble(self, record: SpawnRecord) -> str:
        """What keeps the way to a job from being open, in words; empty when nothing is known."""
        path = self._engine.paths.get(record.path)
        trouble = path.trouble(record) if path is not None else ""
        return f"{path.words}: {trouble}" if path is not None and trouble else ""

    def close(self, record: SpawnRecord) -> None:
        """End the server's data path at once and give its port back."""
        self._engine.ports.release(record.lease)
        if record.path in self._engine.paths:
            self._engine.paths[record.path].close(record)

    # --- the end -----------------------------------------------------------------------------------------------------

    async def abandon(self, record: SpawnRecord) -> None:
        """Undo a start: the port at once, then the job; what cannot be reached is left to the reaper."""
        current = self.record if self.record is not None else record
        self.close(current)
        await self.cancel(current)
        self.keep(None)

    async def cancel(self, record: SpawnRecord) -> bool:
        """Cancel the job; False when the cluster could not be told."""
        if not self._is_configured(record):
            self._log.warning("Job %s goes on: its cluster %s is no longer configured", record.job_id, record.cluster)
            return True
        job_id = record.job_id
        if job_id is None:
            job = self.verdict(record).job
            if job is None:
                return True
            job_id = job.job_id
        try:
            await self._engine.link_of(record.cluster, record.account).call(
                "cancel", timeout=CALL_SECONDS, job_id=job_id
            )
        except (GatewayError, LinkDownError) as error:
            self._log.warning("Job %s could not be cancelled yet, the reaper will do it: %s", job_id, error)
            return False
        return True

    async def end(self, record: SpawnRecord, patience: float) -> None:
        """Cancel the job and wait until it has left the queue, for ``patience`` seconds; the rest is left to the reaper."""
        try:
            async with asyncio.timeout(patience):
                while not await self.cancel(record):  # noqa: ASYNC110 (it is asked again each time)
                    await asyncio.sleep(1.0)
                await self._until_left(record)
        except TimeoutError:
            self._log.warning(
                "Job %s has not left the queue within %g s; the reaper will look after it", record.job_id, patience
            )

    def _is_configured(self, record: SpawnRecord) -> bool:
        return record.cluster in self._engine.books

    async def _until_left(self, record: SpawnRecord) -> None:
        if not self._is_configured(record):
            return
        book = self.book(record)
        with book.watch():
            while True:
                verdict = self.verdict(record)
                left = verdict.standing is Standing.GONE or (
                    verdict.job is not None and verdict.job.state in TERMINAL_STATES
                )
                if left:
                    return
                await book.turn(QUEUE_PAUSE_SECONDS)
