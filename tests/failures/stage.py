# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a case is, and what it is played on.

A case is one function with the decorator `case`. Cases of a round are played at the same time, each by people of its own,
on the one platform; cases that break what the others need stand in a round of their own.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from hpcampus_hub.probe import ProbeError
from tests.e2e.conftest import COMPUTE
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

    from tornado.httpclient import HTTPResponse

    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Notebook

PEOPLE = ("student1", "student2", "instructor", "admin", "verify")
NOWHERE = ""
"""In place of a node: no job starts anywhere."""
_MEETING_SECONDS = 240


class Play(Protocol):
    """Breaks something and says what came of it."""

    def __call__(self, stage: Stage, /) -> Awaitable[None]:
        """Play the case."""


@dataclass(frozen=True)
class Case:
    """One thing that breaks.

    Attributes:
        name: What breaks, in a few words.
        round: Cases of the same round are played at the same time.
        broken: How exactly it is broken, simulation included.
        within: Seconds within which everything has to be right again.
        people: How many people it needs.
        play: The case.
    """

    name: str
    round: str
    broken: str
    within: float
    people: int
    play: Play


@dataclass
class Outcome:
    """What came of a case: what was seen, seconds until it was right, what was left over in the end, what went wrong."""

    case: Case
    seen: list[str] = field(default_factory=list)
    seconds: float | None = None
    left: list[str] = field(default_factory=list)
    error: BaseException | None = None


CASES: list[Case] = []


def case(name: str, *, round: str, broken: str, within: float, people: int = 1) -> Callable[[Play], Play]:  # noqa: A002 (the word for it)
    """Enter a function in the table; rounds are played in the order in which they are first named."""

    def enter(play: Play) -> Play:
        CASES.append(Case(name, round, broken, within, people, play))
        return play

    return enter


class Placement:
    """Decides on which node jobs start: who wants another one waits until nobody needs the present choice.

    Args:
        platform: The platform.
    """

    def __init__(self, platform: Platform) -> None:
        self._platform = platform
        self._change = asyncio.Condition()
        self._node: str | None = None
        self._users = 0

    @contextlib.asynccontextmanager
    async def on(self, node: str) -> AsyncIterator[None]:
        """Let jobs start on one node alone, or on none, for as long as the block lasts."""
        async with self._change:
            await self._change.wait_for(lambda: node == self._node or not self._users)
            if node != self._node:
                await self.offer(*([node] if node else []))
                self._node = node
            self._users += 1
        try:
            yield
        finally:
            async with self._change:
                self._users -= 1
                self._change.notify_all()

    async def offer(self, *nodes: str) -> None:
        """Let jobs start on these nodes, and on no others."""
        for node in COMPUTE:
            state = ["state=resume"] if node in nodes else ["state=drain", "reason=test"]
            # One that is not drained cannot be resumed; that is no error here.
            argv = ["scontrol", "update", f"nodename={node}", *state]
            await asyncio.to_thread(self._platform.on, "login", *argv, good=(0, 1))


class Meetings:
    """Where the cases of a round wait for each other; one that has ended, well or not, is not waited for.

    Args:
        cases: Names of the cases.
    """

    def __init__(self, cases: Sequence[str]) -> None:
        self._cases = set(cases)
        self._ended: set[str] = set()
        self._arrived: dict[str, set[str]] = {}
        self._done: dict[str, float] = {}
        self._change = asyncio.Condition()

    async def meet(self, name: str, who: str) -> None:
        """Wait until every case of the round has come here."""
        async with self._change, asyncio.timeout(_MEETING_SECONDS):
            self._arrived.setdefault(name, set()).add(who)
            self._change.notify_all()
            await self._change.wait_for(lambda: self._arrived[name] | self._ended >= self._cases)

    async def once(self, name: str, action: Callable[[], Awaitable[object]]) -> float:
        """Do something once for all cases that ask for it; give when it was done (monotonic seconds)."""
        async with self._change:
            if name not in self._done:
                await action()
                self._done[name] = time.monotonic()
            return self._done[name]

    async def leave(self, who: str) -> None:
        """Say that a case has ended."""
        async with self._change:
            self._ended.add(who)
            self._change.notify_all()


