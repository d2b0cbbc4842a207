# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Sessions as students' accounts, against a real ssh server: on demand, few at a time, closed when idle, never hammering."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hpcampus_hub.engine import Engine
from hpcampus_hub.jobs import BookTimes
from hpcampus_hub.link import LinkDownError, LinkTimes
from hpcampus_hub.sessions import AccountDeniedError, AccountSessions
from hpcampus_hub.settings import AccountRules, Cluster, read_site
from tests.unit.hub.hub_process import until
from tests.unit.hub.login_node import LoginNode
from tests.unit.hub.makers import make_login_node
from tests.unit.hub.signer_peer import SignerPeer
from tests.unit.hub.sites import settings

LOG = logging.getLogger("test")
QUICK = LinkTimes(connect=5.0, back_off_least=0.1, back_off_most=0.2, call=10.0)


def place(login_node: LoginNode, **rules: Any) -> Cluster:
    return replace(Cluster(**login_node.cluster()), accounts=AccountRules(mode="pool", pool=("p1",), **rules))


@pytest_asyncio.fixture
async def sessions(login_node: LoginNode) -> AsyncIterator[AccountSessions]:
    found = AccountSessions(place(login_node, sessions_max=3, session_idle_seconds=0.4), LOG, QUICK)
    yield found
    await found.stop()


async def test_a_session_is_opened_on_demand_shared_and_closed_when_idle(login_node: LoginNode) -> None:
    sessions = AccountSessions(place(login_node, sessions_max=3, session_idle_seconds=2), LOG, QUICK)
    await asyncio.gather(*(sessions.call("p1", "ping") for _ in range(20)))
    assert login_node.opened == Counter({"p1": 1})
    assert {call["as"] for call in login_node.calls} == {"p1"}
    await asyncio.sleep(1.2)
    await sessions.call("p1", "ping")
    await asyncio.sleep(1)
    assert sessions.count == 1  # the second call counts anew
    await until(lambda: sessions.count == 0 and login_node.open == [])
    await sessions.call("p1", "ping")
    assert login_node.opened == Counter({"p1": 2})
    await sessions.stop()


async def test_a_hundred_people_use_three_sessions(sessions: AccountSessions, login_node: LoginNode) -> None:
    names = [f"s{number:03}" for number in range(100)]
    await asyncio.gather(*(sessions.call(name, "ping", timeout=60) for name in names))
    assert login_node.most_open <= 3
    assert {call["as"] for call in login_node.calls} == set(names)


async def test_who_finds_no_room_in_time_is_told(sessions: AccountSessions, login_node: LoginNode) -> None:
    login_node.deaf = {"submit"}
    busy = [asyncio.create_task(sessions.call(f"s{number}", "submit", timeout=5)) for number in range(3)]
    await until(lambda: len(login_node.open) == 3)
    with pytest.raises(LinkDownError, match="all 3 sessions with cluster lab are in use"):
        await sessions.call("late", "ping", timeout=0.5)
    assert all(isinstance(end, LinkDownError) for end in await asyncio.gather(*busy, return_exceptions=True))
    await sessions.call("late", "ping")


async def test_a_refused_account_is_not_tried_again_at_once(sessions: AccountSessions, login_node: LoginNode) -> None:
    login_node.locked = {"p1"}
    for _ in range(5):
        with pytest.raises(AccountDeniedError, match="refuses this hub's key"):
            await sessions.call("p1", "ping")
    assert login_node.logins["p1"] == 1
    assert sessions.count == 0
    await sessions.call("p2", "ping")


async def test_a_login_node_that_is_away_is_tried_again_after_a_pause(
    sessions: AccountSessions, login_node: LoginNode
) -> None:
    await login_node.stop_listening()
    with pytest.raises(LinkDownError):
        await sessions.call("p1", "ping")
    await login_node.start()

    async def answers() -> bool:
        try:
            return "time" in await sessions.call("p1", "ping")
        except LinkDownError:
            return False

    await until(answers)


async def test_a_session_that_was_cut_is_opened_anew(sessions: AccountSessions, login_node: LoginNode) -> None:
    await sessions.call("p1", "ping")
    login_node.cut()
    await until(lambda: login_node.open == [])
    await asyncio.sleep(0.1)
    await sessions.call("p1", "ping")
    assert login_node.opened["p1"] == 2


# --- the engine: one question for all, whatever the number of accounts


@pytest_asyncio.fixture
async def certified(tmp_path: Path, signer: SignerPeer) -> AsyncIterator[LoginNode]:
    """A login node that trusts the signer's certificates."""
    async with make_login_node(tmp_path, signer.public_key) as node:
        yield node


def engine_of(login_node: LoginNode, **rules: Any) -> Engine:
    values = settings(clusters=[{**login_node.cluster(), "accounts": rules}], courses=[])
    values["tunnel"]["registry_dir"] = str(login_node.key_file.parent)

    async def route(_user: Any, _server: str) -> None:
        return None

    return Engine(read_site(**values), LOG, route, tuple, QUICK, BookTimes(fast=0.1, slow=0.1))


async def test_a_hundred_students_cost_one_list_per_interval(certified: LoginNode, signer: SignerPeer) -> None:
    engine = engine_of(
        certified, mode="students", signer_socket=str(signer.path), sessions_max=4, session_idle_seconds=1
    )
    names = [f"s{number:03}" for number in range(100)]
    engine.start()
    try:
        await until(lambda: engine.links["lab"].up)
        await asyncio.gather(*(engine.link_of("lab", engine.account_of(name, "lab")).call("ping") for name in names))
        assert {call["as"] for call in certified.calls if call["op"] == "ping"} == set(names)
        assert certified.most_open <= 1 + 4
        lists = [call for call in certified.calls if call["op"] == "list"]
        assert {call["as"] for call in lists} == {"hpcampus"}
        await until(lambda: certified.open == ["hpcampus"])
        certified.calls.clear()
        began = time.monotonic()
        await asyncio.sleep(1)
        await until(lambda: certified.lists)
        assert certified.lists <= (time.monotonic() - began) / 0.1 + 1
    finally:
        await engine.stop()
    assert {request["account"] for request in signer.requests} == set(names)


async def test_a_certificate_opens_the_own_account_only(certified: LoginNode, signer: SignerPeer) -> None:
    engine = engine_of(certified, mode="students", signer_socket=str(signer.path))
    signer.sign_for = "mallory"
    with pytest.raises(LinkDownError, match="signed something else"):
        await engine.link_of("lab", "alice").call("ping")
    assert certified.opened == Counter()
    await engine.stop()


async def test_forged_jobs_are_not_in_the_book(certified: LoginNode, signer: SignerPeer) -> None:
    engine = engine_of(certified, mode="students", signer_socket=str(signer.path))
    true, forged, other = "a" * 32, "b" * 32, "c" * 32
    for account, user_id, spawn_id in (
        ("alice", "alice", true),
        ("mallory", "alice", true),  # the same spawn, listed later
        ("mallory", "alice", forged),
        ("mallory", "mallory", other),
    ):
        certified.add({"user_id": user_id, "server_id": "", "spawn_id": spawn_id}, account)
    engine.start()
    try:
        book = await until(lambda: engine.books["lab"].latest)
        assert {job.spawn_id: job.account for job in book.jobs.values()} == {true: "alice", other: "mallory"}
    finally:
        await engine.stop()
