# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A real hub whose jobs have a door: what it orders, when it takes the order back, and how it finds the path to take."""

import json
import shutil
import signal
from typing import Any

import pytest

from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import FakeJob, LoginNode

pytestmark = pytest.mark.processes


def use(hub: HubProcess, path: str) -> None:
    hub.settings["clusters"] = [{**hub.settings["clusters"][0], "data_path": path}]


async def running(hub: HubProcess, login_node: LoginNode) -> tuple[FakeJob, dict[str, Any]]:
    """A server that is ready, and its order. Its port answers when the carrier has had the time to open it."""
    login_node.server_delay = 0.5
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    (job,) = login_node.jobs.values()
    (order,) = hub.orders.values()
    return job, order


@pytest.mark.parametrize("path", ["relay", "forward", "direct"])
async def test_a_running_job_is_ordered_with_pinned_keys_and_no_secret(
    hub: HubProcess, login_node: LoginNode, path: str
) -> None:
    use(hub, path)
    await hub.start()
    job, order = await running(hub, login_node)
    door = job.request["secrets"]["door"]
    (lease,) = hub.leases
    assert "tunnel" not in job.request["secrets"]
    assert door["port"] == (0 if path == "relay" else int(lease))
    assert order["way"] == path
    assert (order["port"], order["node"], order["node_port"]) == (int(lease), "node-a", door["port"])
    assert (order["job_id"], order["spawn_id"]) == (job.job_id, job.request["spawn_id"])
    assert (order["door_name"], order["host_key"]) == (door["name"], login_node.host_key)
    assert door["authorized_key"].startswith("ssh-ed25519 ")
    private = door["host_key"].splitlines()[2]
    state = json.dumps((await hub.server("bob") or {})["state"])
    for text in (json.dumps(order), state, hub.log):
        assert private not in text
    assert (hub.carrier / "key").stat().st_mode & 0o777 == 0o600
    assert (await hub.api("DELETE", "/users/bob/server")).code in (202, 204)
    await until(lambda: hub.orders == {})
    await until(lambda: not login_node.jobs and not hub.leases)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
async def test_a_restarted_hub_leaves_the_order_alone_and_writes_a_lost_one_again(
    hub: HubProcess, login_node: LoginNode, how: signal.Signals
) -> None:
    use(hub, "relay")
    await hub.start()
    _, order = await running(hub, login_node)
    (path,) = (hub.carrier / "orders").iterdir()
    before = path.stat()
    await hub.stop(how)
    await hub.start()
    await until(lambda: hub.is_ready("bob"))
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
    await hub.stop(how)
    shutil.rmtree(hub.carrier / "orders")
    await hub.start()
    await until(lambda: hub.is_ready("bob"))
    assert list(hub.orders.values()) == [order]


async def test_an_order_of_nobody_is_taken_back_by_the_reaper(hub: HubProcess, login_node: LoginNode) -> None:
    use(hub, "relay")
    hub.settings["grace"] = 0.5
    (hub.carrier / "orders").mkdir()
    for name, text in (("20001", json.dumps({"spawn_id": "e" * 32})), ("20002", "broken")):
        (hub.carrier / "orders" / f"{name}.json").write_text(text)
    await hub.start()
    _, order = await running(hub, login_node)
    await until(lambda: list(hub.orders.values()) == [order])


async def test_the_end_of_a_job_ends_its_order(hub: HubProcess, login_node: LoginNode) -> None:
    use(hub, "forward")
    await hub.start()
    job, _ = await running(hub, login_node)
    login_node.end(job, "TIMEOUT")
    await until(lambda: hub.orders == {})


async def test_why_a_path_is_not_up_is_told_while_waiting_and_in_the_end(
    hub: HubProcess, login_node: LoginNode
) -> None:
    use(hub, "relay")
    hub.settings["start_timeout"] = 8
    login_node.server_delay = 60
    await hub.start()
    await hub.spawn_in_background("bob")
    order = await until(lambda: next(iter(hub.orders.values()), None))
    (hub.carrier / "state").mkdir()
    state = {
        "up": False,
        "spawn_id": order["spawn_id"],
        "error": "srun: error: \x1b[31mstep creation disabled",
        "tries": 3,
    }
    (hub.carrier / "state" / f"{order['port']}.json").write_text(json.dumps(state))
    events = await hub.events("bob")
    words = "relay, through Slurm on the login node: srun: error: \\x1b[31mstep creation disabled"
    told = [event["message"] for event in events if f"Connecting ({words}); it is tried again." in event["message"]]
    assert told == [f"Job {order['job_id']} runs on node-a. Connecting ({words}); it is tried again."]
    assert events[-1]["failed"]
    assert f"no answer came in time: {words}" in events[-1]["message"]
    assert hub.orders == {}


async def test_auto_tries_once_and_remembers(hub: HubProcess, login_node: LoginNode) -> None:
    use(hub, "auto")
    login_node.ways = {
        "reverse": "ssh: connect to host hub port 22: timed out",
        "direct": "no",
        "forward": "",
        "relay": "",
    }
    await hub.start()
    _, order = await running(hub, login_node)
    assert order["way"] == "forward"
    assert (
        "Data path of cluster lab is forward, tried on 127.0.0.1: reverse: ssh: connect to host hub port 22" in hub.log
    )
    assert json.loads((hub.carrier / "chosen.json").read_text()) == {"lab": "forward"}
    await hub.stop()
    await hub.start()
    await until(lambda: hub.is_ready("bob"))
    assert [call["op"] for call in login_node.calls].count("reach") == 1


async def test_auto_without_a_path_says_why(hub: HubProcess, login_node: LoginNode) -> None:
    use(hub, "auto")
    login_node.ways = dict.fromkeys(login_node.ways, "a wall")
    await hub.start()
    response = await hub.spawn("bob")
    assert response.code == 503
    message = json.loads(response.body)["message"]
    assert (
        "no data path to cluster lab works: reverse: a wall; direct: a wall; forward: a wall; relay: a wall" in message
    )
    assert hub.leases == []
    login_node.ways["relay"] = ""
    _, order = await running(hub, login_node)
    assert order["way"] == "relay"