class Stage:
    """What one case is played on.

    Args:
        platform: The platform.
        people: Who plays.
        outcome: Takes what is seen.
        placement: Where jobs start.
        meetings: Where the cases of the round wait for each other.
    """

    def __init__(
        self, platform: Platform, people: Sequence[str], outcome: Outcome, placement: Placement, meetings: Meetings
    ) -> None:
        self.platform = platform
        self.people = tuple(people)
        self.outcome = outcome
        self.placement = placement
        self._meetings = meetings

    # --- what is told ------------------------------------------------------------------------------------------------

    def saw(self, text: str) -> None:
        """Note what a person sees."""
        if text not in self.outcome.seen:
            self.outcome.seen.append(" ".join(text.split()))

    async def recovers(self, what: str, condition: Callable[[], Awaitable[bool]], since: float) -> None:
        """Wait until something is right again, and note the seconds since the failure, or since its end."""
        await until(what, condition, since + self.outcome.case.within - time.monotonic())
        self.outcome.seconds = max(self.outcome.seconds or 0.0, time.monotonic() - since)

    # --- the platform ------------------------------------------------------------------------------------------------

    async def on(self, host: str, *argv: str, good: tuple[int, ...] = (0,), stdin: str = "") -> str:
        """Run a command as root on a host, while the other cases go on."""
        return await asyncio.to_thread(self.platform.on, host, *argv, good=good, stdin=stdin)

    async def jobs(self, person: str = "") -> list[str]:
        """Give the numbers of a person's jobs that have not begun to end."""
        listed = await self.on("login", "squeue", "--noheader", "--format", "%i %T %k")
        mine = f":{person or self.people[0]}:"
        lines = [line.split() for line in listed.splitlines() if mine in line]
        return [
            number for number, state, *_ in lines if state not in {"COMPLETING", "CANCELLED", "COMPLETED", "FAILED"}
        ]

    async def job(self, person: str = "") -> str:
        """Give the number of a person's only job."""
        (number,) = await self.jobs(person)
        return number

    async def one_job(self, what: str) -> str:
        """Wait until the person has a job; give its number."""

        async def there() -> bool:
            return len(await self.jobs()) == 1

        await until(what, there, 30)
        return await self.job()

    async def meet(self, name: str) -> None:
        """Wait until every case of the round has come here."""
        await self._meetings.meet(name, self.outcome.case.name)

    async def strike(self, moment: str, name: str, blow: Callable[[], Awaitable[object]]) -> float:
        """Wait for a moment with all cases of the round, and then do something once for all of them; give when it was done."""
        await self.meet(moment)
        return await self._meetings.once(name, blow)

    async def down(self, host: str, unit: str, seconds: float) -> float:
        """Stop a unit for all cases of the round, once all work; it comes back by itself. Give when it does."""

        async def stop() -> None:
            again = f"sleep {seconds}; systemctl start {unit}"
            await self.on(host, "systemd-run", "--quiet", "--collect", "sh", "-c", again)
            await self.on(host, "systemctl", "stop", unit)

        return await self.strike("all work", f"{unit} is stopped", stop) + seconds

    # --- people ------------------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def person(self, number: int = 0) -> AsyncIterator[Person]:
        """Let a person log in; whatever server she has in the end is stopped."""
        notebook = self.platform.notebook(self.people[number])

        async def logged_in() -> bool:
            await notebook.login()
            return True

        await until(f"{notebook.user} can log in", logged_in, 60)
        try:
            await notebook.stop()
            yield Person(self, self.people[number], notebook)
        finally:
            await self._stopped(notebook)

    async def _stopped(self, notebook: Notebook) -> None:
        """Stop what runs, also right after an outage."""

        async def closed() -> bool:
            await notebook.stop()
            return True

        try:
            await until(f"the server of {notebook.user} can be stopped", closed, 60)
            await notebook.close()
        finally:
            notebook.drop()

    @contextlib.asynccontextmanager
    async def working(self, number: int = 0, node: str = COMPUTE[0]) -> AsyncIterator[Person]:
        """Let a person work in a notebook on a node: a kernel of hers holds a variable."""
        async with self.person(number) as person:
            await person.start_on(node)
            await person.begin_work()
            yield person

    async def server_is_gone(self, person: Person, since: float) -> None:
        """Wait until the hub knows that a person's server has ended."""
        await self.recovers("the hub knows that the server is gone", person.has_no_server, since)

    async def starts(self, person: Person, since: float) -> None:
        """Let a person start a server and work."""
        await person.start()
        await person.begin_work()
        await self.recovers("the notebook answers", person.goes_on, since)


class Person:
    """Somebody who has logged in.

    Args:
        stage: Where she plays.
        name: Her name.
        notebook: Her client.
    """

    def __init__(self, stage: Stage, name: str, notebook: Notebook) -> None:
        self._stage = stage
        self.name = name
        self.notebook = notebook
        self.kernel = ""

    async def start(self) -> None:
        """Start a server and wait until it is ready."""
        async with asyncio.timeout(240):
            await self.notebook.start(profile="small")

    async def start_on(self, node: str) -> None:
        """Start a server on a node."""
        async with self._stage.placement.on(node):
            await self.start()

    async def ask_for_server(self) -> HTTPResponse:
        """Ask for a server and do not wait for it."""
        path = f"/hub/api/users/{self.name}/server"
        body = json.dumps({"user_options": {"profile": "small"}})
        return await self.notebook.ask("POST", path, body=body)

    async def refusal(self) -> str:
        """Ask for a server that cannot be had; give what the person is told."""
        try:
            await self.start()
        except ProbeError as error:
            return re.sub(r"\A.* answered [0-9]{3} |\Astart: ", "", str(error))
        raise AssertionError(f"{self.name} was to be refused and got a server")

    def told(self) -> list[str]:
        """Give what the progress page of the last start said."""
        return [event["message"] for event in self.notebook.events if event.get("message")]

    def told_of(self, words: str) -> str:
        """Give the first of it that has these words; there must be one."""
        said = [text for text in self.told() if words in text]
        assert said, self.told()
        return said[0]

    async def begin_work(self) -> None:
        """Set a variable in a kernel."""
        self.kernel = await self.notebook.leave_kernel("kept = 40")

    async def goes_on(self) -> bool:
        """Tell whether the person's kernel answers and has lost nothing."""
        return await self.notebook.answers() and await self.notebook.cell_in(self.kernel, "print(kept + 2)") == "42"

    async def goes_on_until(self, end: float) -> None:
        """Make sure that the server counts as running and the kernel loses nothing, until a moment (monotonic seconds)."""
        while time.monotonic() < end:
            assert await self.notebook.has_server()
            assert await self.goes_on()
            await asyncio.sleep(10)

    async def has_no_server(self) -> bool:
        """Tell whether the hub says that her server is stopped."""
        return not await self.notebook.has_server()

    async def is_stopping(self) -> bool:
        """Tell whether the hub stops her server, or has done so."""
        answer = await self.notebook.ask("GET", f"/hub/api/users/{self.name}")
        server = json.loads(answer.body)["servers"].get("")
        return not server or server["pending"] == "stop"
