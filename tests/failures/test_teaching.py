# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Something breaks in the middle of handing in, collecting and grading: nothing is lost, nothing is there twice or in halves.

What came of each is written to artifacts/teaching.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.e2e.conftest import COMPUTE, ROOT, find_platform
from tests.e2e.waiting import until
from tests.failures.classroom import COURSE_FOLDER, ELSEWHERE, HOME, STUDENTS, Classroom

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

pytestmark = pytest.mark.asyncio(loop_scope="module")

CUT_SECONDS = 45
"""Longer than a job's ssh holds on to a connection, so that it has to make another one."""
# Slurm knows a node that was off by its boot time, and a container has that of its machine. Without it Slurm misses, when
# the node comes back, only those jobs that began over 20 s ago (BatchStartTimeout and MessageTimeout).
OFF_SECONDS = 30
INCOMING = "/var/lib/hpcampus-courses/content/incoming"
TABLE = ROOT / "artifacts" / "teaching.md"


@dataclass(frozen=True)
class Blow:
    """Something that breaks, and comes back by itself.

    Attributes:
        broken: What is done.
        strike: Does it to a node, or to the hub's host; returns at once.
        mend: Brings it back, later.
    """

    broken: str
    strike: Callable[[Classroom, str], Awaitable[None]]
    mend: Callable[[Classroom, str], Awaitable[None]]


def killed(unit: str) -> Blow:
    """A unit of the hub's host is killed; systemd starts it again."""

    async def strike(room: Classroom, _node: str) -> None:
        await room.on("campus", "systemctl", "kill", "--signal", "KILL", unit)

    async def mend(_room: Classroom, _node: str) -> None:
        pass

    return Blow(f"SIGKILL to {unit}", strike, mend)


async def cut(room: Classroom, node: str) -> None:
    """Lose every packet between a node and the hub."""
    await asyncio.to_thread(room.platform.lab.walls.cut, node, "campus")


async def join(room: Classroom, node: str) -> None:
    """Let packets through again after a while."""
    try:
        await asyncio.sleep(CUT_SECONDS)
    finally:
        await asyncio.to_thread(room.platform.lab.walls.mend, node, "campus")


async def switch_off(room: Classroom, node: str) -> None:
    """Kill a node with all that runs on it."""
    await asyncio.to_thread(room.platform.lab.power_off, node)


async def switch_on(room: Classroom, node: str) -> None:
    """Start the node again after a while."""
    await asyncio.sleep(OFF_SECONDS)
    await asyncio.to_thread(room.platform.lab.restart, node)


BLOWS = {
    "course service": killed("hpcampus-courses"),
    "hub": killed("jupyterhub"),
    "link": Blow(f"every packet between node and hub is lost for {CUT_SECONDS} s", cut, join),
    "compute node": Blow(f"the node is switched off for {OFF_SECONDS} s", switch_off, switch_on),
}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def room() -> AsyncIterator[Classroom]:
    """The course at work."""
    made = Classroom(find_platform())
    try:
        await made.open()
        yield made
    finally:
        await made.close()


@pytest.fixture(scope="module")
def table() -> Iterator[dict[tuple[str, str], str]]:
    """Takes what was seen, by operation and blow."""
    rows: dict[tuple[str, str], str] = {}
    yield rows
    lines = [
        "# What breaks while a course works",
        "",
        "| In the middle of | What breaks | What came of it |",
        "|---|---|---|",
    ]
    lines += [f"| {operation} | {broken} | {' '.join(seen.split())} |" for (operation, broken), seen in rows.items()]
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join([*lines, ""]), encoding="utf-8")


@contextlib.asynccontextmanager
async def struck(room: Classroom, blow: Blow, node: str) -> AsyncIterator[None]:
    """Break something; it is brought back, and a course service that stands still goes on, whatever comes in between."""
    await blow.strike(room, node)
    try:
        yield
    finally:
        await room.go_on()
        await blow.mend(room, node)


