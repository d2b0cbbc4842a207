# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The doctor's legs of a notebook against a real hub behind TLS: the leg on which it ended is the one that is named."""

import asyncio
import ssl
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from hpcampus_hub.doctor.catalogue import names, notebook_legs
from hpcampus_hub.doctor.finding import Finding
from hpcampus_hub.doctor.notebook import LEGS, Login, Notebook, broken_leg
from hpcampus_hub.doctor.walk import Walk
from hpcampus_hub.probe import ProbeResult
from tests.unit.hub import shared
from tests.unit.hub.front import GOOD, Front
from tests.unit.hub.hub_process import PASSWORD, HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess) -> None:
    new_hub.settings["slow_spawn_timeout"] = 1


@pytest_asyncio.fixture(loop_scope="module")
async def front(
    hub: HubProcess, login_node: LoginNode, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Front]:
    front = Front(hub, tmp_path_factory.mktemp("front"))
    yield front
    await front.close()
    login_node.reset()
    if await hub.server("bob"):
        await hub.api("DELETE", "/users/bob/server")
    await until(lambda: not login_node.jobs)


async def examine(front: Front, password: str = PASSWORD, seconds: float = 60.0) -> dict[str, Finding]:
    context = ssl.create_default_context(cafile=str(front.certificate_file))
    notebook = Notebook(front.url, Login("bob", password, seconds=seconds), context)
    return {finding.leg: finding async for finding in Walk().walk(notebook_legs(notebook))}


def ended_at(findings: dict[str, Finding]) -> Finding:
    """The broken leg; those before it are ok, those behind it wait for it."""
    verdicts = [finding.verdict.value for finding in findings.values()]
    at = verdicts.index("broken")
    assert verdicts == ["ok"] * at + ["broken"] + ["not tried"] * (len(LEGS) - at - 1)
    return list(findings.values())[at]


async def test_a_notebook_that_works(front: Front, login_node: LoginNode) -> None:
    findings = await examine(front)
    assert list(findings) == list(LEGS)
    assert {finding.verdict for finding in findings.values()} == {"ok"}
    assert findings["job"].seen.startswith("job ")
    assert " started on node-a after " in findings["job"].seen
    assert "a cell ran on node-a in " in findings["cell"].seen
    assert not login_node.jobs


async def test_a_wrong_password(front: Front) -> None:
    only = ended_at(await examine(front, password="Kanarienvogel"))
    assert only.leg == "sign-in"
    assert "the hub refused user 'bob'" in only.seen
    assert "Kanarienvogel" not in only.seen + only.cure


async def test_a_job_that_is_refused(front: Front, login_node: LoginNode) -> None:
    login_node.refuse = ("bad-request", "image: base is not published on this cluster")
    only = ended_at(await examine(front))
    assert only.leg == "job"
    assert "is not published on this cluster" in only.seen


async def test_a_job_that_never_comes_back(front: Front, login_node: LoginNode) -> None:
    login_node.server_delay = 60.0
    findings = await examine(front, seconds=15.0)
    assert ended_at(findings).leg == "way-back"
    assert findings["job"].seen.endswith("runs on node-a: its container and server are starting.")


async def test_a_server_that_is_there_already(front: Front, hub: HubProcess) -> None:
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    only = ended_at(await examine(front))
    assert (only.leg, "has a server already" in only.seen) == ("job", True)
    assert await hub.is_ready("bob")


async def test_a_kernel_that_dies(front: Front, login_node: LoginNode) -> None:
    front.replies = [*GOOD[:3], ("close", {})]
    findings = await examine(front)
    assert ended_at(findings).leg == "cell"
    assert findings["job"].seen.startswith("job 10")
    assert not login_node.jobs


async def test_a_server_without_kernels_and_a_proxy_without_websockets(
    front: Front, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpcampus_hub.probe.Client.server", "/user/bob/nothing")
    assert ended_at(await examine(front)).leg == "api"
    monkeypatch.undo()

    async def refused(*_arguments: object) -> None:
        await asyncio.sleep(0)
        raise OSError("426 Upgrade Required")

    monkeypatch.setattr("hpcampus_hub.probe.websocket_connect", refused)
    only = ended_at(await examine(front))
    assert only.leg == "websocket"
    assert "load balancer" in only.cure


async def test_without_a_password_nothing_is_started(front: Front) -> None:
    findings = [finding async for finding in Walk().walk(notebook_legs(Notebook(front.url, None)))]
    assert {finding.verdict for finding in findings} == {"not tried"}
    assert findings[0].seen == "needs a password"
    assert findings[-1].seen == "needs sign-in"


@pytest.mark.parametrize(
    ("leg", "percents", "wanted"),
    [
        ("login", [], "sign-in"),
        ("start", [], "job"),
        ("start", [10, 20, 30], "job"),
        ("start", [10, 50], "way-back"),
        ("start", [10, 50, 75], "server"),
        ("start", [10, 50, 75, 95], "server"),
        ("stop", [10, 50, 75, 95, 100], "stop"),
    ],
)
async def test_how_far_a_start_came(leg: str, percents: list[int], wanted: str) -> None:
    events = [{"progress": percent, "message": "m"} for percent in percents]
    result = ProbeResult(leg=leg, events=[*events, {"progress": 100, "failed": True, "message": "failed"}])
    assert broken_leg(result) == wanted


async def test_the_legs_are_those_of_the_catalogue() -> None:
    assert names(notebook_legs(Notebook("", None))) == list(LEGS)
