# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Members of courses are groups of the hub, as the records say, from one start to the next."""

import json
from datetime import timedelta
from typing import Any

import pytest

from hpcampus_hub.settings import today
from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = pytest.mark.processes


async def groups(hub: HubProcess) -> dict[str, list[str]]:
    found = json.loads((await hub.api("GET", "/groups")).body)
    return {group["name"]: sorted(group["users"]) for group in found if group["name"] != "course-servers"}


async def test_groups_follow_the_records_while_servers_run_on(hub: HubProcess, login_node: LoginNode) -> None:
    first: dict[str, Any] = hub.settings["courses"][0]
    first |= {"students": ["alice", "Bob"], "graders": ["gus"]}
    hub.settings["courses"].append({"slug": "ml", "title": "ML", "instructors": ["ida"], "students": ["alice"]})
    await hub.start()
    assert await groups(hub) == {
        "course-py1-instructors": ["ida"],
        "course-py1-graders": ["gus"],
        "course-py1-students": ["alice", "bob"],
        "course-ml-instructors": ["ida"],
        "course-ml-graders": [],
        "course-ml-students": ["alice"],
    }
    await hub.api("POST", "/groups/staff")
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    await hub.stop()

    first |= {"students": ["alice", "eve"], "graders": []}
    del hub.settings["courses"][1]
    await hub.start()
    assert await groups(hub) == {
        "course-py1-instructors": ["ida"],
        "course-py1-graders": [],
        "course-py1-students": ["alice", "eve"],
        "staff": [],
    }
    await until(lambda: hub.is_ready("bob"))
    assert len(login_node.jobs) == 1
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: not login_node.jobs)


async def test_a_grader_opens_the_courses_server_in_its_reservation_and_is_let_go_with_the_record(
    hub: HubProcess, login_node: LoginNode
) -> None:
    hub.write_accounts("alice", "bob", "ida", "gus")
    first: dict[str, Any] = hub.settings["courses"][0]
    first |= {"graders": ["gus"], "reservation": "python", "expires": str(today() + timedelta(days=9))}
    await hub.start()
    gus = await hub.browser("gus")
    home = (await gus.get("/hub/home")).body.decode()
    assert '<a href="/hub/spawn/course-py1">Python 1: assignments and grading</a>' in home
    assert f"(its files may be cleared up from {today() + timedelta(days=9)})" in home
    assert (await gus.get("/hub/spawn/course-py1")).code == 302
    await until(lambda: hub.is_ready("course-py1"))
    (job,) = login_node.jobs.values()
    assert job.request["reservation"] == "python"
    await hub.api("DELETE", "/users/course-py1/server")
    await until(lambda: not login_node.jobs)
    await hub.stop()

    first |= {"graders": []}
    await hub.start()
    assert (await (await hub.browser("gus")).get("/hub/spawn/course-py1")).code in (403, 404)
    await hub.stop()

    first |= {"expires": str(today())}
    await hub.start()
    ida = await hub.browser("ida")
    home = (await ida.get("/hub/home")).body.decode()
    assert "/hub/spawn/course-py1" not in home
    assert f"closed since {today()}" in home
    refused = await hub.api("POST", "/users/course-py1/server", {})
    assert refused.code == 400
    assert f"closed since {today()}" in refused.body.decode()
    assert not login_node.jobs
