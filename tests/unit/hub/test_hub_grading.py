# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs of submissions in a real hub: who may ask, what the gateway is asked, and what the answers say."""

import json
from typing import Any

import pytest

from tests.unit.hub import shared
from tests.unit.hub.hub_process import ADMIN_TOKEN, HubProcess
from tests.unit.hub.login_node import LoginNode
from tests.unit.hub.sites import course

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES

RUN = "0123456789abcdef0123456789abcdef"
PATH = "/hub/hpcampus/grading/py1"


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess) -> None:
    new_hub.write_accounts("alice", "bob", "ida", "root")
    new_hub.settings["courses"] = [
        course(slug=slug, grading={"slots": 3, "minutes": 4, "memory": "2G", "isolate_tests": True, "similarity": True})
        for slug in ("py1", "py2")
    ]


async def token_of(hub: HubProcess, user: str) -> str:
    answer = await hub.api("POST", f"/users/{user}/tokens", {})
    assert answer.code == 201, answer.body
    return str(json.loads(answer.body)["token"])


async def ask(hub: HubProcess, method: str, path: str, token: str | None, body: Any = None) -> tuple[int, Any]:
    headers = {"Authorization": f"token {token}"} if token else {}
    answer = await hub.fetch(method, path, body=None if body is None else json.dumps(body), headers=headers)
    return answer.code, json.loads(answer.body) if answer.body else None


def calls(login_node: LoginNode, *names: str) -> list[dict[str, Any]]:
    return [call for call in login_node.calls if call["op"] in names]


async def test_the_course_learns_its_terms(hub: HubProcess) -> None:
    code, terms = await ask(hub, "GET", PATH, await token_of(hub, "course-py1"))
    assert code == 200
    assert {
        name: terms[name] for name in ("slots", "seconds", "memory_mb", "isolate_tests", "similarity", "image_version")
    } == {
        "slots": 3,
        "seconds": 240,
        "memory_mb": 2048,
        "isolate_tests": True,
        "similarity": True,
        "image_version": "77.sif",
    }


async def test_a_run_is_asked_for_as_the_record_says_and_not_as_the_request(
    hub: HubProcess, login_node: LoginNode
) -> None:
    token = await token_of(hub, "course-py1")
    assert await ask(hub, "POST", PATH, token, {"run": RUN, "tasks": 60}) == (201, {"job_id": 70})
    (call,) = calls(login_node, "grade")
    assert (call["course"], call["run"], call["tasks"], call["slots"], call["memory_mb"]) == ("py1", RUN, 60, 3, 2048)
    assert call["time_limit_minutes"] > call["seconds"] / 60
    code, answer = await ask(hub, "POST", PATH, token, {"run": RUN, "tasks": 1, "partition": "gpu"})
    assert (code, "expected an object with run and tasks" in answer["message"]) == (400, True)
    assert len(calls(login_node, "grade")) == 1


async def test_state_and_end_of_a_run(hub: HubProcess, login_node: LoginNode) -> None:
    token = await token_of(hub, "course-py1")
    assert await ask(hub, "GET", f"{PATH}?run={RUN}", token) == (
        200,
        {"pending": 2, "running": 1, "reason": "Priority"},
    )
    assert (await ask(hub, "DELETE", f"{PATH}?run={RUN}", token))[0] == 204
    assert calls(login_node, "grade_cancel")[-1]["course"] == "py1"
    assert (await ask(hub, "GET", f"{PATH}?run=../x", token))[0] == 400


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
async def test_nobody_else_may(hub: HubProcess, login_node: LoginNode, method: str) -> None:
    body = {"run": RUN, "tasks": 1} if method == "POST" else None
    path = f"{PATH}?run={RUN}" if method != "POST" else PATH
    before = len(login_node.calls)
    for token in (None, "wrong", ADMIN_TOKEN, await token_of(hub, "ida"), await token_of(hub, "course-py2")):
        assert (await ask(hub, method, path, token, body))[0] == 403, token
    asked = [call["op"] for call in login_node.calls[before:]]
    assert not [op for op in asked if op.startswith("grade") or op == "image_version"]


async def test_a_browser_gets_nothing(hub: HubProcess) -> None:
    browser = await hub.browser("ida")
    assert (await browser.get(PATH)).code == 403


async def test_what_the_cluster_says_is_told(hub: HubProcess, login_node: LoginNode) -> None:
    token = await token_of(hub, "course-py1")
    login_node.grading_refused = ("slurm", "sbatch failed (1): Invalid\nqos")
    try:
        code, answer = await ask(hub, "POST", PATH, token, {"run": "f" * 32, "tasks": 1})
    finally:
        login_node.grading_refused = None
    assert code == 502
    assert "sbatch failed (1): Invalid qos" in answer["message"]
