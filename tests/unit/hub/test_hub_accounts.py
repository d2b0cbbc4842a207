# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real hub whose students have accounts of a pool, or of their own."""

import asyncio
import json
import signal
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hpcampus_hub.accounts_command import CommandError, parser, run
from hpcampus_hub.leases import LeaseError
from hpcampus_hub.settings import Site, read_site
from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import FakeJob, LoginNode
from tests.unit.hub.makers import make_hub, make_login_node
from tests.unit.hub.signer_peer import SignerPeer
from tests.unit.hub.zygote import Zygote

pytestmark = [pytest.mark.asyncio, pytest.mark.processes]


@pytest_asyncio.fixture
async def login_node(tmp_path: Path, signer: SignerPeer) -> AsyncIterator[LoginNode]:
    async with make_login_node(tmp_path, signer.public_key) as node:
        yield node


@pytest_asyncio.fixture
async def hub(tmp_path: Path, login_node: LoginNode, signer: SignerPeer, zygote: Zygote) -> AsyncIterator[HubProcess]:
    async with make_hub(tmp_path, login_node, signer, zygote) as process:
        process.settings["courses"] = []
        process.settings["grace"] = 0.5
        yield process


def give(hub: HubProcess, login_node: LoginNode, **rules: Any) -> None:
    hub.settings["clusters"] = [{**login_node.cluster(), "accounts": rules}]


def pool(hub: HubProcess, login_node: LoginNode, *names: str) -> None:
    give(hub, login_node, mode="pool", pool=list(names), leases_dir=str(hub.directory / "accounts"))


def site_of(hub: HubProcess) -> Site:
    names = ("clusters", "profiles", "tunnel", "courses")
    return read_site(hub_id="hub", **{name: hub.settings[name] for name in names})


def leases(hub: HubProcess) -> dict[str, str]:
    records = json.loads((hub.directory / "accounts" / "lab.json").read_text())["leases"]
    return {account: record["user"] for account, record in records.items()}


async def ready(hub: HubProcess, *users: str) -> None:
    for user in users:
        await hub.spawn(user)
        await until(lambda user=user: hub.is_ready(user))


async def gone(hub: HubProcess, user: str) -> bool:
    return await hub.server(user) is None


def forge(login_node: LoginNode, true: FakeJob, account: str, **changes: str) -> FakeJob:
    """Another user of the cluster copies a job's comment, which squeue shows to everybody."""
    request = {key: true.request[key] for key in ("user_id", "server_id", "spawn_id")}
    return login_node.add({**request, **changes}, account)


async def test_each_student_of_a_pool_has_an_account_and_its_session(hub: HubProcess, login_node: LoginNode) -> None:
    pool(hub, login_node, "p1", "p2")
    await hub.start()
    await ready(hub, "alice", "bob")
    assert {job.request["user_id"]: job.account for job in login_node.jobs.values()} == {"alice": "p1", "bob": "p2"}
    assert leases(hub) == {"p1": "alice", "p2": "bob"}
    asked = Counter((call["as"], call["op"]) for call in login_node.calls if call["op"] not in ("list", "ping"))
    assert asked == {("p1", "submit"): 1, ("p2", "submit"): 1}
    assert {call["as"] for call in login_node.calls if call["op"] == "list"} == {"hpcampus"}
    await hub.api("DELETE", "/users/alice/server")
    await until(lambda: gone(hub, "alice"))
    assert ("p1", "cancel") in [(call["as"], call["op"]) for call in login_node.calls]
    response = await hub.spawn("ida")
    assert b"all 2 accounts of the pool are leased" in response.body
    await ready(hub, "alice")
    assert leases(hub) == {"p1": "alice", "p2": "bob"}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_leases_and_servers_outlive_the_hub(hub: HubProcess, login_node: LoginNode, how: signal.Signals) -> None:
    pool(hub, login_node, "p1", "p2")
    await hub.start()
    await ready(hub, "bob")
    await hub.stop(how)
    (hub.directory / "accounts" / "lab.json").unlink()  # and the list is yesterday's
    await hub.start()
    await until(lambda: hub.is_ready("bob"))
    await until((hub.directory / "accounts" / "lab.json").exists)
    assert leases(hub) == {"p1": "bob"}
    await ready(hub, "alice")
    assert leases(hub) == {"p1": "bob", "p2": "alice"}
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: [job.account for job in login_node.jobs.values()] == ["p2"])


