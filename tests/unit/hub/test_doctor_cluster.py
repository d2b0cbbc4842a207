# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The doctor's legs of a cluster against a real ssh server: each trouble is found on its own leg, with its cure."""

import json
import socket
from dataclasses import replace
from typing import Any

import asyncssh
import pytest

from hpcampus_hub.doctor.catalogue import cluster_legs
from hpcampus_hub.doctor.cluster import Visit, has_gres, judge_profile
from hpcampus_hub.doctor.finding import Finding
from hpcampus_hub.doctor.walk import Walk
from hpcampus_hub.link import LinkTimes
from hpcampus_hub.settings import Cluster, Profile, Range, Tunnel
from tests.unit.hub.login_node import LoginNode

QUICK = LinkTimes(connect=2.0, call=0.5)
SMALL = Profile("small", "Small", "lab", "jupyter", 2, 4096, 480, "base")
GPU = Profile("gpu", "GPU", "lab", "gpu", 4, 8192, 480, "ml", gres="gpu:1")


async def examine(node: LoginNode, tunnel: Tunnel | None = None, **changes: Any) -> dict[str, Finding]:
    """Walk the legs of the cluster; ``changes`` are of its settings. With a tunnel its data path is tried."""
    cluster = replace(Cluster(**node.cluster()), **changes)
    visit = Visit(cluster, [SMALL, GPU], ["base", "ml"], "hub", QUICK)
    try:
        return {finding.leg: finding async for finding in Walk().walk(cluster_legs("lab", visit, tunnel))}
    finally:
        await visit.close()


def broken(findings: dict[str, Finding]) -> Finding:
    """The one leg that is not ok, not waiting for another."""
    (only,) = [finding for finding in findings.values() if finding.verdict in ("broken", "warning")]
    return only


async def test_a_healthy_cluster(login_node: LoginNode) -> None:
    login_node.hold = True
    login_node.add({"user_id": "alice", "server_id": "", "spawn_id": "0" * 32})
    login_node.add({"user_id": "zoe", "server_id": "", "spawn_id": "1" * 32, "hub_id": "another"})
    findings = await examine(login_node)
    assert {finding.verdict for leg, finding in findings.items() if leg != "path"} == {"ok"}
    assert findings["gateway"].seen == "protocol 1, Slurm 24.11.5"
    assert findings["slurm"].seen == "answers; partitions: jupyter, gpu"
    assert findings["partitions"].seen == "every profile fits: small, gpu"
    assert findings["queue"].seen == "1 jobs of this hub: 0 run, 1 wait"
    assert findings["images"].seen == "published: base, ml"
    assert findings["storage"].seen == "/srv/hpcampus can be written, 931 GB free"
    assert login_node.sessions == 1
    assert [call["op"] for call in login_node.calls] == ["ping", "info", "list", "health"]


async def test_a_name_that_nobody_knows(login_node: LoginNode) -> None:
    findings = await examine(login_node, host="login.invalid")
    assert broken(findings).leg == "login-name"
    assert "site_login_address" in broken(findings).cure
    assert {finding.seen for finding in list(findings.values())[1:]} == {"needs login-name of lab"}


async def test_a_port_that_nobody_listens_on(login_node: LoginNode) -> None:
    await login_node.stop_listening()
    only = broken(await examine(login_node))
    assert (only.leg, only.seen) == ("login-port", f"127.0.0.1:{login_node.port} refuses connections")


async def test_something_that_is_no_ssh_server(login_node: LoginNode) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        import threading

        def hang_up() -> None:
            for _ in range(2):
                mute.accept()[0].close()

        threading.Thread(target=hang_up, daemon=True).start()
        only = broken(await examine(login_node, port=mute.getsockname()[1]))
    assert only.leg == "host-key"
    assert "is not an ssh server" in only.seen


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256"])
async def test_another_host_key(login_node: LoginNode, kind: str) -> None:
    other = asyncssh.generate_private_key(kind)
    pinned = " ".join(other.export_public_key("openssh").decode().split()[:2])
    findings = await examine(login_node, host_key=pinned)
    only = broken(findings)
    assert only.leg == "host-key"
    shown = asyncssh.import_public_key(login_node.host_key).get_fingerprint()
    assert only.seen == f"127.0.0.1 shows {shown}, pinned is {other.get_fingerprint()}"
    assert only.cure.startswith("Compare the fingerprint at the login node's console")
    assert findings["account"].seen == "needs host-key of lab"
    assert login_node.sessions == 0


async def test_a_key_that_is_refused(login_node: LoginNode) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_private_key(login_node.key_file)
    only = broken(await examine(login_node))
    assert (only.leg, only.seen) == ("account", "hpcampus@127.0.0.1 refuses this hub's key")
    assert "hpcampus apply --step gateway" in only.cure


async def test_a_key_that_is_not_there(login_node: LoginNode) -> None:
    only = broken(await examine(login_node, key_file="/nowhere/id_ed25519"))
    assert (only.leg, only.seen) == (
        "account",
        "the private key /nowhere/id_ed25519 cannot be used: No such file or directory",
    )


