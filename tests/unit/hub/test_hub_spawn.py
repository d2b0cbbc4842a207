# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real hub, a real ssh link: starting, watching and stopping servers."""

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import asyncssh
import pytest
import pytest_asyncio

from tests.unit.hub import shared
from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import FakeJob, LoginNode
from tests.unit.hub.signer_peer import SignerPeer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess) -> None:
    new_hub.settings["grace"] = 0.5


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def clean(hub: HubProcess, login_node: LoginNode, signer: SignerPeer) -> AsyncIterator[None]:
    """Every test begins and ends without jobs, ports and faults."""
    yield
    login_node.reset()
    signer.answer = None
    if not login_node.listens:
        await login_node.start()
    for job in list(login_node.jobs.values()):
        login_node.end(job, "CANCELLED")
    await until(lambda: hub.leases == [])
    for user in ("alice", "bob"):
        await until(lambda user=user: hub.is_stopped(user))
    login_node.calls.clear()


def only_job(login_node: LoginNode) -> FakeJob:
    (job,) = login_node.jobs.values()
    return job


async def test_a_server_starts_runs_and_stops(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.server_delay = 0.3

    response = await hub.spawn("alice", {"profile": "small"})
    assert response.code in (201, 202), response.body
    events = await hub.events("alice")
    assert events[-1]["ready"]
    job = only_job(login_node)
    about = events[-1]["hpcampus"]
    assert (about["job_id"], about["node"], about["cluster"]) == (job.job_id, "node-a", "lab")
    assert set(about["legs"]) == {"submit", "queue", "tunnel", "server", "hub"}
    assert sum(about["legs"][leg] for leg in ("submit", "queue", "tunnel")) >= 0.2

    request, port = job.request, str(job.request["secrets"]["tunnel"]["notebook_port"])
    assert (request["user_id"], request["partition"], request["memory_mb"]) == ("alice", "jupyter", 1024)
    assert (request["image"], request["overlay_mb"]) == ("course", 0)
    assert request["courses"] == [{"slug": "py1", "role": "student"}]
    assert hub.leases == [port]
    certificate = asyncssh.import_certificate(request["secrets"]["tunnel"]["certificate"])
    assert f"spawn-{port}".encode() in certificate.public_data
    env = request["secrets"]["env"]
    assert env["JUPYTERHUB_API_URL"] == f"http://127.0.0.1:{int(port) + 5000}/hub/api"
    assert env["JUPYTERHUB_ACTIVITY_URL"] == f"http://127.0.0.1:{int(port) + 5000}/hub/api/users/alice/activity"
    assert (env["HPCAMPUS_COURSE"], env["HPCAMPUS_COURSE_ROLE"]) == ("py1", "student")
    assert request["secrets"]["base_url"] == "/user/alice/"

    server = await hub.server("alice")
    assert server is not None
    secrets = (env["JUPYTERHUB_API_TOKEN"], request["secrets"]["tunnel"]["private_key"][60:120])
    for text in (json.dumps(server), hub.log):
        assert not [secret for secret in secrets if secret in text]
    assert (await hub.api("GET", "/user", token=env["JUPYTERHUB_API_TOKEN"])).code == 200

    assert (await hub.api("DELETE", "/users/alice/server")).code in (202, 204)
    await until(lambda: hub.leases == [] and not login_node.jobs)
    await until(lambda: hub.is_stopped("alice"))
    assert (await hub.api("GET", "/user", token=env["JUPYTERHUB_API_TOKEN"])).code == 403


async def asked_again(login_node: LoginNode) -> None:
    """Wait until the hub has asked for the queue a few times and had the time to think about it."""
    asked = len(login_node.calls)
    await until(lambda: len(login_node.calls) > asked + 3)
    await asyncio.sleep(0.2)


@pytest.mark.parametrize(
    "options",
    [
        {"profile": "huge"},
        {"profile": ["small"]},
        {"profile": "small", "batch_script": "rm -rf /"},
        {"cmd": ["sh"]},
        {"course": "$(id)"},
        {"course": "py1"},
    ],
)
async def test_options_off_the_list_are_refused_and_forgotten(
    hub: HubProcess, login_node: LoginNode, options: dict[str, Any]
) -> None:
    response = await hub.spawn("bob", options)
    assert response.code == 400, response.body
    assert b"Not started" in response.body
    assert not [call for call in login_node.calls if call["op"] == "submit"]
    assert hub.leases == []
    assert (await hub.spawn("bob")).code in (201, 202)


async def test_what_is_waited_for_is_told_truly(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    await hub.spawn_in_background("bob")
    job = await until(lambda: next(iter(login_node.jobs.values()), None))
    watching = asyncio.create_task(hub.events("bob"))
    await asked_again(login_node)
    job.reason = "Resources"
    await asked_again(login_node)
    login_node.queue_fails = True
    await asked_again(login_node)
    login_node.queue_fails = False
    login_node.server_delay = 2.0  # time for the hub to see that it runs
    login_node.run(job)
    messages = [event["message"] for event in await watching]
    expected = [
        "Preparing a job for cluster lab.",
        f"Job {job.job_id} is submitted to cluster lab.",
        f"Job {job.job_id} is queued: other jobs are ahead of it.",
        f"Job {job.job_id} is queued: it waits for free CPUs or memory.",
        "The cluster does not answer at the moment; the job is still awaited.",
        f"Job {job.job_id} runs on node-a: its container and server are starting.",
    ]
    assert [message for message in messages if message in expected] == expected
    assert messages[-2].startswith("The server answers (submit ")
    percents = [event["progress"] for event in await hub.events("bob") if "progress" in event]
    assert percents == sorted(percents)


async def test_each_step_of_a_start_is_told_once(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.server_delay, login_node.status = 2.0, "503 Not yet"
    before = login_node.answered  # the login node is that of the tests before, too
    await hub.spawn_in_background("bob")
    await until(lambda: login_node.answered >= before + 4)
    login_node.status = "200 OK"
    messages = [event["message"] for event in await hub.events("bob")]
    for end in ("its container and server are starting.", "the server is nearly ready."):
        assert len([message for message in messages if message.endswith(end)]) == 1


async def test_a_job_that_fails_shows_its_last_log_lines(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.server_delay = 60
    login_node.log_text = "\n".join(["old line"] * 20 + ["FATAL: <b>no space</b> left"])
    await hub.spawn_in_background("bob")
    job = await until(lambda: next(iter(login_node.jobs.values()), None))
    login_node.end(job, "FAILED")
    events = await hub.events("bob")
    assert events[-1]["failed"]
    assert f"Job {job.job_id} ended before the server was ready" in events[-1]["message"]
    assert "FATAL: <b>no space</b> left" in events[-1]["message"]
    assert "FATAL: &lt;b&gt;no space&lt;/b&gt; left" in events[-1]["html_message"]
    assert events[-1]["message"].count("old line") == 11
    assert hub.leases == []
    assert "Traceback" not in hub.log


@pytest.mark.parametrize(
    ("code", "message"), [("bad-request", "image: base is not published"), ("slurm", "sbatch: error: Invalid qos")]
)
async def test_a_refused_job_is_told_and_leaves_nothing(
    hub: HubProcess, login_node: LoginNode, code: str, message: str
) -> None:
    login_node.refuse = (code, message)
    response = await hub.spawn("bob")
    assert response.code == 503
    assert message in json.loads(response.body)["message"]
    assert hub.leases == []
    assert (await hub.server("bob")) is None


async def test_a_start_waits_while_slurm_is_away(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.refuse = ("slurm", "sbatch: error: Unable to contact slurm controller")
    login_node.queue_fails = True
    await hub.spawn_in_background("bob")
    watching = asyncio.create_task(hub.events("bob"))
    await until(lambda: sum(call["op"] == "submit" for call in login_node.calls) > 1)
    assert not watching.done()
    login_node.queue_fails, login_node.refuse = False, None
    events = await watching
    assert events[-1]["ready"]
    assert "Waiting: Slurm on cluster lab does not answer." in [event["message"] for event in events]


async def test_a_start_says_at_once_that_the_cluster_is_away(hub: HubProcess, login_node: LoginNode) -> None:
    await login_node.stop_listening()
    await hub.spawn_in_background("bob")
    watching = asyncio.create_task(hub.events("bob"))
    await asyncio.sleep(3)
    await login_node.start()
    events = await watching
    assert events[-1]["ready"]
    assert any(event["message"].startswith("Waiting: cluster lab cannot be reached") for event in events)


async def test_progress_never_goes_back(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.server_delay = 1.0
    await hub.spawn_in_background("bob")
    messages = [event["message"] for event in await hub.events("bob")]
    assert len(messages) == len(set(messages)), messages


async def test_a_job_that_can_never_start_is_cancelled(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    await hub.spawn_in_background("bob")
    job = await until(lambda: next(iter(login_node.jobs.values()), None))
    job.reason = "PartitionTimeLimit"
    assert "can never start" in (await hub.events("bob"))[-1]["message"]
    await until(lambda: not login_node.jobs and not hub.leases)


async def test_a_start_that_the_person_stops_is_undone(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.hold = True
    await hub.spawn_in_background("bob")
    await until(lambda: login_node.jobs)
    assert (await hub.api("DELETE", "/users/bob/server")).code in (202, 204)
    await until(lambda: not login_node.jobs and not hub.leases)
    await until(lambda: hub.is_stopped("bob"))
    login_node.hold = False
    assert (await hub.spawn("bob")).code in (201, 202)
    await until(lambda: hub.is_ready("bob"))


async def test_without_a_signer_nothing_is_submitted(
    hub: HubProcess, login_node: LoginNode, signer: SignerPeer
) -> None:
    signer.answer = b'{"error": "PermissionError: uid 33"}\n'
    response = await hub.spawn("bob")
    assert b"certificate signer refused" in response.body
    assert not login_node.jobs
    assert hub.leases == []


async def test_a_cluster_that_is_down_is_tried_again(hub: HubProcess, login_node: LoginNode) -> None:
    await login_node.stop_listening()
    await hub.spawn_in_background("bob")
    await asyncio.sleep(0.5)
    await login_node.start()
    assert (await hub.events("bob"))[-1]["ready"]


async def test_an_ended_job_is_noticed_and_its_port_freed(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    login_node.end(only_job(login_node), "TIMEOUT")
    await until(lambda: hub.is_stopped("bob"))
    assert hub.leases == []


async def test_a_failed_query_or_a_cut_link_ends_no_server(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    login_node.queue_fails = True
    await asyncio.sleep(1.1)
    await login_node.stop_listening()
    await asyncio.sleep(1.1)
    assert await hub.is_ready("bob")
    assert len(hub.leases) == 1
    login_node.queue_fails = False
    await login_node.start()
    assert (await hub.api("DELETE", "/users/bob/server")).code in (202, 204)
    await until(lambda: not login_node.jobs and not hub.leases)


async def test_a_job_that_cannot_be_cancelled_now_is_reaped_later(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    await login_node.stop_listening()
    stopping = asyncio.create_task(hub.api("DELETE", "/users/bob/server"))
    await until(lambda: hub.leases == [])
    assert not stopping.done(), "the port does not wait for the job"
    assert (await stopping).code in (202, 204)
    await until(lambda: hub.is_stopped("bob"))
    assert len(login_node.jobs) == 1
    await login_node.start()
    await until(lambda: not login_node.jobs)
    assert "no server of this hub owns it" in hub.log


async def test_orphans_are_reaped_and_others_are_left(hub: HubProcess, login_node: LoginNode) -> None:
    (hub.registry / "20001").write_text("1\n")
    request = {"user_id": "eve", "server_id": "", "spawn_id": "e" * 32}
    orphan = login_node.add(request)
    foreign = login_node.add({**request, "spawn_id": "f" * 32, "hub_id": "other"})
    await hub.spawn("bob")
    await until(lambda: orphan.job_id not in login_node.jobs)
    await until(lambda: "20001" not in hub.leases)
    assert foreign.job_id in login_node.jobs
    assert len(login_node.jobs) == 2
    assert await hub.is_ready("bob")
    assert len(hub.leases) == 1
