# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The probe against a real hub behind TLS: what it proves, and what it says when something is wrong."""

import asyncio
import json
import ssl
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from hpcampus_hub.probe import ProbeError, fingerprint, pinned_context, run_cell
from tests.unit.forks import ROOT
from tests.unit.hub import shared
from tests.unit.hub.front import GOOD, Front
from tests.unit.hub.hub_process import PASSWORD, HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES


@pytest_asyncio.fixture(loop_scope="module")
async def front(hub: HubProcess, login_node: LoginNode, tmp_path: Path) -> AsyncIterator[Front]:
    front = Front(hub, tmp_path)
    yield front
    await front.close()
    login_node.reset()
    for user in ("alice", "bob"):
        if await hub.server(user):
            await hub.api("DELETE", f"/users/{user}/server")
    await until(lambda: not login_node.jobs)


def trusting(front: Front) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(front.certificate_file))


async def command(front: Front, *arguments: str, password: str = PASSWORD) -> tuple[int, str, str]:
    """Run the command; gives exit status, output and errors."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "hpcampus_hub.probe", "--url", front.url, "--user", "bob", "--password-file", "-"),
        *arguments,
        cwd=ROOT / "roles/jupyterhub/files/hub",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate(f"{password}\n".encode())
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


async def test_a_cell_ran_and_everything_is_gone_afterwards(
    front: Front, hub: HubProcess, login_node: LoginNode
) -> None:
    result = await run_cell(front.url, "bob", PASSWORD, options={"profile": "gpu"}, ssl_context=trusting(front))
    assert (result.node, result.job_id, result.output) == ("node-a", "101", "hello\n42")
    assert set(result.legs) == {"submit", "queue", "tunnel", "server", "hub"}
    assert result.events[-1]["ready"]
    assert 0 < result.ready_s < result.total_s
    assert result.stop_s > 0
    submitted = [call for call in login_node.calls if call["op"] == "submit"]
    assert submitted[-1]["partition"] == "gpu"
    assert not login_node.jobs
    assert front.kernels == 0
    tokens = json.loads((await hub.api("GET", "/users/bob/tokens")).body)["api_tokens"]
    assert not [token for token in tokens if token["note"] == "hpcampus probe"]


async def test_the_command_tells_people_each_leg_and_the_node(front: Front) -> None:
    mark = fingerprint(front.certificate).upper()
    pinned = ":".join(mark[at : at + 2] for at in range(0, 64, 2))
    status, out, err = await command(front, "--insecure-selfsigned-fingerprint", pinned)
    assert (status, err) == (0, "")
    assert "The cell ran on node-a as job 101 and printed:\n  hello\n  42\n" in out
    for leg in ("log in", "request to ready", "submit", "queue", "tunnel", "server", "hub", "kernel", "cell", "stop"):
        assert f"  {leg} " in out


async def test_the_command_gives_json_on_request(front: Front) -> None:
    status, out, _ = await command(front, "--ca-file", str(front.certificate_file), "--json")
    assert status == 0
    answer = json.loads(out)
    assert (answer["ok"], answer["node"]) == (True, "node-a")


async def test_a_certificate_that_nobody_vouches_for_is_refused(front: Front) -> None:
    status, out, err = await command(front)
    assert (status, out) == (1, "")
    assert "cannot be reached" in err
    assert "certificate" in err.lower()
    with pytest.raises(ProbeError, match="shows the certificate"):
        await pinned_context(front.url, "00" * 32)


async def test_a_wrong_password_is_told_and_not_shown(front: Front) -> None:
    status, out, err = await command(front, "--ca-file", str(front.certificate_file), password="Geheim123")
    assert (status, out) == (1, "")
    assert "the hub refused user 'bob'" in err
    assert "Geheim123" not in err


async def test_an_option_that_is_not_on_offer_is_told(front: Front, login_node: LoginNode) -> None:
    with pytest.raises(ProbeError, match="'huge' is not on offer; there are small, gpu"):
        await run_cell(front.url, "bob", PASSWORD, options={"profile": "huge"}, ssl_context=trusting(front))
    assert not login_node.jobs


async def test_a_start_that_fails_is_told(front: Front, login_node: LoginNode) -> None:
    login_node.refuse = ("bad-request", "image: base is not published on this cluster")
    with pytest.raises(ProbeError, match="not published"):
        await run_cell(front.url, "bob", PASSWORD, ssl_context=trusting(front))


async def test_a_cell_that_fails_is_told_and_the_server_stopped(front: Front, login_node: LoginNode) -> None:
    error = {"status": "error", "ename": "ZeroDivisionError", "evalue": "division by zero"}
    front.replies = [("execute_reply", error), ("status", {"execution_state": "idle"})]
    with pytest.raises(ProbeError, match="ZeroDivisionError: division by zero"):
        await run_cell(front.url, "bob", PASSWORD, ssl_context=trusting(front))
    assert not login_node.jobs


async def test_a_channel_that_closes_is_told(front: Front) -> None:
    front.replies = [*GOOD[:3], ("close", {})]
    with pytest.raises(ProbeError, match="closed before the result"):
        await run_cell(front.url, "bob", PASSWORD, ssl_context=trusting(front))


async def test_somebodys_running_server_is_left_alone(front: Front, hub: HubProcess) -> None:
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    with pytest.raises(ProbeError, match="has a server already"):
        await run_cell(front.url, "bob", PASSWORD, ssl_context=trusting(front))
    assert await hub.is_ready("bob")


async def test_a_probe_ends_in_time(front: Front, login_node: LoginNode) -> None:
    login_node.hold = True
    with pytest.raises(ProbeError, match="did not end within 2 s"):
        await run_cell(front.url, "bob", PASSWORD, ssl_context=trusting(front), timeout=2)
    await until(lambda: not login_node.jobs)


async def test_a_hub_that_is_not_there_is_told() -> None:
    with pytest.raises(ProbeError, match=r"login page: .* cannot be reached"):
        await run_cell("https://127.0.0.1:1", "bob", "x")
    with pytest.raises(ProbeError, match="not the address"):
        await run_cell("hub.example.org", "bob", "x")