async def test_a_gateway_that_ends_at_once(login_node: LoginNode) -> None:
    login_node.complaint = "gateway: /etc/hpcampus/gateway.json: No such file"
    only = broken(await examine(login_node))
    assert only.leg == "gateway"
    assert only.seen == "the gateway ended at once: gateway: /etc/hpcampus/gateway.json: No such file"


@pytest.mark.parametrize(
    ("greeting", "seen"),
    [
        (
            json.dumps({"hello": {"protocol": 9}}),
            "the gateway speaks protocol 9, this hub 1; run the gateway step again",
        ),
        ("Welcome to HPC!", "the gateway did not greet but said 'Welcome to HPC!\\n'"),
    ],
)
async def test_a_gateway_of_another_kind(login_node: LoginNode, greeting: str, seen: str) -> None:
    login_node.greeting = greeting
    only = broken(await examine(login_node))
    assert (only.leg, only.seen) == ("gateway", seen)


@pytest.mark.parametrize("skew", [300.0, -300.0])
async def test_clocks_that_differ(login_node: LoginNode, skew: float) -> None:
    login_node.skew = skew
    findings = await examine(login_node)
    only = broken(findings)
    assert (only.leg, only.verdict, only.seen) == (
        "clock",
        "warning",
        "the clocks of hub and login node are 300 s apart",
    )
    assert findings["slurm"].verdict == "ok"


async def test_slurm_that_does_not_answer(login_node: LoginNode) -> None:
    login_node.slurm_fails = login_node.queue_fails = True
    findings = await examine(login_node)
    assert findings["slurm"].verdict == findings["queue"].verdict == "broken"
    assert "Unable to contact slurm controller" in findings["slurm"].seen
    assert "systemctl status slurmctld" in findings["slurm"].cure
    assert findings["partitions"].seen == "needs slurm of lab"
    assert findings["images"].verdict == findings["storage"].verdict == "ok"


async def test_slurm_that_takes_too_long(login_node: LoginNode) -> None:
    login_node.deaf = {"info"}
    only = broken(await examine(login_node))
    assert (only.leg, only.seen) == ("slurm", "no answer to info within 0.5 s")


async def test_a_session_that_ends_in_between(login_node: LoginNode) -> None:
    login_node.deaf = {"ping"}
    findings = await examine(login_node)
    assert findings["clock"].verdict == "broken"
    assert findings["slurm"].verdict == "ok"


@pytest.mark.parametrize(
    ("change", "seen", "cure"),
    [
        ({"name": "other"}, "small: there is no partition jupyter", "there are other, gpu"),
        ({"available": False}, "small: partition jupyter is not up", "scontrol update partitionname=jupyter state=up"),
        ({"nodes": 0}, "small: partition jupyter has no node", "site_partitions"),
        ({"cpus": 1}, "small wants 2 CPUs, the largest node of jupyter has 1", "Lower cpus of small"),
        ({"memory_mb": 4000}, "small wants 4096 MB, the largest node of jupyter has 4000", "Lower memory of small"),
        ({"time_limit_minutes": 60}, "small wants 480 minutes, jupyter allows 60", "Lower time_limit_minutes"),
    ],
)
async def test_a_profile_that_can_never_start(
    login_node: LoginNode, change: dict[str, Any], seen: str, cure: str
) -> None:
    login_node.partitions[0].update(change)
    only = broken(await examine(login_node))
    assert (only.leg, only.seen) == ("partitions", seen)
    assert cure in only.cure


async def test_every_obstacle_is_told_at_once(login_node: LoginNode) -> None:
    login_node.partitions[0].update(cpus=1, memory_mb=1)
    login_node.partitions[1].update(gres=[])
    only = broken(await examine(login_node))
    assert only.seen == (
        "small wants 2 CPUs, the largest node of jupyter has 1; small wants 4096 MB, the largest node of jupyter has 1;"
        " gpu wants gpu:1, the nodes of gpu offer nothing of the kind"
    )


def test_a_partition_without_a_limit_of_time_fits() -> None:
    partition: dict[str, Any] = {
        "available": True,
        "nodes": 1,
        "cpus": 2,
        "memory_mb": 4096,
        "time_limit_minutes": None,
        "gres": [],
    }
    assert judge_profile(SMALL, {"jupyter": partition}) == []


def test_what_people_may_choose_and_cannot_have_is_a_warning() -> None:
    partition: dict[str, Any] = {
        "available": True, "nodes": 1, "cpus": 8, "memory_mb": 16000, "time_limit_minutes": 720, "gres": ["gpu:a100:2"]
    }  # fmt: skip
    wide = replace(
        GPU,
        ranges={"cpus": Range(1, 16), "memory_mb": Range(1024, 16000)},
        gres_choices=("", "gpu:a100:1", "gpu:h100:1"),
    )
    found = judge_profile(wide, {"gpu": partition})
    assert {said.verdict for said in found} == {"warning"}
    assert [said.seen for said in found] == [
        "gpu lets people ask for 16 as cpus, gpu has at most 8",
        "gpu lets people ask for gpu:h100:1, the nodes of gpu offer gpu:a100:2",
    ]


