# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub that was restarted finds its jobs again, or cancels them."""

import asyncio
import signal
import time

import pytest

from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = pytest.mark.processes
HOW = pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])


async def test_a_running_server_survives_a_restart_even_when_run_was_emptied(
    hub: HubProcess, login_node: LoginNode
) -> None:
    await hub.start()
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    leases = {path.name: path.read_text() for path in hub.registry.iterdir()}
    await hub.stop()
    assert len(login_node.jobs) == 1
    for path in hub.registry.iterdir():
        path.unlink()
    await hub.start()
    await until(lambda: hub.is_ready("bob"))
    assert {path.name: path.read_text() for path in hub.registry.iterdir()} == leases
    (token,) = [job.request["secrets"]["env"]["JUPYTERHUB_API_TOKEN"] for job in login_node.jobs.values()]
    assert (await hub.api("GET", "/user", token=token)).code == 200
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: not login_node.jobs and not hub.leases)
    await until(lambda: _refused(hub, token))


async def _refused(hub: HubProcess, token: str) -> bool:
    return (await hub.api("GET", "/user", token=token)).code == 403


@HOW
async def test_a_pending_job_is_adopted(hub: HubProcess, login_node: LoginNode, how: signal.Signals) -> None:
    login_node.hold = True
    await hub.start()
    await hub.spawn_in_background("bob")
    job = await until(lambda: next(iter(login_node.jobs.values()), None))
    await until(lambda: _knows(hub, job.job_id))
    await hub.stop(how)
    assert login_node.jobs
    asked = len(login_node.calls)
    await hub.start()
    watching = asyncio.create_task(hub.events("bob"))
    await until(lambda: len(login_node.calls) > asked + 3)  # so that it has told what the first lists said
    await asyncio.sleep(0.2)
    login_node.run(job)
    events = await watching
    assert events[-1]["ready"], events
    assert f"Job {job.job_id} is queued: other jobs are ahead of it." in [event["message"] for event in events]
    await until(lambda: hub.is_ready("bob"))
    assert b"/user/bob/" in (await hub.api("GET", "/proxy")).body
    assert len(login_node.jobs) == len(hub.leases) == 1


async def _knows(hub: HubProcess, job_id: int) -> bool:
    server = await hub.server("bob")
    return server is not None and server["state"].get("hpcampus", {}).get("job_id") == job_id


async def test_a_job_of_which_only_the_queue_knows_the_id_is_adopted(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    login_node.mute = {"submit"}
    await hub.start()
    await hub.spawn_in_background("bob")
    job = await until(lambda: next(iter(login_node.jobs.values()), None))
    await hub.stop(signal.SIGKILL)
    login_node.mute = set()
    await hub.start()
    login_node.run(job)
    await until(lambda: hub.is_ready("bob"))
    assert list(login_node.jobs) == [job.job_id]


async def test_a_job_that_ended_while_the_hub_was_down_is_cleaned_up(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    await hub.start()
    await hub.spawn_in_background("bob")
    job = await until(lambda: next(iter(login_node.jobs.values()), None))
    await until(lambda: _knows(hub, job.job_id))
    await hub.stop(signal.SIGKILL)
    login_node.end(job, "CANCELLED")
    login_node.hold = False
    await hub.start()
    await until(lambda: _gone(hub))
    assert hub.leases == []
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))


async def _gone(hub: HubProcess) -> bool:
    return await hub.server("bob") is None


async def test_a_pending_job_can_be_stopped_after_the_restart(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    await hub.start()
    await hub.spawn_in_background("bob")
    job = await until(lambda: next(iter(login_node.jobs.values()), None))
    await until(lambda: _knows(hub, job.job_id))
    await hub.stop()
    await hub.start()
    assert (await hub.api("DELETE", "/users/bob/server")).code in (202, 204)
    await until(lambda: not login_node.jobs and not hub.leases)
    await until(lambda: _gone(hub))
    login_node.hold = False
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))


async def test_a_restart_while_the_cluster_is_down_waits_for_it(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    await hub.start()
    await hub.spawn_in_background("bob")
    job = await until(lambda: next(iter(login_node.jobs.values()), None))
    await until(lambda: _knows(hub, job.job_id))
    await hub.stop()
    await login_node.stop_listening()
    await hub.start()
    await asyncio.sleep(1)
    await login_node.start()
    login_node.run(job)
    await until(lambda: hub.is_ready("bob"), 20)


async def test_a_port_that_another_took_meanwhile_ends_the_server(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.start()
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    await hub.stop(signal.SIGKILL)
    (lease,) = hub.registry.iterdir()
    lease.write_text("12345\n")
    await hub.start()
    await until(lambda: _gone(hub))
    await until(lambda: not login_node.jobs)
    assert lease.read_text() == "12345\n"


async def test_many_servers_share_one_query(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    await hub.start()
    names = [f"user{number}" for number in range(10)]
    await asyncio.gather(*(hub.spawn_in_background(name) for name in names))
    await until(lambda: len(login_node.jobs) == 10)
    login_node.calls.clear()
    began = time.monotonic()
    await asyncio.sleep(1)
    await until(lambda: login_node.lists >= 2)
    assert login_node.lists <= (time.monotonic() - began) / 0.05
    assert login_node.sessions == 1
    for job in login_node.jobs.values():
        login_node.run(job)
    for name in names:
        await until(lambda name=name: hub.is_ready(name))
    assert len(set(hub.leases)) == 10


async def test_a_start_that_takes_too_long_is_undone_and_says_why(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    hub.settings["start_timeout"] = 12
    await hub.start()
    await hub.spawn_in_background("bob")
    events = await hub.events("bob")
    assert "was given up: it is still queued (other jobs are ahead of it)" in events[-1]["message"]
    await until(lambda: not login_node.jobs and not hub.leases)


async def test_a_cluster_takes_no_more_servers_than_it_may_have(hub: HubProcess, login_node: LoginNode) -> None:
    hub.settings["clusters"][0]["max_servers"] = 1
    await hub.start()
    codes = [answer.code for answer in await asyncio.gather(hub.spawn("alice"), hub.spawn("bob"))]
    assert sum(code in (201, 202) for code in codes) == 1, codes
    first, second = ("alice", "bob") if codes[0] in (201, 202) else ("bob", "alice")
    await until(lambda: hub.is_ready(first))
    await hub.stop()
    await hub.start()
    answer = await hub.spawn(second)
    assert answer.code == 503
    assert b"on cluster lab run as many servers as may run there (1)" in answer.body
    assert len(login_node.jobs) == len(hub.leases) == 1
    await hub.api("DELETE", f"/users/{first}/server")
    await until(lambda: not login_node.jobs and not hub.leases)
    assert (await hub.spawn(second)).code in (201, 202)
    await until(lambda: hub.is_ready(second))


async def test_a_server_whose_cluster_is_no_longer_configured_is_forgotten(
    hub: HubProcess, login_node: LoginNode
) -> None:
    await hub.start()
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    await hub.stop()
    hub.settings["clusters"][0]["name"] = "other"
    for profile in hub.settings["profiles"]:
        profile["cluster"] = "other"
    hub.settings["grace"] = 0.5
    await hub.start()
    await until(lambda: not hub.leases)
    assert "its cluster lab is no longer configured" in hub.log
    assert "KeyError" not in hub.log
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    await until(lambda: len(login_node.jobs) == 1)
