# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Warm standbys of a real hub: kept, handed over once, replaced, never an orphan."""

import signal

import pytest

from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import FakeJob, LoginNode

pytestmark = [pytest.mark.asyncio, pytest.mark.processes]


def waiting(node: LoginNode) -> list[FakeJob]:
    return [job for job in node.jobs.values() if job.request["user_id"] == "standby" and job.state == "RUNNING"]


async def start(hub: HubProcess, node: LoginNode, count: int = 1) -> None:
    hub.settings["profiles"][0]["standby"] = count
    hub.settings["grace"] = 0.5
    await hub.start()
    await until(lambda: hub.log.count("is warm after") == count)
    assert len(waiting(node)) == count


async def test_who_comes_gets_the_job_that_waits_and_another_one_waits_then(
    hub: HubProcess, login_node: LoginNode
) -> None:
    await start(hub, login_node)
    (job,) = waiting(login_node)
    secret = job.request["secrets"]["standby"]
    assert job.request["secrets"]["env"] == {}

    await hub.spawn("bob", {"profile": "small"})
    await until(lambda: hub.is_ready("bob"))
    identity = job.request["identity"]
    assert (identity["user_id"], identity["courses"], identity["base_url"]) == ("bob", [], "/user/bob/")
    port = job.request["secrets"]["tunnel"]["notebook_port"]
    assert identity["env"]["JUPYTERHUB_API_URL"] == f"http://127.0.0.1:{port + 5000}/hub/api"
    await until(lambda: job.request["user_id"] == "bob")
    assert secret not in hub.log
    assert identity["env"]["JUPYTERHUB_API_TOKEN"] not in hub.log

    await until(lambda: len(waiting(login_node)) == 1)
    assert waiting(login_node) != [job]
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: job.job_id not in login_node.jobs)
    assert len(waiting(login_node)) == 1


async def test_whoever_asks_for_something_else_gets_a_job_of_her_own(hub: HubProcess, login_node: LoginNode) -> None:
    await start(hub, login_node)
    (job,) = waiting(login_node)
    await hub.spawn("alice", {"profile": "small"})  # her course has an image of its own
    await until(lambda: hub.is_ready("alice"))
    await hub.spawn("bob", {"profile": "gpu"})
    await until(lambda: hub.is_ready("bob"))
    assert waiting(login_node) == [job]
    assert "identity" not in job.request


async def test_a_person_with_a_webdav_folder_gets_a_job_in_which_it_can_be_mounted(
    hub: HubProcess, login_node: LoginNode
) -> None:
    hub.settings.update(webdav_hosts=["cloud.example.org"], crypt_keys=["11" * 32])
    await start(hub, login_node)
    (job,) = waiting(login_node)
    bob = await hub.login("bob")
    assert bob is not None
    await bob.get("/hub/storage")
    form = {"action": "save", "url": "https://cloud.example.org/dav/", "user": "bob", "password": "p", "name": "cloud"}
    assert (await bob.post("/hub/storage", form)).code == 302
    await hub.spawn("bob", {"profile": "small"})
    await until(lambda: hub.is_ready("bob"))
    assert waiting(login_node) == [job]
    (own,) = [other for other in login_node.jobs.values() if other is not job]
    assert own.request["secrets"]["webdav"]["user"] == "bob"


async def test_a_standby_that_refuses_is_cancelled_and_the_person_waits_a_little_longer(
    hub: HubProcess, login_node: LoginNode
) -> None:
    await start(hub, login_node)
    (job,) = waiting(login_node)
    login_node.hand_over_fails = True
    await hub.spawn("bob", {"profile": "small"})
    await until(lambda: hub.is_ready("bob"))
    assert job.job_id not in login_node.jobs
    assert "a job is submitted instead" in hub.log


async def test_standbys_of_a_hub_that_was_killed_have_no_owner(hub: HubProcess, login_node: LoginNode) -> None:
    await start(hub, login_node, 2)
    before = waiting(login_node)
    await hub.stop(signal.SIGKILL)
    await hub.start()
    await until(lambda: not {job.job_id for job in before} & {*login_node.jobs})
    await until(lambda: len(waiting(login_node)) == 2)
    await hub.stop()
    assert login_node.jobs == {}, "a hub that is stopped takes its standbys with it"
    assert hub.leases == []