TUNNEL = Tunnel("hub.example.org", 22, ("ssh-ed25519 " + "A" * 68,), "tunnel", 20000, 24999, "/run/x", "/run/y")


@pytest.mark.parametrize(
    ("data_path", "ways", "verdict", "seen"),
    [
        ("reverse", {}, "ok", "reverse works, tried on 127.0.0.1; all that work: reverse, forward, relay"),
        ("auto", {"reverse": "no route"}, "ok", "forward works, tried on 127.0.0.1; all that work: forward, relay"),
        (
            "reverse",
            {"reverse": "no route"},
            "broken",
            "reverse does not work from 127.0.0.1: no route; works: forward, relay",
        ),
        (
            "auto",
            {"reverse": "r", "forward": "f", "relay": "s"},
            "broken",
            "none works from 127.0.0.1: reverse: r; direct: d; forward: f; relay: s",
        ),
    ],
)
async def test_the_data_path_is_tried_by_a_job_that_is_taken_back(
    login_node: LoginNode, data_path: str, ways: dict[str, str], verdict: str, seen: str
) -> None:
    login_node.ways = {"reverse": "", "direct": "d", "forward": "", "relay": "", **ways}
    findings = await examine(login_node, TUNNEL, data_path=data_path)
    assert (findings["path"].verdict, findings["path"].seen) == (verdict, seen)
    assert [call["op"] for call in login_node.calls][-2:] == ["reach", "cancel"]
    assert login_node.calls[-2]["partition"] == "jupyter"


async def test_no_job_is_started_unless_it_is_asked_for(login_node: LoginNode) -> None:
    findings = await examine(login_node)
    assert (findings["path"].verdict, findings["path"].seen) == ("not tried", "needs a short job")
    assert "reach" not in [call["op"] for call in login_node.calls]


async def test_a_job_for_the_data_paths_that_does_not_start(login_node: LoginNode) -> None:
    def refuse(*_account: str, **_fields: Any) -> None:
        raise PermissionError("slurm", "the job that tries the data paths did not start: it is still PENDING")

    login_node._op_reach = refuse  # type: ignore[assignment, method-assign]
    only = broken(await examine(login_node, TUNNEL))
    assert (only.leg, "still PENDING" in only.seen) == ("path", True)


@pytest.mark.parametrize(
    ("wanted", "offered", "there"),
    [
        ("gpu:1", ["gpu:a100:4(S:0-1)"], True),
        ("gpu", ["gpu:2"], True),
        ("gpu:a100:2", ["gpu:a100:4(S:0-1)", "shard:8"], True),
        ("gpu:h100:1", ["gpu:a100:4"], False),
        ("gpu:1,shard:4", ["gpu:a100:4,shard:8"], True),
        ("gpu:1,shard:4", ["gpu:a100:4"], False),
        ("gpu:1", [], False),
        ("gpu:1", ["gpumem:8"], False),
    ],
)
def test_gres_on_offer(wanted: str, offered: list[str], *, there: bool) -> None:
    assert has_gres(wanted, offered) is there


async def test_an_image_that_is_missing(login_node: LoginNode) -> None:
    assert login_node.health is not None
    login_node.health["images"] = ["base"]
    only = broken(await examine(login_node))
    assert (only.leg, only.seen) == ("images", "not published: ml")
    assert only.cure == "Build and publish them: hpcampus apply --step images"


@pytest.mark.parametrize(
    ("change", "verdict", "seen"),
    [
        (
            {"problem": "spawns: Disk quota exceeded"},
            "broken",
            "/srv/hpcampus cannot be written: spawns: Disk quota exceeded",
        ),
        ({"free_bytes": 1000}, "broken", "/srv/hpcampus: 1000 bytes and any number of new files left"),
        ({"free_files": 3}, "broken", "/srv/hpcampus: 931 GB and 3 new files left"),
        ({"free_bytes": 10**9}, "warning", "/srv/hpcampus: only 954 MB free"),
        ({"free_bytes": "much"}, "warning", "the gateway cannot tell: its answer has another form"),
    ],
)
async def test_storage_that_is_full(login_node: LoginNode, change: dict[str, Any], verdict: str, seen: str) -> None:
    assert login_node.health is not None
    login_node.health.update(change)
    only = broken(await examine(login_node))
    assert (only.leg, only.verdict, only.seen) == ("storage", verdict, seen)


async def test_an_older_gateway_is_a_warning(login_node: LoginNode) -> None:
    login_node.health = None
    findings = await examine(login_node)
    assert (findings["images"].verdict, findings["storage"].verdict) == ("warning", "warning")
    assert findings["images"].cure == "Bring it to this hub's version: hpcampus apply --step gateway"
    assert [call["op"] for call in login_node.calls].count("health") == 1
