# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The spawner: a notebook server is a Slurm job that opens one tunnel back to the hub."""

import asyncio
import html
import time
import uuid
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

from jinja2 import Environment, PackageLoader
from jupyterhub.spawner import Spawner, SpawnException
from jupyterhub.utils import url_escape_path, url_path_join
from sqlalchemy import inspect
from traitlets import Float, Integer, Unicode, default

from . import words
from .accounts import AccountError
from .engine import SETTINGS_KEY, Engine
from .folders import SETTINGS_KEY as FOLDERS_KEY
from .form import describe, fields_of
from .jobs import JobBook, Standing, Verdict
from .knock import Knock, knock
from .leases import LeaseError
from .link import LinkDownError
from .names import course_of, slug_of
from .options import Choice, OptionsError, choose, courses_of, default_profile, from_form, from_query, profiles_of
from .paths.base import PathError
from .ports import LOOPBACK, NoPortError
from .protocol import (
    RUNNING,
    TERMINAL_STATES,
    GatewayError,
    ProtocolError,
    Secrets,
    Submit,
    decode_job_id,
    shown,
)
from .record import Phase, SpawnRecord
from .sessions import AccountDeniedError, Caller
from .settings import API_PORT_OFFSET
from .standby import HandOverError
from .webdav import FolderError

_PAGES = Environment(loader=PackageLoader("hpcampus_hub"), autoescape=True)

_CALL_SECONDS = 10.0
_KNOCK_PAUSE_SECONDS = 0.1
_QUEUE_PAUSE_SECONDS = 0.5
_TIMEOUT_MARGIN_SECONDS = 10.0
_RECONNECT_SECONDS = 150.0
_CERTIFICATE_MARGIN_SECONDS = 300
_LOG_LINES = 12
_SLURM_SECONDS = 30.0
_UNREACHED_SECONDS = 60.0