async def test_a_forged_comment_is_neither_shown_nor_adopted_nor_cancelled(
    hub: HubProcess, login_node: LoginNode
) -> None:
    pool(hub, login_node, "p1", "p2")
    await hub.start()
    await ready(hub, "alice", "bob")
    alice, bob = sorted(login_node.jobs.values(), key=lambda job: job.account)
    forged = [
        forge(login_node, alice, "mallory"),
        forge(login_node, alice, "p2"),  # bob broke out of his container
        forge(login_node, alice, "mallory", spawn_id="f" * 32),  # an orphan by its comment
    ]
    await asyncio.sleep(2)
    assert all(job.job_id in login_node.jobs for job in forged)
    cancelled = [call["job_id"] for call in login_node.calls if call["op"] == "cancel"]
    assert cancelled == []
    login_node.end(alice, "COMPLETED")
    await until(lambda: gone(hub, "alice"))  # the forged ones do not keep it alive
    assert await hub.is_ready("bob")
    assert bob.job_id in login_node.jobs


async def test_the_reaper_cancels_as_the_account_of_the_job(hub: HubProcess, login_node: LoginNode) -> None:
    pool(hub, login_node, "p1", "p2")
    await hub.start()
    await ready(hub, "alice")
    orphan = login_node.add({"user_id": "alice", "server_id": "", "spawn_id": "d" * 32}, "p1")
    await until(lambda: orphan.job_id not in login_node.jobs)
    assert [call["as"] for call in login_node.calls if call["op"] == "cancel"] == ["p1"]
    assert await hub.is_ready("alice")


async def test_an_account_is_released_and_leased_to_another(hub: HubProcess, login_node: LoginNode) -> None:
    pool(hub, login_node, "p1")
    await hub.start()
    await ready(hub, "alice")
    said: list[str] = []

    async def command(*argv: str) -> None:
        await asyncio.to_thread(run, site_of(hub), parser().parse_args(argv), said.append, 0.1)

    with pytest.raises(CommandError, match=r"p1 stays leased to alice: .*jobs of this account are in the queue"):
        await command("release", "lab", "p1")
    assert leases(hub) == {"p1": "alice"}
    await hub.api("DELETE", "/users/alice/server")
    await until(lambda: gone(hub, "alice"))
    await command("release", "lab", "p1")
    assert "archive/alice-20260101T000000Z" in said[-1]
    assert [call["user_id"] for call in login_node.calls if call["op"] == "archive"] == ["alice", "alice"]
    await ready(hub, "bob")
    assert leases(hub) == {"p1": "bob"}
    said.clear()
    await command("list")
    assert said[1].split()[:3] == ["lab", "p1", "leased"]
    assert said[1].endswith("bob")
    with pytest.raises(LeaseError, match="nobody holds p7"):
        await command("release", "lab", "p7")
    with pytest.raises(CommandError, match="has no pool"):
        await command("release", "moon", "p1")


async def test_students_have_accounts_of_their_own_by_certificate(
    hub: HubProcess, login_node: LoginNode, signer: SignerPeer
) -> None:
    give(hub, login_node, mode="students", pattern="[a-z]{3,8}", signer_socket=str(signer.path), session_idle_seconds=1)
    hub.write_accounts("alice", "bob", "daemon")
    await hub.start()
    await ready(hub, "alice", "bob")
    assert sorted(job.account for job in login_node.jobs.values()) == ["alice", "bob"]
    assert {request["account"] for request in signer.requests if "account" in request} == {"alice", "bob"}
    assert {call["as"] for call in login_node.calls if call["op"] == "list"} == {"hpcampus"}
    await until(lambda: login_node.open == ["hpcampus"])
    response = await hub.spawn("daemon")
    assert b"gives no account that may be used" in response.body
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: [job.account for job in login_node.jobs.values()] == ["alice"])


async def test_an_account_that_does_not_exist_is_told_at_once(
    hub: HubProcess, login_node: LoginNode, signer: SignerPeer
) -> None:
    give(hub, login_node, mode="students", signer_socket=str(signer.path))
    login_node.locked = {"alice"}
    await hub.start()
    response = await hub.spawn("alice")
    assert b"refuses the hub" in response.body
    assert b"in the group that the gateway admits" in response.body
    assert login_node.logins["alice"] <= 1
    await until(lambda: hub.leases == [])


async def test_what_the_signer_refuses_is_told(hub: HubProcess, login_node: LoginNode, signer: SignerPeer) -> None:
    give(hub, login_node, mode="students", signer_socket=str(hub.directory / "nobody.sock"))
    await hub.start()
    await hub.spawn_in_background("alice")
    events = await hub.events("alice")
    assert any("signer" in event["message"] for event in events), events
    del signer
