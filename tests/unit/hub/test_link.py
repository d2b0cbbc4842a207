# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The link against a real ssh server: it pins, it comes back, it never waits for ever."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import asyncssh
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.link import Link, LinkDownError, LinkTimes, back_off, host_key_algorithms
from hpcampus_hub.protocol import GatewayError
from hpcampus_hub.settings import Cluster
from tests.unit.hub.hub_process import until
from tests.unit.hub.login_node import LoginNode

LOG = logging.getLogger("test")
QUICK = LinkTimes(connect=3.0, watchdog=0.3, back_off_least=0.02, back_off_most=0.1, call=3.0)


@pytest_asyncio.fixture
async def link(login_node: LoginNode) -> AsyncIterator[Link]:
    link = Link(Cluster(**login_node.cluster()), LOG, QUICK)
    link.start()
    await until(lambda: link.up)
    yield link
    await link.stop()


async def test_calls_are_answered_out_of_order(link: Link, login_node: LoginNode) -> None:
    answers = await asyncio.gather(*(link.call("ping") for _ in range(50)))
    assert len(answers) == 50
    assert login_node.sessions == 1
    assert link.hello is not None
    assert link.hello.slurm == "24.11.5"


async def test_no_home_is_looked_into(login_node: LoginNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A command that root starts goes on as the hub's account, with root's home in its environment."""
    monkeypatch.setenv("HOME", "/" + "x" * 300)
    link = Link(Cluster(**login_node.cluster()), LOG, QUICK, once=True)
    link.start()
    try:
        assert await link.call("ping")
    finally:
        await link.stop()


async def test_a_refusal_has_its_code(link: Link, login_node: LoginNode) -> None:
    login_node.queue_fails = True
    with pytest.raises(GatewayError, match="Unable to contact") as refused:
        await link.call("list")
    assert refused.value.code == "slurm"


async def test_the_end_of_a_session_fails_what_waits_and_a_new_one_follows(link: Link, login_node: LoginNode) -> None:
    login_node.deaf = {"list"}
    waiting = asyncio.create_task(link.call("list"))
    await until(lambda: [call for call in login_node.calls if call["op"] == "list"])
    login_node.cut()
    with pytest.raises(LinkDownError, match="ended"):
        await waiting
    login_node.deaf = set()
    assert await link.call("list") == {"jobs": []}
    assert login_node.sessions == 2


async def test_a_login_node_that_was_down_is_found_again(link: Link, login_node: LoginNode) -> None:
    await link.call("ping")
    await login_node.stop_listening()
    await until(lambda: not link.up)
    with pytest.raises(LinkDownError, match="cannot be reached"):
        await link.call("ping", timeout=0.3)
    await login_node.start()
    assert await link.call("ping")


async def test_a_call_without_an_answer_ends(link: Link, login_node: LoginNode) -> None:
    login_node.deaf = {"info"}
    with pytest.raises(LinkDownError, match="did not answer info"):
        await link.call("info", timeout=0.2)
    assert await link.call("ping")


async def test_a_gateway_that_answers_no_ping_is_left(login_node: LoginNode) -> None:
    login_node.deaf = {"ping"}
    link = Link(Cluster(**login_node.cluster()), LOG, replace(QUICK, connect=0.5, watchdog=0.1))
    link.start()
    try:
        await until(lambda: login_node.sessions >= 2)
    finally:
        await link.stop()


@pytest.mark.parametrize("place", ["_connect", "_serve"])
async def test_an_error_that_nobody_foresaw_is_told_and_the_link_opened_again(
    place: str, login_node: LoginNode, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    link = Link(Cluster(**login_node.cluster()), LOG, QUICK)
    whole = getattr(link, place)
    troubles = [KeyError("unforeseen")]

    def fail_once(*args: Any) -> Any:
        if troubles:
            raise troubles.pop()
        return whole(*args)

    monkeypatch.setattr(link, place, fail_once)
    link.start()
    try:
        assert await link.call("ping")
    finally:
        await link.stop()
    assert "is down" in caplog.text
    assert "Traceback" in caplog.text


async def test_another_host_key_is_refused(login_node: LoginNode) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    cluster = replace(Cluster(**login_node.cluster()), host_key=" ".join(other.split()[:2]))
    link = Link(cluster, LOG, QUICK)
    link.start()
    try:
        await until(lambda: "not the pinned one" in link.trouble)
        with pytest.raises(LinkDownError, match="not the pinned one"):
            await link.call("ping", timeout=0.05)
        assert login_node.sessions == 0
    finally:
        await link.stop()


async def test_a_key_that_the_login_node_does_not_know_is_told(login_node: LoginNode) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(login_node.key_file)
    link = Link(Cluster(**login_node.cluster()), LOG, QUICK)
    link.start()
    try:
        await until(lambda: "run the gateway step" in link.trouble)
        assert not link.up
    finally:
        await link.stop()


@pytest.mark.parametrize("greeting", ["motd: maintenance on Monday", '{"hello": {"protocol": 9}}'])
async def test_a_wrong_greeting_is_told(login_node: LoginNode, greeting: str) -> None:
    login_node.greeting = greeting
    link = Link(Cluster(**login_node.cluster()), LOG, QUICK)
    link.start()
    try:
        await until(lambda: "gateway" in link.trouble)
        assert not link.up
    finally:
        await link.stop()


async def test_a_missing_key_file_is_told(login_node: LoginNode) -> None:
    login_node.key_file.unlink()
    link = Link(Cluster(**login_node.cluster()), LOG, QUICK)
    link.start()
    try:
        await until(lambda: "id_ed25519" in link.trouble)
        assert not link.up
    finally:
        await link.stop()


@given(st.integers(0, 200), st.floats(0, 1))
def test_pauses_stay_within_their_bounds(attempt: int, jitter: float) -> None:
    assert 0.25 <= back_off(attempt, LinkTimes(), jitter) <= 15.0


def test_pauses_grow() -> None:
    assert [back_off(attempt, LinkTimes(), 0.0) for attempt in range(7)] == [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0]


def test_the_pinned_keys_own_kind_is_asked_for() -> None:
    assert host_key_algorithms("ssh-ed25519 AAAA") == ["ssh-ed25519"]
    assert "ssh-rsa" not in host_key_algorithms("ssh-rsa AAAA")