class StartError(SpawnException):
    """A server did not start; the text tells the person what happened and what to do."""

    def __init__(self, message: str, *, reason: str, status_code: int = 503, log_lines: str = "") -> None:
        page = ""
        if log_lines:
            page = f"{html.escape(message)}<br>The last lines of its log:<pre>{html.escape(log_lines)}</pre>"
        text = f"{message} The last lines of its log:\n{log_lines}" if log_lines else message
        super().__init__(text, reason=reason, status_code=status_code, message_html=page)
        self.jupyterhub_message = text
        if page:
            self.jupyterhub_html_message = page


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
        self._record: SpawnRecord | None = None
        self._restored = False
        self._since = time.monotonic()
        self._looking: asyncio.Task[int | None] | None = None
        self._events: list[dict[str, Any]] = []
        self._news = asyncio.Event()
        self._followed: SpawnRecord | None = None
        self._notifying: asyncio.Task[int | None] | None = None
        self._assigning: asyncio.Task[None] | None = None
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
    def record(self) -> SpawnRecord | None:
        """The job of this server, if there is one."""
        return self._record

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take over what an earlier hub process knew of the server."""
        super().load_state(state)
        self._record = SpawnRecord.from_state(state.get("hpcampus") or {})
        self._restored = self._record is not None
        if self._record is not None:
            self.ip, self.port = LOOPBACK, self._record.port

    def get_state(self) -> dict[str, Any]:
        """What a later hub process must know of the server."""
        state: dict[str, Any] = super().get_state()
        if self._record is not None:
            state["hpcampus"] = self._record.state()
        return state

    def clear_state(self) -> None:
        """Forget the job."""
        super().clear_state()
        self._record = None
        self._restored = False

    def _keep(self, record: SpawnRecord | None) -> None:
        """Remember the job now, in the database too: the hub may end at any moment."""
        self._record = record
        self.orm_spawner.state = self.get_state()
        session = inspect(self.orm_spawner).session
        if session is not None:
            session.commit()

    def _is_current(self, record: SpawnRecord) -> bool:
        """Whether the server is still meant to run with this job."""
        now = self._record
        return now is not None and now.spawn_id == record.spawn_id and now.phase is not Phase.STOPPING

    # --- options -----------------------------------------------------------------------------------------------------

    _entered: Mapping[str, Any] | None = None

    @default("options_form")
    def _default_options_form(self) -> Any:
        return type(self).render_form

    def render_form(self) -> str:
        """The spawn form: sizes with what may be changed of them, and courses; empty for a course's own server.

        What was chosen the last time is filled in, or what was just refused, as far as it is on offer.
        """
        if course_of(self.user.name) is not None:
            return ""
        site, last = self.engine.site, self._entered or self.user_options
        self._entered = None
        courses = courses_of(site, self.user.name)
        profiles = profiles_of(site, self.user.name, self._groups())
        course = _last(last, "course", [course.slug for course in courses]) or (courses[0].slug if courses else "")
        profile = _last(last, "profile", profiles)
        if not profile and profiles:
            profile = default_profile(profiles, site.courses.get(course)).name
        return _PAGES.get_template("hpcampus_options.html").render(
            profiles=list(profiles.values()),
            fields={name: fields_of(item, last if name == profile else {}) for name, item in profiles.items()},
            courses=courses,
            profile=profile,
            course=course,
            describe=describe,
        )

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
            self._keep(None)
            raise StartError(f"Not started: {error}.", reason="options", status_code=400) from None

    # --- start -------------------------------------------------------------------------------------------------------

    async def start(self) -> str:
        """Submit the job and wait until the server answers through its tunnel.

        Returns:
            The server's URL on the hub's loopback.

        Raises:
            StartError: with what happened and what to do; nothing is left behind.
        """
        self._events, self._restored = [], False
        choice = self._choose()
        account, choice = self._place(choice)
        path = await self._choose_path(choice.profile.cluster)
        self._check_room(choice.profile.cluster)
        self._since = time.monotonic()
        try:
            record = await self._take_over(choice)
            if record is None:
                record = self._new_record(choice, path, account)
                self._keep(record)
                record = await self._submit(record, choice)
            record = await self._until_ready(record)
        except asyncio.CancelledError:
            if self._record is not None and not self.engine.closing:
                await asyncio.shield(self._abandon(self._record))
            raise
        except Exception:
            if self._record is not None:
                await self._abandon(self._record)
            raise
        self.ip, self.port = LOOPBACK, record.port
        return f"http://{LOOPBACK}:{record.port}"

    def _new_record(self, choice: Choice, path: str, account: str) -> SpawnRecord:
        """A record with a port of its own."""
        try:
            lease = self.engine.ports.take()
        except NoPortError as error:
            raise StartError(f"Not started: {error}.", reason="port") from error
        return SpawnRecord(
            spawn_id=uuid.uuid4().hex,
            cluster=choice.profile.cluster,
            port=lease.port,
            serial=lease.serial,
            path=path,
            account=account,
            phase=Phase.SUBMITTING,
            **self._times(),
        )

    def _times(self) -> dict[str, Any]:
        """The part of a record that begins now."""
        now = time.time()
        return {
            "deadline": now + self.start_timeout - min(_TIMEOUT_MARGIN_SECONDS, self.start_timeout / 4),
            "marks": {"requested": now},
        }

    async def _take_over(self, choice: Choice) -> SpawnRecord | None:
        """Make a warm standby this person's; None when there is none, or it could not be.

        Nothing can be mounted in a container that runs, so a person with a WebDAV folder gets a job of its own.
        """
        pool = self.engine.standbys
        if pool is None or not choice.is_plain or await self._webdav(choice.profile.cluster) is not None:
            return None
        standby = pool.take(choice.profile)
        if standby is None:
            return None
        record = replace(standby.record, **self._times())
        self._keep(record)
        self._tell(20, f"Job {record.job_id} on {record.node} has waited for you.")
        identity = {
            "user_id": slug_of(self.user.name),
            "server_id": slug_of(self.name) if self.name else "",
            "courses": [{"slug": course.slug, "role": course.role} for course in choice.memberships],
            "env": self._job_env(choice, record.port + API_PORT_OFFSET),
            "base_url": self.server.base_url,
            "default_url": self._opening_page(choice),
        }
        try:
            await pool.hand_over(standby, identity)
        except HandOverError as error:
            self.log.warning("%s: %s; a job is submitted instead", self._log_name, error)
            await self._abandon(record)
            return None
        self._assigning = asyncio.create_task(self._assign(record, identity["user_id"], identity["server_id"]))
        now = time.time()
        record = record.marked("submitted", now).marked("running", now)
        self._keep(record)
        return record

    async def _assign(self, record: SpawnRecord, user_id: str, server_id: str) -> None:
        """Have the cluster's queue show whose job it is now."""
        try:
            await self.engine.links[record.cluster].call(
                "assign", job_id=record.job_id, user_id=user_id, server_id=server_id
            )
        except (GatewayError, LinkDownError) as error:
            self.log.warning("Job %s still carries no user's name in the queue: %s", record.job_id, error)

    async def _choose_path(self, cluster: str) -> str:
        """The data path of a cluster; where it is not known yet the person is told what is waited for.

        Raises:
            StartError: none works.
        """
        chooser = self.engine.chooser
        if chooser.known(cluster) is None:
            self._tell(5, f"Finding the way to cluster {cluster}: a short job tries what is possible.")
        try:
            return await chooser.path(cluster)
        except PathError as error:
            raise StartError(f"Not started: {error}. Tell the administrator.", reason="path") from error

    def _check_room(self, cluster: str) -> None:
        """Refuse a start beyond the number of servers that a cluster may have. Nothing is awaited from here to the new record."""
        if self.engine.is_full(cluster):
            limit = self.engine.site.clusters[cluster].max_servers
            raise StartError(
                f"Not started: on cluster {cluster} run as many servers as may run there ({limit})."
                " Try again when somebody has stopped, or pick a size on another cluster.",
                reason="full",
            )

    def _place(self, choice: Choice) -> tuple[str, Choice]:
        """The account on the cluster, and the choice without what that account cannot have."""
        cluster = choice.profile.cluster
        try:
            account = self.engine.account_of(self.user.name, cluster)
        except (AccountError, LeaseError) as error:
            raise StartError(f"Not started: {error}.", reason="account") from error
        if choice.memberships and not self.engine.accounts[cluster].mounts_courses:
            self._tell(5, f"Cluster {cluster} cannot show your courses: pick another size to work on them.")
            choice = replace(choice, memberships=())
        return account, choice

    async def _submit(self, record: SpawnRecord, choice: Choice) -> SpawnRecord:
        """Make what its data path needs and hand the job to the cluster."""
        self._tell(10, f"Preparing a job for cluster {record.cluster}.")
        record, request = await self._request(record, choice)
        job_id = await self._send(self.engine.link_of(record.cluster, record.account), request, record)
        record = replace(record, job_id=job_id, phase=Phase.STARTING).marked("submitted", time.time())
        self._keep(record)
        self._since = time.monotonic()
        self._tell(20, f"Job {job_id} is submitted to cluster {record.cluster}.")
        return record

    async def _request(self, record: SpawnRecord, choice: Choice) -> tuple[SpawnRecord, Submit]:
        """The record with what its path made, and everything the gateway needs; secrets in their own part."""
        profile = choice.profile
        seconds = self.start_timeout + choice.time_limit_minutes * 60 + _CERTIFICATE_MARGIN_SECONDS
        try:
            offer = await self.engine.path(record.path).offer(record, self.hub.port, seconds)
        except PathError as error:
            raise StartError(f"Not started: {error}.", reason="path") from error
        self._keep(offer.record)
        return offer.record, Submit(
            spawn_id=record.spawn_id,
            user_id=slug_of(self.user.name),
            server_id=slug_of(self.name) if self.name else "",
            partition=profile.partition,
            cpus=choice.cpus,
            memory_mb=choice.memory_mb,
            time_limit_minutes=choice.time_limit_minutes,
            gres=choice.gres,
            account=profile.account,
            qos=profile.qos,
            reservation=profile.reservation,
            image=choice.image,
            overlay_mb=profile.overlay_mb,
            courses=tuple({"slug": course.slug, "role": course.role} for course in choice.memberships),
            secrets=Secrets(
                env=self._job_env(choice, record.port + API_PORT_OFFSET),
                tunnel=offer.tunnel,
                door=offer.door,
                base_url=self.server.base_url,
                default_url=self._opening_page(choice),
                webdav=await self._webdav(profile.cluster),
            ),
        )

    async def _webdav(self, cluster: str) -> Mapping[str, str] | None:
        """The person's WebDAV folder, if there is one that may be used; a server starts without it rather than not at all."""
        folders = self.user.settings.get(FOLDERS_KEY)
        if folders is None or not folders.hosts or not self.engine.site.clusters[cluster].webdav:
            return None
        orm_user = self.user.orm_user
        try:
            folder = await folders.load(inspect(orm_user).session, orm_user)
        except FolderError as error:
            self._tell(None, f"Your cloud storage is left out: {error}")
            return None
        return folder.fields() if folder else None

    def _opening_page(self, choice: Choice) -> str:
        own = choice.course is not None and choice.course.role == "course"
        return self.format_string(self.course_default_url if own else self.default_url) if self.default_url else ""

    def _job_env(self, choice: Choice, api_port: int) -> dict[str, str]:
        """The server's environment; the hub's API is reached through the job's own tunnel."""
        env: dict[str, Any] = {**self.get_env(), **choice.profile.environment}
        for name in ("JPY_API_TOKEN", "JUPYTERHUB_SERVICE_URL"):
            env.pop(name, None)
        for name in ("JUPYTERHUB_API_URL", "JUPYTERHUB_ACTIVITY_URL"):
            env[name] = urlsplit(env[name])._replace(scheme="http", netloc=f"{LOOPBACK}:{api_port}").geturl()
        env["JUPYTERHUB_DEFAULT_URL"] = self._opening_page(choice)
        env["HPCAMPUS_USER_ID"] = slug_of(self.user.name)
        env["HPCAMPUS_COURSES"] = ",".join(course.slug for course in choice.memberships)
        if choice.course is not None:
            env["HPCAMPUS_COURSE"] = choice.course.slug
            env["HPCAMPUS_COURSE_ROLE"] = choice.course.role
        return {name: str(value) for name, value in env.items() if value is not None}

    async def _send(self, link: Caller, request: Submit, record: SpawnRecord) -> int:
        """Submit, again and again while the cluster cannot be reached: the spawn id keeps it from being done twice."""
        give_up = min(record.deadline, time.time() + self.submit_timeout)
        away = False
        while True:
            main = self.engine.links[record.cluster]
            if not main.up:
                self._tell(10, f"Waiting: cluster {record.cluster} cannot be reached: {main.trouble}.")
            self._check_account(record)
            try:
                return decode_job_id(await link.call("submit", **request.fields()))
            except GatewayError as error:
                trouble = error.message
                # Slurm may have come back after it was asked: what it refuses then is tried once more.
                was_away, away = away, error.code == "slurm" and await self._slurm_is_away(record)
                if away:
                    trouble = f"Slurm on cluster {record.cluster} does not answer"
                elif error.code != "busy" and not was_away:
                    raise StartError(
                        f"Cluster {record.cluster} refused: {trouble}. Pick another size, or ask the administrator.",
                        reason="refused",
                    ) from None
            except (LinkDownError, ProtocolError) as error:
                trouble = str(error)
                if isinstance(error, AccountDeniedError):
                    give_up = 0.0
            if time.time() > give_up:
                raise StartError(f"Not started: {trouble}. Try again later, or tell the administrator.", reason="link")
            self._tell(10, f"Waiting: {trouble}.")
            await asyncio.sleep(1.0)

    async def _slurm_is_away(self, record: SpawnRecord) -> bool:
        """Whether the queue cannot be read either: then Slurm did not refuse the job, it is not there."""
        book = self.engine.books[record.cluster]
        with book.watch():
            await book.turn(_SLURM_SECONDS)
        return bool(book.trouble)

    def _check_account(self, record: SpawnRecord) -> None:
        """Submit nothing under an account that is taken back at this moment."""
        try:
            mine = self.engine.accounts[record.cluster].may_submit(self.user.name, record.account)
        except LeaseError as error:
            raise StartError(f"Not started: {error}.", reason="account") from error
        if not mine:
            raise StartError("Not started: your account on the cluster is being released.", reason="account")

    async def _until_ready(self, record: SpawnRecord) -> SpawnRecord:
        """Wait until the server answers; tell how far it is.

        Raises:
            StartError: the job ended, can never start, took too long, or is no longer wanted.
        """
        book = self.engine.books[record.cluster]
        with book.watch():
            while True:
                verdict = book.verdict(record.spawn_id, self._since)
                record = self._note(record, verdict)
                await self._check_hope(record, verdict)
                running = verdict.job is not None and verdict.job.state == RUNNING
                if running or verdict.standing is Standing.UNKNOWN:
                    found = await knock(LOOPBACK, record.port, self.server.base_url)
                    record = self._note_knock(record, found)
                    if found is Knock.READY:
                        return record
                    await asyncio.sleep(_KNOCK_PAUSE_SECONDS)
                else:
                    await book.turn(_QUEUE_PAUSE_SECONDS)

    def _note(self, record: SpawnRecord, verdict: Verdict) -> SpawnRecord:
        """Take down what the queue says, and tell it."""
        job, now = verdict.job, time.time()
        if job is None:
            if verdict.standing is Standing.UNKNOWN and self.engine.books[record.cluster].trouble:
                self._tell(None, "The cluster does not answer at the moment; the job is still awaited.")
            return record
        updated = record if record.job_id == job.job_id else replace(record, job_id=job.job_id, phase=Phase.STARTING)
        if job.state == RUNNING:
            updated = replace(updated, node=job.nodes).marked("submitted", now).marked("running", now)
            self._open(updated)
            self._tell_running(updated)
        elif not verdict.over:
            self._tell(30, words.queued(job, now))
        if updated != record and self._is_current(record):
            self._keep(updated)
        return updated

    def _tell_running(self, record: SpawnRecord) -> None:
        """Tell that the job runs, and what keeps the hub from it, until the hub has reached it."""
        if "tunnel" in record.marks:
            return
        trouble = self._path_trouble(record)
        if trouble:
            self._tell(50, f"Job {record.job_id} runs on {record.node}. Connecting ({trouble}); it is tried again.")
        else:
            self._tell(50, f"Job {record.job_id} runs on {record.node}: its container and server are starting.")

    def _note_knock(self, record: SpawnRecord, found: Knock) -> SpawnRecord:
        """Take down what a knock found, and tell it."""
        now = time.time()
        if found is Knock.NO_TUNNEL:
            return record
        updated = record.marked("running", now).marked("tunnel", now)
        if found is Knock.NO_SERVER:
            self._tell(75, f"Connected to {record.node or 'the job'}: the server is nearly ready.")
            return updated
        updated = replace(updated.marked("ready", now), phase=Phase.RUNNING)
        self._keep(updated)
        legs = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in updated.legs().items())
        self.log.info("%s: job %s on %s is ready (%s)", self._log_name, updated.job_id, updated.node or "?", legs)
        self._tell(95, f"The server answers ({legs}).", legs=updated.legs())
        return updated

    async def _check_hope(self, record: SpawnRecord, verdict: Verdict) -> None:
        """Raise when waiting is of no use."""
        if not self._is_current(record):
            raise StartError("The server was stopped before it was ready.", reason="stopped")
        name = f"Job {record.job_id}" if record.job_id else "The job"
        if verdict.over:
            self._note_unreached(record)
            raise StartError(
                f"{name} ended before the server was ready: {words.ended(verdict.job)}.",
                reason="ended",
                log_lines=await self._last_log_lines(record),
            )
        never = words.will_never_start(verdict.job) if verdict.job is not None else None
        if never:
            raise StartError(f"{name} can never start: {never}. Pick another size.", reason="never")
        if time.time() > record.deadline:
            waits = verdict.job is not None and verdict.job.state != RUNNING
            self._note_unreached(record)
            trouble = self._path_trouble(record)
            why = f"no answer came in time: {trouble}" if trouble else "no answer came in time"
            if waits and verdict.job is not None:
                why = f"it is still queued ({words.reason(verdict.job.reason)})"
            raise StartError(
                f"{name} was given up: {why}. Try again later or pick a smaller size.",
                reason="timeout",
                status_code=504,
                log_lines="" if waits else await self._last_log_lines(record),
            )

    def _note_unreached(self, record: SpawnRecord) -> None:
        """Where a job ran for a while and was never reached, its data path may be why."""
        ran = time.time() - record.marks.get("running", time.time())
        if "tunnel" not in record.marks and ran > _UNREACHED_SECONDS:
            why = self._path_trouble(record) or f"job {record.job_id} ran for {ran:.0f} s"
            self.engine.chooser.failed(record.cluster, record.path, why)

    async def _last_log_lines(self, record: SpawnRecord) -> str:
        """The end of the job's log, or nothing when it cannot be had."""
        try:
            answer = await self.engine.link_of(record.cluster, record.account).call(
                "log", timeout=_CALL_SECONDS, spawn_id=record.spawn_id
            )
        except (GatewayError, LinkDownError):
            return ""
        return log_tail(answer.get("text"))

    # --- end ---------------------------------------------------------------------------------------------------------

    async def _abandon(self, record: SpawnRecord) -> None:
        """Undo a start: the port at once, then the job; what cannot be reached is left to the reaper."""
        current = self._record if self._record is not None else record
        self._close(current)
        await self._cancel(current)
        self._keep(None)

    def _open(self, record: SpawnRecord) -> None:
        """Have the way to a running job opened.

        Raises:
            StartError: it cannot be.
        """
        try:
            self.engine.path(record.path).open(record, self.hub.port)
        except PathError as error:
            raise StartError(f"Job {record.job_id} cannot be reached: {error}.", reason="path") from error

    def _path_trouble(self, record: SpawnRecord) -> str:
        """What keeps the way to a job from being open, in words; empty when nothing is known."""
        path = self.engine.paths.get(record.path)
        trouble = path.trouble(record) if path is not None else ""
        return f"{path.words}: {trouble}" if path is not None and trouble else ""

    def _close(self, record: SpawnRecord) -> None:
        """End the server's data path at once and give its port back."""
        self.engine.ports.release(record.lease)
        if record.path in self.engine.paths:
            self.engine.paths[record.path].close(record)

    async def _cancel(self, record: SpawnRecord) -> bool:
        """Cancel the job; False when the cluster could not be told."""
        job_id = record.job_id
        if job_id is None:
            job = self.engine.books[record.cluster].verdict(record.spawn_id, self._since).job
            if job is None:
                return True
            job_id = job.job_id
        try:
            await self.engine.link_of(record.cluster, record.account).call(
                "cancel", timeout=_CALL_SECONDS, job_id=job_id
            )
        except (GatewayError, LinkDownError) as error:
            self.log.warning("Job %s could not be cancelled yet, the reaper will do it: %s", job_id, error)
            return False
        return True

    async def stop(self, now: bool = False) -> None:  # noqa: ARG002 (the hub's signature)
        """Stop the server: refuse its tunnel at once, cancel the job, wait until it has left the queue."""
        record = self._record
        if record is None:
            return
        self._close(record)
        record = replace(record, phase=Phase.STOPPING)
        self._keep(record)
        book = self.engine.books[record.cluster]
        try:
            async with asyncio.timeout(self.stop_timeout):
                while not await self._cancel(record):  # noqa: ASYNC110 (it is asked again each time)
                    await asyncio.sleep(1.0)
                await self._until_left(book, record)
        except TimeoutError:
            self.log.warning(
                "Job %s has not left the queue within %g s; the reaper will look after it",
                record.job_id,
                self.stop_timeout,
            )
        self._record = None

    async def _until_left(self, book: JobBook, record: SpawnRecord) -> None:
        with book.watch():
            while True:
                verdict = book.verdict(record.spawn_id, self._since)
                left = verdict.standing is Standing.GONE or (
                    verdict.job is not None and verdict.job.state in TERMINAL_STATES
                )
                if left:
                    return
                await book.turn(_QUEUE_PAUSE_SECONDS)

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
        record = self._record
        if record is not None and record.cluster in self.engine.books:
            self.engine.books[record.cluster].follow(record.spawn_id, self._since, self._ended)
            self._followed = record

    def stop_polling(self) -> None:
        """Hear no more of the job."""
        followed, self._followed = self._followed, None
        if followed is not None:
            self.engine.books[followed.cluster].unfollow(followed.spawn_id)
        super().stop_polling()

    def _ended(self) -> None:
        self._notifying = asyncio.create_task(self.poll_and_notify(), name=f"end of {self._log_name}")

    # --- look --------------------------------------------------------------------------------------------------------

    async def poll(self) -> int | None:
        """Whether the server runs: None when it does or nobody knows, else an exit status."""
        record = self._record
        if record is None:
            return 0
        if self._restored:
            return await self._adopt_once(record)
        if record.phase is not Phase.RUNNING:
            return None
        verdict = self.engine.books[record.cluster].verdict(record.spawn_id, self._since)
        if not verdict.over:
            return None
        self.log.info("%s: job %s ended: %s", self._log_name, record.job_id, words.ended(verdict.job))
        self._close(record)
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
            await self._find(record)
        except StartError as error:
            self.log.warning("%s: not found again after the hub's restart: %s", self._log_name, error)
            if self._is_current(record) or record.phase is Phase.STOPPING:
                self._failure = error
                await self._abandon(record)
            return 1
        self._restored = False
        self.log.info("%s: job %s found again after the hub's restart", self._log_name, record.job_id)
        return None

    async def _find(self, record: SpawnRecord) -> None:
        """Enter the port again and wait.

        Raises:
            StartError: there is nothing to find.
        """
        if record.phase is Phase.STOPPING:
            raise StartError("it was being stopped.", reason="stopped")
        if record.cluster not in self.engine.books:
            raise StartError(f"its cluster {record.cluster} is no longer configured.", reason="cluster")
        if not self._keeps_account(record):
            raise StartError(f"its account {record.account} is no longer this person's.", reason="account")
        try:
            mine = self.engine.ports.restore(record.lease)
        except NoPortError as error:
            raise StartError(f"{error}.", reason="port") from error
        if not mine:
            raise StartError(f"its port {record.port} belongs to another server by now.", reason="port")
        limit = record.deadline
        if record.phase is Phase.RUNNING:
            limit = time.time() + _RECONNECT_SECONDS
            self._open(record)
            if await knock(LOOPBACK, record.port, self.server.base_url) is Knock.READY:
                return
        await self._until_ready(replace(record, deadline=limit))

    def _keeps_account(self, record: SpawnRecord) -> bool:
        """Whether the server may stay where it runs; a list of leases that cannot be used is no reason to end it."""
        try:
            return self.engine.accounts[record.cluster].keep(self.user.name, record.account)
        except LeaseError as error:
            self.log.warning("%s: its account %s is kept unseen: %s", self._log_name, record.account, error)
            return True

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

    _failure: StartError | None = None

    async def get_url(self) -> str:
        """The server's URL; the database may not have it yet when the hub was restarted during the start."""
        if self._record is not None:
            return f"http://{LOOPBACK}:{self._record.port}{self.server.base_url}"
        return str(self.server.url)

    # --- progress ----------------------------------------------------------------------------------------------------

    def _tell(self, percent: int | None, message: str, **more: Any) -> None:
        """Add an event for who watches the start, unless it says what the last one said."""
        if self._events and self._events[-1]["message"] == message:
            return
        event: dict[str, Any] = {"message": message, **more}
        if percent is not None:
            event["progress"] = percent
        self._events.append(event)
        self._news.set()
        self._news = asyncio.Event()

    async def progress(self) -> AsyncIterator[dict[str, Any]]:
        """Events of the start under way, from its beginning; the hub ends the stream when the start ends."""
        told = 0
        while True:
            events, news = self._events, self._news
            for event in events[told:]:
                told += 1  # not the list's length afterwards: it grows while an event is sent
                yield dict(event)
            await news.wait()

    @default("progress_ready_hook")
    def _default_progress_ready_hook(self) -> Any:
        return add_breakdown


