# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's end of the control link: one long-lived ssh session per cluster that speaks JSON lines with the gateway.

The session's key can run only the gateway's forced command; the login node's host key is pinned. A lost session fails
what was under way and is opened again with a growing, jittered pause, for as long as the hub runs.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import asyncssh

from .background import Background
from .protocol import Hello, ProtocolError, decode_answer, decode_hello, encode, shown
from .settings import Cluster
from .signer import SignerError

Log = logging.Logger | logging.LoggerAdapter[Any]

COMMAND = "session"
_TROUBLE = (asyncssh.Error, OSError, TimeoutError, ProtocolError, SignerError, ValueError)
Keys = Callable[[], Awaitable[Sequence[Any]]]

logging.getLogger("asyncssh").setLevel(logging.WARNING)


class LinkDownError(Exception):
    """The cluster cannot be asked at the moment; the text says why. What was asked may or may not have been done."""


@dataclass(frozen=True)
class LinkTimes:
    """Waiting times of a link, in seconds."""

    connect: float = 10.0
    keepalive: float = 5.0
    keepalive_misses: int = 3
    watchdog: float = 15.0
    back_off_least: float = 0.5
    back_off_most: float = 15.0
    call: float = 30.0


def back_off(attempt: int, times: LinkTimes, jitter: float) -> float:
    """Seconds before a new attempt: doubling from the least to the most, shortened by up to half by jitter 0..1."""
    whole = min(times.back_off_most, times.back_off_least * 2.0 ** min(attempt, 16))
    return whole * (1.0 - 0.5 * jitter)


def explain(error: BaseException, cluster: Cluster, by_certificate: bool = False) -> str:
    """What went wrong with a connection and what to do, in one sentence for the log and for the person who waits."""
    where = f"{cluster.user}@{cluster.host}:{cluster.port}"
    if isinstance(error, asyncssh.HostKeyNotVerifiable):
        return f"the host key of {where} is not the pinned one; if it was renewed on purpose, run the hub step again"
    if isinstance(error, asyncssh.PermissionDenied) and by_certificate:
        return f"{where} refuses the hub's certificate; is the account there, and in the group that the gateway admits?"
    if isinstance(error, asyncssh.PermissionDenied):
        return f"{where} refuses this hub's key; run the gateway step again"
    if isinstance(error, TimeoutError):
        return f"{where} does not answer in time"
    if isinstance(error, FileNotFoundError | asyncssh.KeyImportError):
        return f"the link's private key {cluster.key_file} cannot be used ({shown(str(error))}); run the hub step again"
    return f"{where}: {shown(str(error)) or type(error).__name__}"


class Session:
    """One ssh session with the gateway: matches answers to requests by their number."""

    def __init__(self, connection: asyncssh.SSHClientConnection, process: asyncssh.SSHClientProcess[str]) -> None:
        self._connection = connection
        self._process = process
        self._waiting: dict[int, asyncio.Future[Mapping[str, Any]]] = {}
        self._number = 0

    async def greet(self, timeout: float) -> Hello:  # noqa: ASYNC109
        """Read the greeting; without one, the gateway's own complaint is the error."""
        async with asyncio.timeout(timeout):
            line = await self._process.stdout.readline()
            if line:
                return decode_hello(line)
            complaint = shown(await self._process.stderr.read(400))
        raise ProtocolError(f"the gateway ended at once: {complaint or 'no reason given'}")

    async def read(self) -> None:
        """Hand each answer to its caller until the session ends."""
        while line := await self._process.stdout.readline():
            answer = decode_answer(line)
            future = self._waiting.pop(answer.number, None) if answer.number is not None else None
            if future is None or future.done():
                continue
            if answer.error is not None:
                future.set_exception(answer.error)
            else:
                future.set_result(answer.fields)

    async def call(self, op: str, fields: Mapping[str, Any], timeout: float) -> Mapping[str, Any]:  # noqa: ASYNC109
        """Send one request and wait for its answer."""
        self._number += 1
        number = self._number
        future: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[number] = future
        try:
            self._process.stdin.write(encode(number, op, fields))
            async with asyncio.timeout(timeout):
                return await future
        except (BrokenPipeError, OSError) as error:
            if isinstance(error, TimeoutError):
                raise
            raise LinkDownError(f"the session ended while sending {op}") from error
        finally:
            self._waiting.pop(number, None)

    def fail(self, reason: str) -> None:
        """End every call that still waits."""
        for future in self._waiting.values():
            if not future.done():
                future.set_exception(LinkDownError(reason))
        self._waiting.clear()

    def abort(self) -> None:
        """Drop the connection without a word."""
        self._connection.abort()