def words(again: bool, said: str) -> str:
    """What a person did."""
    last = said.strip().splitlines()[-1] if said.strip() else ""
    return f"run again by its person, once it said: {last[-300:]}" if again else "went on by itself"


@pytest.mark.parametrize("name", BLOWS)
async def test_handing_in(room: Classroom, table: dict[tuple[str, str], str], name: str):
    blow, student = BLOWS[name], room.students["student1"]
    await room.be_there()
    before = await room.submissions("student1")
    digest = await room.fill("student1")
    home = await room.home(student)
    async with room.held_when(f'test -n "$(find {INCOMING} -type f -size +0)"'):
        operation = await room.begin(student, "nbgrader", "submit", room.big, where=home)
    async with struck(room, blow, ELSEWHERE):
        assert await room.lasts(operation)
    again, said = await room.finish(student, operation)
    after = await room.submissions("student1")
    assert len(after) == len(before) + 1, "handed in once"
    assert [one["id"] for one in after[:-1]] == [one["id"] for one in before], "every earlier one is kept"
    assert await room.content(after[-1]["id"]) == digest
    room.handed_in["student1"] = digest
    await until("nothing is left of the upload that broke off", lambda: _none_arriving(room), 90)
    table["submit", blow.broken] = f"{words(again, said)}; one submission, whole"


async def _none_arriving(room: Classroom) -> bool:
    return not await room.on("campus", "find", INCOMING, "-type", "f")


@pytest.mark.parametrize("name", BLOWS)
async def test_collecting(room: Classroom, table: dict[tuple[str, str], str], name: str):
    blow = BLOWS[name]
    await room.be_there()
    await room.forget_collected()
    content = (await room.submissions(STUDENTS[1]))[-1]["sha256"]
    first, second = (f"{COURSE_FOLDER}/submitted/{student}/{room.big}/data.bin" for student in STUDENTS)
    # The second one is on its way as soon as the first is there.
    async with room.held_when(f"ls -l /proc/$pid/fd | grep -q {content}"):
        operation = await room.begin(room.course, "nbgrader", "collect", room.big, where="/course")
    async with struck(room, blow, HOME):
        await room.on("login", "test", "-e", first, "-a", "!", "-e", second)
    again, said = await room.finish(room.course, operation)
    assert {student: await room.collected(student) for student in STUDENTS} == room.handed_in
    left = await room.on(
        "login", "find", f"{COURSE_FOLDER}/submitted", "-name", ".*", "-mindepth", "2", "-maxdepth", "2"
    )
    assert left == "" or name == "compute node", left
    table["collect", blow.broken] = f"{words(again, said)}; both are there, whole"


@pytest.mark.parametrize("name", BLOWS)
async def test_grading(room: Classroom, table: dict[tuple[str, str], str], name: str):
    blow = BLOWS[name]
    await room.be_there()
    command = ("nbgrader", "autograde", room.slow, "--create", "--force", "--SandboxedAutograde.run_again=True")
    # A link that breaks is that of the course's server; a node that dies is that of the tasks.
    node = ELSEWHERE if name == "compute node" else HOME
    async with room.tasks_on(ELSEWHERE):
        operation = await room.begin(room.course, *command, where="/course")
        await room.when("login", "squeue --noheader --name hpcampus-grade --states RUNNING | grep -q .")
        await asyncio.sleep(3)
        async with struck(room, blow, node):
            assert await room.lasts(operation)
        again, said = await room.finish(room.course, operation)
    assert await room.scores() == dict.fromkeys(STUDENTS, 2.0)
    await until("no task is left", lambda: _no_tasks(room), 30)
    table["autograde", blow.broken] = f"{words(again, said)}; both have their points"


async def _no_tasks(room: Classroom) -> bool:
    running = [await room.on(node, "ps", "-eo", "args") for node in COMPUTE]
    queued = await room.on("login", "squeue", "--noheader", "--format", "%j")
    return "hpcampus-grade" not in queued and not any("hpcampus_nbgrader.sandbox" in seen for seen in running)