def log_tail(text: object) -> str:
    """The last lines of a job's log as a page can show them; a student's program may have written anything."""
    lines = text.strip().splitlines()[-_LOG_LINES:] if isinstance(text, str) else []
    indents = [" " * min(len(line) - len(line.lstrip(" ")), 20) for line in lines]
    return "\n".join(indent + shown(line) for indent, line in zip(indents, lines, strict=True))


def add_breakdown(spawner: HpcSpawner, event: dict[str, Any]) -> dict[str, Any]:
    """Add job, node and the seconds of each leg to the event that says a server is ready."""
    record = spawner.record
    if record is not None:
        legs = record.legs()
        if "ready" in record.marks:
            legs["hub"] = round(max(0.0, time.time() - record.marks["ready"]), 3)
        event["hpcampus"] = {"job_id": record.job_id, "node": record.node, "cluster": record.cluster, "legs": legs}
    return event


def _last(options: Mapping[str, Any], key: str, offered: Collection[str]) -> str:
    """What was chosen the last time, if it is still on offer."""
    value = options.get(key)
    return value if isinstance(value, str) and value in offered else ""


def _apply_nothing(_spawner: HpcSpawner, _options: Mapping[str, Any]) -> None:
    """Options are checked in start(); nothing of them is ever set on the spawner."""
