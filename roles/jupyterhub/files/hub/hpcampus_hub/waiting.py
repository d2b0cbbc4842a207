# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Waits for the first answer of a server whose job is submitted, and tells how far it is."""

import asyncio
import time
from dataclasses import replace

from . import words
from .engine import Engine
from .jobs import Log, Standing, Verdict
from .knock import Knock, knock
from .ports import LOOPBACK
from .progress import Progress
from .protocol import RUNNING
from .record import Phase, SpawnRecord
from .server_job import QUEUE_PAUSE_SECONDS, ServerJob
from .start_error import StartError

_KNOCK_PAUSE_SECONDS = 0.1
_UNREACHED_SECONDS = 60.0


class Wait:
    """One wait.

    Args:
        engine: books and data paths.
        job: the server's job; what is found out is kept there.
        progress: hears how far it is.
        base_url: path of the server on the hub, at which it answers.
        log: the server's log.
        log_name: the server in the log.
    """

    def __init__(
        self, engine: Engine, job: ServerJob, progress: Progress, base_url: str, log: Log, log_name: str
    ) -> None:
        self._engine = engine
        self._job = job
        self._progress = progress
        self._base_url = base_url
        self._log = log
        self._log_name = log_name

    async def knock(self, record: SpawnRecord) -> Knock:
        """Knock at the server once."""
        return await knock(LOOPBACK, record.port, self._base_url)

    async def until_ready(self, record: SpawnRecord) -> SpawnRecord:
        """Wait until the server answers; tell how far it is.

        Raises:
            StartError: the job ended, can never start, took too long, or is no longer wanted.
        """
        book = self._job.book(record)
        with book.watch():
            while True:
                verdict = self._job.verdict(record)
                record = self._note(record, verdict)
                await self._check_hope(record, verdict)
                running = verdict.job is not None and verdict.job.state == RUNNING
                if running or verdict.standing is Standing.UNKNOWN:
                    found = await self.knock(record)
                    record = self._note_knock(record, found)
                    if found is Knock.READY:
                        return record
                    await asyncio.sleep(_KNOCK_PAUSE_SECONDS)
                else:
                    await book.turn(QUEUE_PAUSE_SECONDS)

    def _note(self, record: SpawnRecord, verdict: Verdict) -> SpawnRecord:
        """Take down what the queue says, and tell it."""
        job, now = verdict.job, time.time()
        if job is None:
            if verdict.standing is Standing.UNKNOWN and self._job.book(record).trouble:
                self._progress.tell(None, "The cluster does not answer at the moment; the job is still awaited.")
            return record
        updated = record if record.job_id == job.job_id else replace(record, job_id=job.job_id, phase=Phase.STARTING)
        if job.state == RUNNING:
            updated = replace(updated, node=job.nodes).marked("submitted", now).marked("running", now)
            self._job.open(updated)
            self._tell_running(updated)
        elif not verdict.over:
            self._progress.tell(30, words.queued(job, now))
        if updated != record and self._job.is_current(record):
            self._job.keep(updated)
        return updated

    def _tell_running(self, record: SpawnRecord) -> None:
        """Tell that the job runs, and what keeps the hub from it, until the hub has reached it."""
        if "tunnel" in record.marks:
            return
        trouble = self._job.path_trouble(record)
        if trouble:
            self._progress.tell(
                50, f"Job {record.job_id} runs on {record.node}. Connecting ({trouble}); it is tried again."
            )
        else:
            self._progress.tell(
                50, f"Job {record.job_id} runs on {record.node}: its container and server are starting."
            )

    def _note_knock(self, record: SpawnRecord, found: Knock) -> SpawnRecord:
        """Take down what a knock found, and tell it."""
        now = time.time()
        if found is Knock.NO_TUNNEL:
            return record
        updated = record.marked("running", now).marked("tunnel", now)
        if found is Knock.NO_SERVER:
            self._progress.tell(75, f"Connected to {record.node or 'the job'}: the server is nearly ready.")
            return updated
        updated = replace(updated.marked("ready", now), phase=Phase.RUNNING)
        self._job.keep(updated)
        legs = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in updated.legs().items())
        self._log.info("%s: job %s on %s is ready (%s)", self._log_name, updated.job_id, updated.node or "?", legs)
        self._progress.tell(95, f"The server answers ({legs}).", legs=updated.legs())
        return updated

    async def _check_hope(self, record: SpawnRecord, verdict: Verdict) -> None:
        """Raise when waiting is of no use."""
        if not self._job.is_current(record):
            raise StartError("The server was stopped before it was ready.", reason="stopped")
        name = f"Job {record.job_id}" if record.job_id else "The job"
        if verdict.over:
            self._note_unreached(record)
            raise StartError(
                f"{name} ended before the server was ready: {words.ended(verdict.job)}.",
                reason="ended",
                log_lines=await self._job.log_lines(record),
            )
        never = words.will_never_start(verdict.job) if verdict.job is not None else None
        if never:
            raise StartError(f"{name} can never start: {never}. Pick another size.", reason="never")
        if time.time() > record.deadline:
            waits = verdict.job is not None and verdict.job.state != RUNNING
            self._note_unreached(record)
            trouble = self._job.path_trouble(record)
            why = f"no answer came in time: {trouble}" if trouble else "no answer came in time"
            if waits and verdict.job is not None:
                why = f"it is still queued ({words.reason(verdict.job.reason)})"
            raise StartError(
                f"{name} was given up: {why}. Try again later or pick a smaller size.",
                reason="timeout",
                status_code=504,
                log_lines="" if waits else await self._job.log_lines(record),
            )

    def _note_unreached(self, record: SpawnRecord) -> None:
        """Where a job ran for a while and was never reached, its data path may be why."""
        ran = time.time() - record.marks.get("running", time.time())
        if "tunnel" not in record.marks and ran > _UNREACHED_SECONDS:
            why = self._job.path_trouble(record) or f"job {record.job_id} ran for {ran:.0f} s"
            self._engine.chooser.failed(record.cluster, record.path, why)
