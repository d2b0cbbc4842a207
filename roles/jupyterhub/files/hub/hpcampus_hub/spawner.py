# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The spawner: a notebook server is a Slurm job that opens one tunnel back to the hub."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from jupyterhub.spawner import Spawner
from jupyterhub.utils import url_escape_path, url_path_join
from sqlalchemy import inspect
from traitlets import Float, Integer, Unicode, default

from . import words
from .adoption import find_again
from .engine import SETTINGS_KEY, Engine
from .folders import SETTINGS_KEY as FOLDERS_KEY
from .form import spawn_form
from .jobs import Standing
from .names import course_of, gradebook_of
from .options import Choice, OptionsError, choose, from_form, from_query
from .paths.base import PathError
from .placing import check_room, find_account, find_path
from .ports import LOOPBACK, NoPortError
from .progress import Progress, breakdown
from .record import Phase, SpawnRecord
from .request import Identity, identity_of, submission
from .server_job import ServerJob
from .settings import POSTGRESQL
from .standby import HandOverError
from .start_error import StartError
from .submitting import submit
from .waiting import Wait
from .webdav import FolderError

_TIMEOUT_MARGIN_SECONDS = 10.0
_CERTIFICATE_MARGIN_SECONDS = 300


class HpcSpawner(Spawner):
    """Starts, watches and stops one notebook server as a Slurm job.

    All it asks of Slurm comes from the site's configuration; a request picks among configured names, and numbers in configured
    ranges, only.
    """

    user_options: Any
    _check_pending: Any
    _spawn_future: Any

    start_timeout = Integer(900, help="Seconds from the request to the first answer, queue included.").tag(config=True)
    poll_interval = Integer(
        60, help="Seconds between two looks of the hub; the list of jobs tells of ends by itself."
    ).tag(config=True)
    submit_timeout = Float(120.0, help="Seconds for which an unreachable cluster is tried again.").tag(config=True)
    stop_timeout = Float(30.0, help="Seconds to wait until a stopped job has left the queue.").tag(config=True)
    default_url = Unicode("/lab", help="Page on which a person's server opens.").tag(config=True)
    course_default_url = Unicode("/formgrader", help="Page on which a course's own server opens.").tag(config=True)

    def __init__(self, **kwargs: Any) -> None:
        self._restored = False
        self._progress = Progress()
        self._failure: StartError | None = None
        self._entered: Mapping[str, Any] | None = None
        self._looking: asyncio.Task[int | None] | None = None
        self._followed: SpawnRecord | None = None
        self._notifying: asyncio.Task[int | None] | None = None
        super().__init__(**kwargs)

    # --- what the hub keeps ------------------------------------------------------------------------------------------

    @property
    def engine(self) -> Engine:
        """The hub's links, books and ports."""
        engine = self.user.settings[SETTINGS_KEY]
        if not isinstance(engine, Engine):
            raise TypeError("HpcSpawner needs HpcHub: start the hub with python -m hpcampus_hub.app")
        return engine

    @property
    def _port_for_jobs(self) -> int:
        return self.engine.port_for_jobs(self.hub.port)

    @cached_property
    def _job(self) -> ServerJob:
        return ServerJob(self.engine, self._port_for_jobs, self._save, self.log)

    @property
    def record(self) -> SpawnRecord | None:
        """The job of this server, if there is one."""
        return self._job.record

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what an earlier hub process knew of the server."""
        super().load_state(state)
        record = self._job.record = SpawnRecord.from_state(state.get("hpcampus") or {})
        self._restored = record is not None
        if record is not None:
            self.ip, self.port = LOOPBACK, record.port

    def get_state(self) -> dict[str, Any]:
        """What a later hub process must know of the server."""
        state: dict[str, Any] = super().get_state()
        if self.record is not None:
            state["hpcampus"] = self.record.state()
        return state

    def clear_state(self) -> None:
        """Forget the job."""
        super().clear_state()
        self._job.record = None
        self._restored = False

    def _save(self) -> None:
        self.orm_spawner.state = self.get_state()
        session = inspect(self.orm_spawner).session
        if session is not None:
            session.commit()

    # --- options -----------------------------------------------------------------------------------------------------

    @default("options_form")
    def _default_options_form(self) -> Any:
        return type(self).render_form

    def render_form(self) -> str:
        """The spawn form: sizes with what may be changed of them, and courses; empty for a course's own server.

        What was chosen the last time is filled in, or what was just refused, as far as it is on offer.
        """
        if course_of(self.user.name) is not None:
            return ""
        last, self._entered = self._entered or self.user_options, None
        return spawn_form(self.engine.site, self.user.name, self._groups(), last)

    def _groups(self) -> list[str]:
        """Names of the hub's groups that the user is in."""
        return [group.name for group in self.user.orm_user.groups]

    @default("options_from_form")
    def _default_options_from_form(self) -> Any:
        return self.read_form

    def read_form(self, form_data: Mapping[str, list[Any]]) -> dict[str, Any]:
        """Options of the form, by the same allow-list as those of the REST API."""
        return self._read(from_form, form_data, self.engine.site.profiles)

    def options_from_query(self, query_data: Mapping[str, list[Any]]) -> dict[str, Any]:
        """Options of a link, by the same allow-list."""
        return self._read(from_query, query_data)

    def _read(self, read: Callable[..., dict[str, Any]], *data: Any) -> dict[str, Any]:
        """Read options and check them; what is refused is kept for the form that is shown again."""
        try:
            self._entered = options = read(*data)
            choose(self.engine.site, self.user.name, options, self._groups())
        except OptionsError as error:
            raise StartError(f"Not started: {error}.", reason="options", status_code=400) from None
        self._entered = None
        return options

    @default("apply_user_options")
    def _default_apply_user_options(self) -> Any:
        return _apply_nothing

    def _choose(self) -> Choice:
        """Check the options; refused ones are forgotten, or a later request without any would take them again."""
        try:
            return choose(self.engine.site, self.user.name, self.user_options, self._groups())
        except OptionsError as error:
            self.user_options = {}
            self.orm_spawner.user_options = {}
            self._job.keep(None)
            raise StartError(f"Not started: {error}.", reason="options", status_code=400) from None

    # --- start -------------------------------------------------------------------------------------------------------

    async def start(self) -> str:
        """Submit the job and wait until the server answers through its tunnel.

        Returns:
            The server's URL on the hub's loopback.

        Raises:
            StartError: with what happened and what to do; nothing is left behind.
        """
        self._progress.begin()
        self._restored = False
        choice = self._choose()
        cluster = choice.profile.cluster
        account, choice = find_account(self.engine, self._progress, self.user.name, choice)
        path = await find_path(self.engine, self._progress, cluster)
        webdav = await self._webdav(cluster)
        check_room(self.engine, cluster)  # nothing is awaited from here to the new record, which takes the room
        self._job.begin()
        try:
            record = await self._take_over(choice) if webdav is None else None
            if record is None:
                record = self._new_record(cluster, path, account)
                self._job.keep(record)
                record = await self._submit(record, choice, webdav)
            record = await self._wait().until_ready(record)
        except asyncio.CancelledError:
            if self.record is not None and not self.engine.closing:
                await asyncio.shield(self._job.abandon(self.record))
            raise
        except Exception:
            if self.record is not None:
                await self._job.abandon(self.record)
            raise
        self.ip, self.port = LOOPBACK, record.port
        return f"http://{LOOPBACK}:{record.port}"

    def _new_record(self, cluster: str, path: str, account: str) -> SpawnRecord:
        try:
            return replace(self.engine.new_record(cluster, path, account), **self._times())
        except NoPortError as error:
            raise StartError(f"Not started: {error}.", reason="port") from error

    def _times(self) -> dict[str, Any]:
        """The part of a record that begins now."""
        now = time.time()
        return {
            "deadline": now + self.start_timeout - min(_TIMEOUT_MARGIN_SECONDS, self.start_timeout / 4),
            "marks": {"requested": now},
        }

    async def _take_over(self, choice: Choice) -> SpawnRecord | None:
        """Make a warm standby this person's; None when there is none, or it could not be.

        Not for a person with a WebDAV folder: nothing can be mounted in a container that runs.
        """
        pool = self.engine.standbys
        standby = pool.take(choice.profile) if pool is not None and choice.is_plain else None
        if pool is None or standby is None:
            return None
        record = replace(standby.record, **self._times())
        self._job.keep(record)
        self._progress.tell(20, f"Job {record.job_id} on {record.node} has waited for you.")
        try:
            await pool.hand_over(standby, self._identity(choice, record.port))
        except HandOverError as error:
            self.log.warning("%s: %s; a job is submitted instead", self._log_name, error)
            await self._job.abandon(record)
            return None
        now = time.time()
        record = record.marked("submitted", now).marked("running", now)
        self._job.keep(record)
        return record

    async def _submit(self, record: SpawnRecord, choice: Choice, webdav: Mapping[str, str] | None) -> SpawnRecord:
        """Make what its data path needs and hand the job to the cluster."""
        self._progress.tell(10, f"Preparing a job for cluster {record.cluster}.")
        seconds = self.start_timeout + choice.time_limit_minutes * 60 + _CERTIFICATE_MARGIN_SECONDS
        try:
            offer = await self.engine.path(record.path).offer(record, self._port_for_jobs, seconds)
        except PathError as error:
            raise StartError(f"Not started: {error}.", reason="path") from error
        self._job.keep(offer.record)
        request = submission(choice, self._identity(choice, record.port), offer, webdav=webdav)
        job_id = await submit(self.engine, self._progress, offer.record, request, self.user.name, self.submit_timeout)
        record = replace(offer.record, job_id=job_id, phase=Phase.STARTING).marked("submitted", time.time())
        self._job.keep(record)
        self._job.begin()
        self._progress.tell(20, f"Job {job_id} is submitted to cluster {record.cluster}.")
        return record

    async def _webdav(self, cluster: str) -> Mapping[str, str] | None:
        """The person's WebDAV folder, if there is one that may be used; a server starts without it rather than not at all."""
        folders = self.user.settings.get(FOLDERS_KEY)
        if folders is None or not folders.hosts or not self.engine.site.clusters[cluster].webdav:
            return None
        orm_user = self.user.orm_user
        try:
            folder = await folders.load(inspect(orm_user).session, orm_user)
        except FolderError as error:
            self._progress.tell(None, f"Your cloud storage is left out: {error}")
            return None
        return folder.fields() if folder else None

    def _identity(self, choice: Choice, port: int) -> Identity:
        """Whose server a job with that port is, as the job is told."""
        own = choice.course is not None and choice.course.role == "course"
        gradebook = {}
        if choice.course is not None and own and self.engine.site.gradebook == POSTGRESQL:
            gradebook = {"HPCAMPUS_GRADEBOOK": gradebook_of(choice.course.slug)}
        page = self.format_string(self.course_default_url if own else self.default_url) if self.default_url else ""
        return identity_of(
            choice,
            port,
            user_name=self.user.name,
            server_name=self.name,
            base_url=self.server.base_url,
            default_url=page,
            hub_env={**self.get_env(), **gradebook},
        )

    def _wait(self) -> Wait:
        return Wait(self.engine, self._job, self._progress, self.server.base_url, self.log, self._log_name)

    # --- end ---------------------------------------------------------------------------------------------------------

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002 (the hub's signature)
        """Stop the server: refuse its tunnel at once, cancel the job, wait until it has left the queue."""
        record = self.record
        if record is None:
            return
        self._job.close(record)
        record = replace(record, phase=Phase.STOPPING)
        self._job.keep(record)
        await self._job.end(record, self.stop_timeout)
        self._job.record = None

    def run_post_stop_hook(self) -> Any:
        """Take the ended server's tokens back: a hub that was restarted no longer knows them by their text."""
        session = inspect(self.user.orm_user).session
        note = f"Server at {url_path_join(self.user.base_url, url_escape_path(self.name), '/')}"
        for token in [token for token in self.user.api_tokens if token.note == note]:
            session.delete(token)
        session.commit()
        return super().run_post_stop_hook()

    def start_polling(self) -> None:
        """Hear of the job's end from the list of jobs: two hundred servers that are asked one by one keep a hub busy."""
        super().start_polling()
        record = self.record
        if record is not None and record.cluster in self.engine.books:
            self._job.book(record).follow(record.spawn_id, self._job.since, self._ended)
            self._followed = record

    def stop_polling(self) -> None:
        """Hear no more of the job."""
        followed, self._followed = self._followed, None
        if followed is not None:
            self._job.book(followed).unfollow(followed.spawn_id)
        super().stop_polling()

    def _ended(self) -> None:
        self._notifying = asyncio.create_task(self.poll_and_notify(), name=f"end of {self._log_name}")

    # --- look --------------------------------------------------------------------------------------------------------

    async def poll(self) -> int | None:
        """Whether the server runs: None when it does or nobody knows, else an exit status."""
        record = self.record
        if record is None:
            return 0
        if self._restored:
            return await self._adopt_once(record)
        if record.phase is not Phase.RUNNING:
            return None
        verdict = self._job.verdict(record)
        if not verdict.over:
            return None
        self.log.info("%s: job %s ended: %s", self._log_name, record.job_id, words.ended(verdict.job))
        self._job.close(record)
        return 0 if verdict.standing is Standing.GONE else 1

    async def _adopt_once(self, record: SpawnRecord) -> int | None:
        """Find a server of an earlier hub process again; who asks meanwhile hears that it runs."""
        if self._looking is not None:
            return None
        self._looking = asyncio.create_task(self._adopt(record), name=f"adopt {record.spawn_id}")
        if record.phase in (Phase.SUBMITTING, Phase.STARTING):
            self._spawn_pending = True
            self._spawn_future = asyncio.create_task(self._settle(self._looking), name=f"settle {record.spawn_id}")
            self._spawn_future.add_done_callback(self._settled)
        try:
            status = await asyncio.shield(self._looking)
        finally:
            self._looking = None
        while self._stop_pending:  # noqa: ASYNC110 (the hub's flag, no event); or the hub would stop it a second time
            await asyncio.sleep(0.05)
        return status

    async def _adopt(self, record: SpawnRecord) -> int | None:
        """Wait for a restored server's first answer, or learn that its job is over."""
        try:
            await find_again(self.engine, self._job, self._wait, record, self.user.name, self.log)
        except StartError as error:
            self.log.warning("%s: not found again after the hub's restart: %s", self._log_name, error)
            if self._job.is_current(record) or record.phase is Phase.STOPPING:
                self._failure = error
                await self._job.abandon(record)
            return 1
        self._restored = False
        self.log.info("%s: job %s found again after the hub's restart", self._log_name, record.job_id)
        return None

    async def _settle(self, looking: asyncio.Task[int | None]) -> None:
        """Show an adopted start as a start, until the hub has checked the server and its route stands."""
        try:
            status = await asyncio.shield(looking)
            while self._check_pending:  # noqa: ASYNC110 (the hub's flag, no event)
                await asyncio.sleep(0.05)
            if status is not None:
                raise self._failure or StartError("The server did not survive the hub's restart.", reason="restart")
            await self.engine.route(self.user, self.name)
        except asyncio.CancelledError:
            self._check_pending = False  # the person stops the start; the hub refuses to while it checks
            raise

    def _settled(self, task: asyncio.Task[None]) -> None:
        """What the hub does after a start: a failure is kept for the page that shows it, anything else is forgotten."""
        self._spawn_pending = False
        if task.cancelled() or task.exception() is None:
            self._spawn_future = None

    async def get_url(self) -> str:
        """The server's URL; the database may not have it yet when the hub was restarted during the start."""
        if self.record is not None:
            return f"http://{LOOPBACK}:{self.record.port}{self.server.base_url}"
        return str(self.server.url)

    # --- progress ----------------------------------------------------------------------------------------------------

    def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Events of the start under way, from its beginning; the hub ends the stream when the start ends."""
        return self._progress.events()

    @default("progress_ready_hook")
    def _default_progress_ready_hook(self) -> Any:
        return add_breakdown


def add_breakdown(spawner: HpcSpawner, event: dict[str, Any]) -> dict[str, Any]:
    """Add job, node and the seconds of each leg to the event that says a server is ready."""
    if spawner.record is not None:
        event["hpcampus"] = breakdown(spawner.record)
    return event


def _apply_nothing(_spawner: HpcSpawner, _options: Mapping[str, Any]) -> None:
    """Options are checked in start(); nothing of them is ever set on the spawner."""
