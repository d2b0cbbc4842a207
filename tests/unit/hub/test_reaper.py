# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Nothing that goes wrong in a round ends the reaper, or keeps the rest of the round from its turn."""

import asyncio
import logging
from types import SimpleNamespace
from typing import Any, cast

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError, PendingRollbackError
from sqlalchemy.orm import Session
from sqlalchemy.pool import StaticPool

from hpcampus_hub.engine import Engine
from hpcampus_hub.jobs import Snapshot
from hpcampus_hub.ports import Entry, Lease
from hpcampus_hub.protocol import Job
from hpcampus_hub.reaper import Owned, Reaper, ReaperTimes
from tests.unit.hub.hub_process import until

NOTHING = Owned(frozenset(), frozenset())
QUICK = ReaperTimes(pause=0.01, grace=0.0)
ORPHAN = Job(7, "RUNNING", "None", "c1", None, "hub", "alice", "", "a" * 32)


class Ports:
    """A registry with one port that nobody owns."""

    def __init__(self) -> None:
        self.trouble: Exception | None = None
        self.dropped: list[Entry] = []

    def entries(self) -> list[Entry]:
        if self.trouble is not None:
            raise self.trouble
        return [Entry(Lease(20000, 5), 1000.0)]

    def drop(self, entry: Entry) -> None:
        self.dropped.append(entry)


class Link:
    """A link that takes note of what it is asked, or fails."""

    def __init__(self, trouble: Exception | None = None) -> None:
        self.trouble = trouble
        self.cancelled: list[int] = []

    async def call(self, _op: str, job_id: int) -> None:
        if self.trouble is not None:
            raise self.trouble
        self.cancelled.append(job_id)


def make_engine(ports: Ports, **links: Link) -> Engine:
    books = {name: SimpleNamespace(latest=Snapshot(1.0, {ORPHAN.spawn_id: ORPHAN})) for name in links}
    return cast(
        Engine,
        SimpleNamespace(
            books=books,
            link_of=lambda name, account: links[name] if account == ORPHAN.account else None,
            ports=ports,
            paths={},
            log=logging.getLogger("test"),
        ),
    )


async def test_any_error_is_told_with_its_cause_and_the_next_round_comes(caplog: pytest.LogCaptureFixture) -> None:
    ports = Ports()
    troubles: list[Exception] = [RuntimeError("dictionary changed size"), KeyError("x"), OSError("disk full")]

    def owned() -> Owned:
        if troubles:
            raise troubles.pop(0)
        return NOTHING

    reaper = Reaper(make_engine(ports), owned, QUICK)
    reaper.start()
    try:
        await until(lambda: bool(ports.dropped))
        ports.dropped.clear()
        ports.trouble = ValueError("not a number")
        await until(lambda: "not a number" in caplog.text)
        ports.trouble = None
        await until(lambda: bool(ports.dropped))
    finally:
        await reaper.stop()
    assert all(words in caplog.text for words in ("dictionary changed size", "KeyError: 'x'", "disk full"))


async def test_one_cluster_does_not_keep_the_others_from_their_turn() -> None:
    ports, bad, good = Ports(), Link(RuntimeError("unforeseen")), Link()
    await Reaper(make_engine(ports, bad=bad, good=good), lambda: NOTHING, QUICK).round()
    assert good.cancelled == [7]
    assert ports.dropped


async def test_a_database_that_was_away_is_used_again(caplog: pytest.LogCaptureFixture) -> None:
    ports = Ports()
    database = create_engine("sqlite://", poolclass=StaticPool)
    with Session(database) as session:
        rounds: list[Any] = []

        def owned() -> Owned:
            rounds.append(1)
            if len(rounds) == 1:
                session.connection().invalidate()
                raise OperationalError("select", {}, Exception("server closed the connection unexpectedly"))
            session.execute(text("select 1"))
            return NOTHING

        reaper = Reaper(make_engine(ports), owned, QUICK, session.rollback)
        reaper.start()
        try:
            await until(lambda: bool(ports.dropped))
        finally:
            await reaper.stop()
    assert "server closed the connection" in caplog.text
    assert PendingRollbackError.__name__ not in caplog.text


async def test_it_ends_when_it_is_told_to() -> None:
    reaper = Reaper(make_engine(Ports()), lambda: NOTHING, QUICK)
    reaper.start()
    await asyncio.sleep(0.05)
    await reaper.stop()
    assert not [task for task in asyncio.all_tasks() if task.get_name() == "reaper"]