class Link:
    """Keeps a session with one cluster's gateway and answers calls through it.

    Args:
        cluster: where, as whom, with which key, and which host key to expect.
        log: the hub's log.
        times: waiting times, in seconds.
        once: do not connect again after a session that was lost or could not be had; ``over`` tells.
        keys: gives what to log in with at each connection; None takes the cluster's key file.
    """

    def __init__(
        self,
        cluster: Cluster,
        log: Log,
        times: LinkTimes | None = None,
        *,
        once: bool = False,
        keys: Keys | None = None,
    ) -> None:
        self.cluster = cluster
        self.hello: Hello | None = None
        self.trouble = "the link is not started"
        self._log = log
        self._times = times or LinkTimes()
        self.over = False
        self.denied = False
        self._once = once
        self._keys = keys
        self._session: Session | None = None
        self._up = asyncio.Event()
        self._connecting = Background(self._run, f"link {cluster.name}")

    @property
    def up(self) -> bool:
        """Whether a session is open."""
        return self._up.is_set() and not self.over

    def start(self) -> None:
        """Begin to connect, in the background."""
        self.trouble = "the link is being opened"
        self._connecting.start()

    async def stop(self) -> None:
        """Close the session and stop connecting."""
        await self._connecting.stop()

    async def call(self, op: str, *, timeout: float | None = None, **fields: Any) -> Mapping[str, Any]:  # noqa: ASYNC109
        """Ask the gateway one thing.

        Args:
            op: operation, see the protocol.
            timeout: seconds for everything, waiting for a session included.
            fields: the request's fields; they travel as JSON and never meet a shell.

        Returns:
            The fields of the answer.

        Raises:
            GatewayError: the gateway refused, or Slurm failed.
            LinkDownError: no session, or it ended, or no answer in time.
        """
        limit = self._times.call if timeout is None else timeout
        loop = asyncio.get_running_loop()
        deadline = loop.time() + limit
        try:
            async with asyncio.timeout_at(deadline):
                await self._up.wait()
        except TimeoutError:
            raise LinkDownError(f"cluster {self.cluster.name} cannot be reached: {self.trouble}") from None
        session = self._session
        if session is None:
            raise LinkDownError(f"cluster {self.cluster.name} cannot be reached: {self.trouble}")
        try:
            return await session.call(op, fields, max(0.0, deadline - loop.time()))
        except TimeoutError:
            raise LinkDownError(f"cluster {self.cluster.name} did not answer {op} within {limit:g} s") from None

    async def _run(self) -> None:
        """Connect, serve, and connect again, until cancelled."""
        attempt = 0
        while True:
            reason, cause = "the login node closed the session", None
            try:
                async with self._connect() as session:
                    attempt = 0
                    await self._serve(session)
            except _TROUBLE as error:
                reason = explain(error, self.cluster, by_certificate=self._keys is not None)
                self.denied = isinstance(error, asyncssh.PermissionDenied)
            except Exception as error:  # noqa: BLE001 (whatever it is, the next connection follows)
                reason, cause = explain(error, self.cluster), error
            self._note_trouble(reason, cause)
            if self._once:
                self.over = True
                self._up.set()  # who waits for a session need not wait longer
                return
            await asyncio.sleep(back_off(attempt, self._times, random.random()))  # noqa: S311 (no secret)
            attempt += 1

    def _note_trouble(self, reason: str, cause: Exception | None) -> None:
        """Tell why the link is down, once; with the traceback where nobody foresaw the cause."""
        if reason != self.trouble:
            self._log.warning("Link to cluster %s is down: %s", self.cluster.name, reason, exc_info=cause)
        self.trouble = reason

    @contextlib.asynccontextmanager
    async def _connect(self) -> AsyncIterator[Session]:
        """One session, greeted, with its reader not yet running."""
        connection = await connect(self.cluster, self._times, None if self._keys is None else await self._keys())
        try:
            session = await open_session(connection)
            self.hello = await session.greet(self._times.connect)
            yield session
        finally:
            connection.abort()

    async def _serve(self, session: Session) -> None:
        """Let calls through until the session ends; a session that does not answer a ping is ended."""
        self._session = session
        self._up.set()
        self._log.info("Link to cluster %s is up: %s", self.cluster.name, self.hello)
        self.trouble = ""
        watchdog = asyncio.create_task(self._watch(session), name=f"watchdog {self.cluster.name}")
        try:
            await session.read()
        finally:
            self._up.clear()
            self._session = None
            watchdog.cancel()
            session.fail(f"the session with cluster {self.cluster.name} ended")

    async def _watch(self, session: Session) -> None:
        """Ping now and then: keepalives prove the network, not the gateway."""
        while True:
            await asyncio.sleep(self._times.watchdog)
            try:
                await session.call("ping", {}, self._times.connect)
            except Exception:  # noqa: BLE001 (a session that cannot be pinged is of no use, whatever the cause)
                session.abort()
                return


async def connect(
    cluster: Cluster, times: LinkTimes, keys: Sequence[Any] | None = None
) -> asyncssh.SSHClientConnection:
    """Log in to a cluster's account: with the link's key, or ``keys`` alone, and only where the pinned host key is shown.

    Raises:
        asyncssh.HostKeyNotVerifiable: another host key is shown.
        asyncssh.PermissionDenied: the account refuses the key.
        asyncssh.Error, OSError, ValueError: it cannot be reached, or the key cannot be used; see :func:`explain`.
    """
    key = asyncssh.import_public_key(cluster.host_key)
    return await asyncssh.connect(
        cluster.host,
        cluster.port,
        username=cluster.user,
        client_keys=[cluster.key_file] if keys is None else list(keys),
        known_hosts=([key], [], []),
        server_host_key_algs=host_key_algorithms(cluster.host_key),
        config=None,
        agent_path=None,
        x509_trusted_certs=None,  # or it looks for some in the home of whoever runs this
        x509_trusted_cert_paths=[],
        preferred_auth="publickey",
        connect_timeout=times.connect,
        login_timeout=times.connect,
        keepalive_interval=times.keepalive,
        keepalive_count_max=times.keepalive_misses,
    )


async def open_session(connection: asyncssh.SSHClientConnection) -> Session:
    """Start the gateway on a connection; it has not greeted yet, and nobody reads its answers yet."""
    process = await connection.create_process(COMMAND, encoding="utf-8", errors="replace")
    return Session(connection, process)


def host_key_algorithms(host_key: str) -> list[str]:
    """Signature algorithms to offer for a pinned key, so that the server shows that key and not another of its own."""
    kind = host_key.split(" ", 1)[0]
    return ["rsa-sha2-256", "rsa-sha2-512"] if kind == "ssh-rsa" else [kind]
