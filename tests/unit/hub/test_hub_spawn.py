# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real hub, a real ssh link: starting, watching and stopping servers."""

import json
from typing import Any

import asyncssh
import pytest

from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import FakeJob, LoginNode


def only_job(login_node: LoginNode) -> FakeJob:
    (job,) = login_node.jobs.values()
    return job


async def test_a_server_starts_runs_and_stops(hub: HubProcess, login_node: LoginNode) -> None:
    login_node.server_delay = 0.3
    await hub.start()

    response = await hub.spawn("alice", {"profile": "small"})
    assert response.code in (201, 202), response.body
    events = await hub.events("alice")
    assert events[-1]["ready"]
    job = only_job(login_node)
    about = events[-1]["hpcampus"]
    assert (about["job_id"], about["node"], about["cluster"]) == (job.job_id, "node-a", "lab")
    assert set(about["legs"]) == {"submit", "queue", "tunnel", "server", "hub"}
    assert about["legs"]["tunnel"] >= 0.2

    request, port = job.request, str(job.request["secrets"]["tunnel"]["notebook_port"])
    assert (request["user_id"], request["partition"], request["memory_mb"]) == ("alice", "jupyter", 1024)
    assert request["image"] == "course"
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
    await until(lambda: _stopped(hub, "alice"))
    assert (await hub.api("GET", "/user", token=env["JUPYTERHUB_API_TOKEN"])).code == 403


async def _stopped(hub: HubProcess, user: str) -> bool:
    return await hub.server(user) is None


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
    await hub.start()
    response = await hub.spawn("bob", options)
    assert response.code == 400, response.body
    assert b"Not started" in response.body
    assert not [call for call in login_node.calls if call["op"] == "submit"]
    assert hub.leases == []
    assert (await hub.spawn("bob")).code in (201, 202)
