# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Sessions with a cluster's gateway as the accounts of students: opened when one is needed, closed when idle, few at a time.

The service account's session stays open and carries the one question for all jobs. These carry what only the account itself can
do: submit, cancel, read a log. A login that is refused is not tried again at once, since sshd locks out hosts that fail too often.
"""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from .link import Link, LinkDownError, LinkTimes, Log, back_off
from .settings import Cluster

KeysOf = Callable[[str], Awaitable[Sequence[Any]]]
"""Gives the keys to log in with as an account, in a form that asyncssh takes."""

DENIED_PAUSE_SECONDS = 60.0


class AccountDeniedError(LinkDownError):
    """The login node does not let the hub in as this account; trying again soon is of no use."""


class Caller(Protocol):
    """What can be asked, whichever session it goes through; see :meth:`.link.Link.call`."""

    async def call(self, op: str, *, timeout: float | None = None, **fields: Any) -> Mapping[str, Any]:  # noqa: ASYNC109
        """Ask the gateway one thing."""
        ...


@dataclass
class _Open:
    """A session, how many calls use it, and when the last one ended (the loop's seconds)."""

    link: Link
    users: int = 0
    last: float = 0.0


@dataclass(frozen=True)
class _Failure:
    """Why an account's last session could not be had, when it may be tried again, and how often it failed in a row."""

    error: LinkDownError
    until: float
    count: int


class AccountSessions:
    """Sessions of one cluster by account.

    Args:
        cluster: its settings; ``cluster.accounts`` says how many sessions there may be and for how long an idle one stays.
        log: the hub's log.
        times: waiting times.
        keys_of: gives the keys for an account; None takes the hub's own key.
    """

    def __init__(
        self, cluster: Cluster, log: Log, times: LinkTimes | None = None, keys_of: KeysOf | None = None
    ) -> None:
        self._cluster = cluster
        self._log = log
        self._times = times or LinkTimes()
        self._keys_of = keys_of
        self._open: dict[str, _Open] = {}
        self._failed: dict[str, _Failure] = {}
        self._changed = asyncio.Condition()
        self._closing: set[asyncio.Task[None]] = set()
        self._stopped = False

    @property
    def count(self) -> int:
        """How many sessions are open."""
        return len(self._open)

    async def call(self, account: str, op: str, /, *, timeout: float | None = None, **fields: Any) -> Mapping[str, Any]:  # noqa: ASYNC109
        """Ask the gateway one thing as an account; see :meth:`.link.Link.call`.

        Raises:
            GatewayError: the gateway refused, or Slurm failed.
            LinkDownError: no session, or it ended, or no answer in time.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (self._times.call if timeout is None else timeout)
        async with self._use(account, deadline) as link:
            try:
                answer = await link.call(op, timeout=max(0.0, deadline - loop.time()), **fields)
            except LinkDownError as error:
                if link.over:
                    raise self._note_failure(account, link, error) from None
                raise
        self._failed.pop(account, None)
        return answer

    async def stop(self) -> None:
        """Close every session, for good."""
        self._stopped = True
        async with self._changed:
            sessions, self._open = list(self._open.values()), {}
            await asyncio.gather(*(session.link.stop() for session in sessions))
        for task in list(self._closing):
            task.cancel()
        await asyncio.gather(*self._closing, return_exceptions=True)

    @contextlib.asynccontextmanager
    async def _use(self, account: str, deadline: float) -> AsyncIterator[Link]:
        session = await self._take(account, deadline)
        try:
            yield session.link
        finally:
            session.users -= 1
            session.last = asyncio.get_running_loop().time()
            if session.users == 0 and not self._stopped:
                self._later(0.0 if session.link.over else self._cluster.accounts.session_idle_seconds, account, session)

    async def _take(self, account: str, deadline: float) -> _Open:
        """The account's session; a new one waits until there is room."""
        try:
            async with asyncio.timeout_at(deadline), self._changed:
                while True:
                    session = await self._find_or_open(account)
                    if session is not None:
                        session.users += 1
                        return session
                    await self._changed.wait()
        except TimeoutError:
            most = self._cluster.accounts.sessions_max
            raise LinkDownError(
                f"all {most} sessions with cluster {self._cluster.name} are in use; it is tried again"
            ) from None

    async def _find_or_open(self, account: str) -> _Open | None:
        if self._stopped:
            raise LinkDownError(f"the hub is ending its sessions with cluster {self._cluster.name}")
        known = self._open.get(account)
        if known is not None and not known.link.over:
            return known
        if known is not None:
            await self._close(account, known)
        failure = self._failed.get(account)
        if failure is not None and asyncio.get_running_loop().time() < failure.until:
            raise failure.error
        if len(self._open) >= self._cluster.accounts.sessions_max:
            idle = {name: session for name, session in self._open.items() if session.users == 0}
            if not idle:
                return None
            longest = min(idle, key=lambda name: idle[name].last)
            await self._close(longest, idle[longest])
        session = self._open[account] = _Open(self._make_link(account))
        session.link.start()
        return session

    def _make_link(self, account: str) -> Link:
        place = replace(self._cluster, name=f"{self._cluster.name} as {account}", user=account)
        keys_of = self._keys_of
        if keys_of is None:
            return Link(place, self._log, self._times, once=True)

        async def keys() -> Sequence[Any]:
            return await keys_of(account)

        return Link(place, self._log, self._times, once=True, keys=keys)

    def _note_failure(self, account: str, link: Link, error: LinkDownError) -> LinkDownError:
        """Remember why a session could not be had, so that not every call tries again."""
        count = self._failed[account].count + 1 if account in self._failed else 0
        jitter = random.random()  # noqa: S311 (no secret)
        pause = DENIED_PAUSE_SECONDS if link.denied else back_off(count, self._times, jitter)
        told = AccountDeniedError(str(error)) if link.denied else error
        self._failed[account] = _Failure(told, asyncio.get_running_loop().time() + pause, count)
        return told

    def _later(self, seconds: float, account: str, session: _Open) -> None:
        """Close a session in the background if nobody has used it for so long; who waits for room hears of it at once."""
        task = asyncio.create_task(self._close_if_idle(seconds, account, session, session.last))
        self._closing.add(task)
        task.add_done_callback(self._closing.discard)

    async def _close_if_idle(self, seconds: float, account: str, session: _Open, last: float) -> None:
        async with self._changed:
            self._changed.notify_all()
        await asyncio.sleep(seconds)
        async with self._changed:
            if session.users == 0 and session.last == last and self._open.get(account) is session:
                await self._close(account, session)
                self._changed.notify_all()

    async def _close(self, account: str, session: _Open) -> None:
        del self._open[account]
        await session.link.stop()


@dataclass(frozen=True)
class AccountLink:
    """One account's way to the gateway."""

    sessions: AccountSessions
    account: str

    async def call(self, op: str, *, timeout: float | None = None, **fields: Any) -> Mapping[str, Any]:  # noqa: ASYNC109
        """Ask the gateway one thing as the account."""
        return await self.sessions.call(self.account, op, timeout=timeout, **fields)
