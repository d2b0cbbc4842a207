# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The machinery of the failure cases: who waits for whom, and the table."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import TYPE_CHECKING, cast

from tests.failures import test_failures  # noqa: F401 (it fills the list of cases)
from tests.failures.rounds import table
from tests.failures.stage import CASES, PEOPLE, Case, Meetings, Outcome, Placement, Stage

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform


async def nothing(_stage: Stage, /) -> None:
    """Play nothing."""


CASE = Case("disk | full", "x", "it is\nfilled", 30, 1, nothing)


async def test_cases_wait_for_each_other_and_not_for_one_that_has_ended():
    meetings, order = Meetings(["a", "b", "c"]), []

    async def play(who: str, pause: float) -> None:
        await asyncio.sleep(pause)
        order.append(f"{who} comes")
        await meetings.meet("here", who)
        order.append(f"{who} goes")

    async def fail() -> None:
        await asyncio.sleep(0.02)
        await meetings.leave("c")

    await asyncio.gather(play("a", 0), play("b", 0.05), fail())
    assert order[:2] == ["a comes", "b comes"]
    assert sorted(order[2:]) == ["a goes", "b goes"]


async def test_a_blow_falls_once():
    meetings, blows = Meetings(["a", "b"]), []

    async def strike() -> None:
        await asyncio.sleep(0.01)
        blows.append("!")

    one, other = await asyncio.gather(meetings.once("blow", strike), meetings.once("blow", strike))
    assert blows == ["!"]
    assert one == other


class Hosts:
    """A platform that notes what is run."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, ...]] = []

    def on(self, *words: str, **_: object) -> str:
        self.ran.append(words)
        return ""


async def test_a_unit_is_stopped_once_for_all_cases_and_is_to_come_back_by_itself():
    hosts, meetings = Hosts(), Meetings(["a", "b"])
    platform = cast("Platform", hosts)
    outcomes = [Outcome(replace(CASE, name=name)) for name in ("a", "b")]
    stages = [Stage(platform, PEOPLE[:1], outcome, Placement(platform), meetings) for outcome in outcomes]
    began = time.monotonic()
    back, other = await asyncio.gather(*(stage.down("login", "slurmctld", 70) for stage in stages))
    assert [words[0] for words in hosts.ran] == ["login", "login"]
    assert hosts.ran[0][-1] == "sleep 70; systemctl start slurmctld"
    assert hosts.ran[1][1:] == ("systemctl", "stop", "slurmctld")
    assert began + 70 <= back == other < began + 80


def test_the_table_says_what_was_seen_what_failed_and_what_is_left():
    good = Outcome(CASE, seen=["a | pause"], seconds=1.25)
    bad = Outcome(CASE, left=["job 7"], error=AssertionError("not within 30 s"))
    rows = table([good, bad]).splitlines()[-2:]
    assert rows[0] == "| disk \\| full | it is filled | a \\| pause | 1.2 (30) | nothing |"
    assert rows[1].endswith("| -<br>**failed: not within 30 s** | - (30) | job 7 |")


def test_every_case_has_a_name_of_its_own_and_a_round_has_people_enough():
    assert len({case.name for case in CASES}) == len(CASES)
    for name in {case.round for case in CASES}:
        assert sum(case.people for case in CASES if case.round == name) <= len(PEOPLE), name
