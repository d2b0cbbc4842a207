# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a job is told of its ways: the port at which it reaches the hub, and the gradebook of a course's own server."""

from typing import Any

from tests.unit.hub.hub_process import HubProcess, free_port, until
from tests.unit.hub.login_node import LoginNode


async def told(hub: HubProcess, login_node: LoginNode, user: str) -> Any:
    """The request with which a server is submitted; the server is stopped again."""
    assert (await hub.api("POST", f"/users/{user}/server", {})).code in (201, 202)
    await until(lambda: hub.is_ready(user))
    (job,) = login_node.jobs.values()
    assert (await hub.api("DELETE", f"/users/{user}/server")).code in (202, 204)
    await until(lambda: not login_node.jobs)
    await until(lambda: hub.is_stopped(user))
    return job.request


async def test_jobs_are_led_to_the_hub_itself_and_gradebooks_are_files(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.start()
    request = await told(hub, login_node, "course-py1")
    assert request["secrets"]["tunnel"]["hub_api_port"] == hub.port
    assert "HPCAMPUS_GRADEBOOK" not in request["secrets"]["env"]


async def test_jobs_are_led_to_another_port_and_a_course_has_a_database(hub: HubProcess, login_node: LoginNode) -> None:
    hub.settings["api_port"] = port = free_port()
    hub.settings["gradebook"] = "postgresql"
    hub.settings["courses"][0] |= {"slug": "py-1", "data": ["tables"], "shared": True}
    await hub.start()
    request = await told(hub, login_node, "course-py-1")
    assert request["secrets"]["tunnel"]["hub_api_port"] == port
    assert request["secrets"]["env"]["HPCAMPUS_GRADEBOOK"] == "hpcampus_course_py_1"
    assert request["courses"] == [{"slug": "py-1", "role": "course", "data": True, "shared": True}]
    student = await told(hub, login_node, "alice")
    assert "HPCAMPUS_GRADEBOOK" not in student["secrets"]["env"]
    assert student["courses"] == [{"slug": "py-1", "role": "student", "data": True, "shared": True}]
