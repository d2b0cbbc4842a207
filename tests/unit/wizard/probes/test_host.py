# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a host says of itself: real hosts, odd ones, and garbage."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.probes import Finding, Level, Prober, clocks, nodes, server, shared
from hpcampus.probes.host import (
    Mount,
    Root,
    mount_of,
    nft_drops,
    parse_host,
    parse_listeners,
    parse_mounts,
    propose_apptainer,
)
from hpcampus.probes.nodes import Cluster, Seen
from hpcampus.probes.sections import parse_sections
from tests.unit.wizard.conftest import ROOT
from tests.unit.wizard.probes.conftest import marked, sample

GOOD = {
    "release": 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"',
    "root": "root",
    "size": "cpus 8\nmemory_kb 32000000\nnames hub hub.example.org",
    "programs": "apt-get /usr/bin/apt-get\napptainer /usr/bin/apptainer",
    "versions": "container apptainer version 1.4.5",
    "units": "",
    "disks": "/ / 90000000\n/var /var 80000000",
    "listeners": 'LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:(("sshd",pid=77,fd=6))',
    "candidate": "",
    "complete": "",
}


def examined(**changes: str | None) -> Finding:
    given = {**GOOD, **changes}
    text = marked({name: said for name, said in given.items() if said is not None})
    return server.examine("hub", parse_sections(text), [], propose=True)


def texts(finding: Finding, level: Level = Level.PROBLEM) -> list[str]:
    return [line.text for line in finding.lines if line.level is level]


def test_a_good_server():
    found = examined()
    assert [line.level for line in found.lines] == [Level.OK] * 3
    assert found.lines[0].text == "Debian GNU/Linux 13 (trixie), 8 cores, 31 GB memory, 76 GB free in /var."
    assert found.proposals == {"apptainer": "present"}
    assert found.facts == {"cpus": 8, "memory_mb": 31250, "gpus": 0}


NFT = """table inet filter {
	chain input {
		type filter hook input priority filter; policy %s;
		tcp dport { 22, 443 } accept
	}
}"""


@pytest.mark.parametrize(
    ("changes", "level", "words"),
    [
        ({"release": 'PRETTY_NAME="Ubuntu 24.04"\nID=ubuntu\nVERSION_ID=24.04'}, Level.PROBLEM, "Ubuntu 24.04 is not Debian"),
        ({"release": ""}, Level.PROBLEM, "did not say"),
        ({"size": "cpus 1\nmemory_kb 2000000"}, Level.NOTE, "is little"),
        ({"disks": "/ / 3000000"}, Level.PROBLEM, "Only 2.9 GB"),
        ({"root": "no"}, Level.PROBLEM, "may not become root"),
        ({"root": "password"}, Level.NOTE, "--ask-become-pass"),
        ({"listeners": 'LISTEN 0 511 *:80 *:* users:(("nginx",pid=9,fd=4))'}, Level.PROBLEM, "80 (nginx)"),
        ({"listeners": "LISTEN 0 511 *:443 *:*"}, Level.PROBLEM, "443 (?)"),
        ({"listeners": 'LISTEN 0 511 *:80 *:* users:(("apache2",pid=9,fd=4))'}, Level.NOTE, "Apache runs there"),
        ({"units": "caddy.service"}, Level.NOTE, "Another web server runs there: caddy"),
        ({"hubs": "/opt/tljh"}, Level.PROBLEM, "(/opt/tljh)"),
        ({"units": "jupyterhub.service"}, Level.PROBLEM, "(jupyterhub.service)"),
        ({"nft": NFT % "drop"}, Level.NOTE, "(nftables) is on, and names port 443"),
        ({"nft": (NFT % "drop").replace("443", "80")}, Level.NOTE, "Ports 22, 80 and 443 must be open"),
        ({"ufw": "Status: active\n\nTo  Action  From\n22/tcp ALLOW Anywhere"}, Level.NOTE, "(ufw) drops"),
        ({"ufw": "Status: active\n\nTo  Action  From\n443 ALLOW Anywhere"}, Level.NOTE, "(ufw) is on"),
        ({"units": "firewalld.service"}, Level.NOTE, "(firewalld)"),
        ({"programs": "apt-get /usr/bin/apt-get"}, Level.NOTE, "package file of its makers"),
        ({"complete": None}, Level.PROBLEM, "before the look was over"),
    ],
)  # fmt: skip
def test_what_is_said(changes: dict[str, str | None], level: Level, words: str):
    found = texts(examined(**changes), level)
    assert len(found) == 1
    assert words in found[0]


@pytest.mark.parametrize("changes", [{"nft": NFT % "accept"}, {"ufw": "Status: inactive"}])
def test_a_firewall_that_drops_nothing(changes: dict[str, str | None]):
    assert len(examined(**changes).lines) == 3


def test_a_hub_of_this_platform():
    found = server.examine("hub", sample("host_campus"), [], propose=True)
    assert [line.level for line in found.lines] == [Level.OK] * 3
    assert found.proposals == {"apptainer": "distribution"}


def test_rules_that_reject_at_the_end():
    rules = "type filter hook input priority 0; policy accept;\n ct state established accept\n counter packets 1 bytes 2 reject"
    chain = f"chain INPUT {{\n {rules}\n}}"
    assert nft_drops(chain)
    assert not nft_drops(chain.replace("hook input", "hook forward"))


def test_listeners_for_this_host_alone_are_left_out():
    text = """LISTEN 0 5 127.0.0.1:443 0.0.0.0:* users:(("x",pid=1,fd=2))
LISTEN 0 5 [::1]:80 [::]:*
LISTEN 0 5 [::]:80 [::]:* users:(("caddy",pid=1,fd=2))"""
    assert parse_listeners(text) == {80: "caddy"}


MOUNTS = parse_mounts("/ ext4 /dev/sda1 2_a\n/shared nfs4 srv:/x 7_b\n/shared/deep nfs4 srv:/y 8_c\nodd")


@pytest.mark.parametrize(
    ("path", "point"),
    [
        ("/shared", "/shared"),
        ("/shared/hpcampus", "/shared"),
        ("/shared/deep/er", "/shared/deep"),
        ("/sharedness", "/"),
        ("/", "/"),
    ],
)
def test_where_a_path_lies(path: str, point: str):
    found = mount_of(MOUNTS, path)
    assert found is not None
    assert found.point == point


def test_a_path_that_lies_nowhere():
    assert mount_of((), "/shared") is None


LOCAL = Mount("/", "ext4", "/dev/sda1", "2_a")
OTHER = Mount("/", "ext4", "/dev/sda1", "2_b")
NFS = Mount("/shared", "nfs4", "srv:/x", "7_b")


@pytest.mark.parametrize(
    ("login", "node", "level"),
    [
        ((LOCAL, NFS), (LOCAL, NFS), Level.OK),
        ((LOCAL, NFS), (OTHER,), Level.PROBLEM),
        ((LOCAL,), (OTHER,), Level.PROBLEM),
        ((LOCAL, NFS), (OTHER, Mount("/shared", "nfs4", "srv:/x", "")), Level.NOTE),
        ((LOCAL, NFS), (OTHER, Mount("/shared", "nfs4", "srv:/x", "7_c")), Level.NOTE),
        ((LOCAL, NFS), (OTHER, Mount("/shared", "nfs4", "srv:/y", "8_c")), Level.PROBLEM),
        ((LOCAL, NFS), (OTHER, Mount("/shared", "autofs", "auto", "")), Level.NOTE),
        ((LOCAL, NFS), (), Level.NOTE),
    ],
)
def test_a_directory_that_is_shared_or_not(login: tuple[Mount, ...], node: tuple[Mount, ...], level: Level):
    found = shared.shared_lines("/shared/hpcampus", {"login": login, "c1": node})
    assert [line.level for line in found] == [level]


@pytest.mark.parametrize(
    ("offsets", "levels"),
    [
        ({}, []),
        ({"a": 0.2, "b": -0.4}, []),
        ({"a": 0.0, "b": 60.0, "c": 1.0}, [Level.PROBLEM]),
        ({"a": 60.0, "b": 61.0}, [Level.NOTE]),
        ({"a": 0.0, "b": -9.0}, [Level.PROBLEM, Level.NOTE]),
    ],
)
def test_clocks(offsets: dict[str, float], levels: list[Level]):
    assert [line.level for line in clocks.clocks(offsets)] == levels


CLUSTER = Cluster("login", "login", ("c1", "c2"), "admin", "/k")


def test_a_real_cluster():
    seen = {name: Seen(parse_host(sample(f"host_{name}")), 0.1, complete=True) for name in ("login", "c1", "c2")}
    found = nodes.examine(CLUSTER, seen, {})
    assert found.problems == ()
    assert "c1, c2: 2 x CPU, 24 GB." in texts(found, Level.OK)
    assert found.proposals == {"apptainer": "present", "shared_dir": "/shared/hpcampus"}
    assert [option.value for option in found.options["shared_dir"]] == ["/shared/hpcampus"]
    assert found.facts["cpus"] == 2
    assert set(found.facts["nodes"]) == {"login", "c1", "c2"}


def test_a_cluster_that_does_not_answer():
    found = nodes.examine(CLUSTER, {}, {name: f"{name} does not answer" for name in CLUSTER.hosts})
    assert texts(found) == ["login does not answer", "c1 does not answer", "c2 does not answer"]
    assert (found.proposals, found.facts) == ({}, {"nodes": {}})


def test_nodes_of_different_size_and_system():
    def seen(**changes: str) -> Seen:
        return Seen(parse_host(parse_sections(marked({**GOOD, **changes}))), 0.0, complete=True)

    gpu = "NVIDIA A100\nNVIDIA A100"
    found = nodes.examine(
        Cluster("ctl", "login", ("c1", "c2"), "admin", "/k"),
        {
            "ctl": seen(release='PRETTY_NAME="Rocky 9"\nID=rocky', versions="slurm slurm 23.11.4"),
            "login": seen(root="no"),
            "c1": seen(gpus=gpu),
            "c2": seen(
                size="cpus 4\nmemory_kb 16000000",
                root="password",
                programs="apt-get /usr/bin/apt-get",
                candidate="apptainer:\n  Candidate: 1.4.5-2",
            ),
        },
        {},
    )
    assert texts(found) == [
        "ctl: Rocky 9 is not Debian 12 or 13, which the platform is made for.",
        "login: the account may not become root. Log in as root, or install sudo there.",
    ]
    assert "c1: 8 x CPU, 31 GB, 2 x NVIDIA A100." in texts(found, Level.OK)
    assert any("Slurm 23.11.4 is there and not of this platform" in text for text in texts(found, Level.NOTE))
    assert (found.facts["cpus"], found.facts["memory_mb"]) == (4, 15625)
    assert found.proposals == {"apptainer": "distribution"}


def test_many_nodes():
    cluster = Cluster("ctl", "login", tuple(f"c{number}" for number in range(40)), "admin", "/k")
    assert len(cluster.hosts) == 18
    assert any("24 more nodes" in line.text for line in nodes.examine(cluster, {}, {}).lines)


@given(
    st.dictionaries(
        st.sampled_from([*GOOD, "mounts", "ufw", "nft", "gpus", "hubs"]),
        st.one_of(st.text(max_size=60), st.sampled_from(list(GOOD.values()))),
    )
)
def test_garbage(given: dict[str, str]):
    sections = parse_sections(marked(given))
    found = server.examine("hub", sections, [], propose=True)
    assert set(found.proposals.values()) <= {"present", "deb", "distribution"}
    host = parse_host(sections)
    assert host.root is None or host.root in Root
    nodes.examine(CLUSTER, {"login": Seen(host, 0.0, complete=True), "c1": Seen(host, None, complete=False)}, {})
    assert propose_apptainer([host]) in {"present", "deb", "distribution"}


def test_the_script_runs_here():
    with socket.create_server(("127.0.0.1", 0)), Prober() as prober:
        prober.look({"profile": "single", "hub_connection": "local"})
        found = prober.finding("machine", wait=40)
    assert found is not None
    assert "before the look was over" not in " ".join(texts(found))
    assert found.facts["cpus"] >= 1
    assert found.facts["memory_mb"] > 100
    assert found.proposals["apptainer"] in {"present", "deb", "distribution"}


def test_the_script_over_connections(ssh_program: Path, tmp_path: Path):
    known = {
        "profile": "own-cluster", "hub_name": "hub", "hub_connection": "ssh", "ssh_user": "admin", "controller": "ctl", "login": "ctl",
        "compute": ["c1", "c2"], "shared_dir": "/shared/hpcampus", "known_hosts": tmp_path / "k",
    }  # fmt: skip
    (tmp_path / "k").write_text("elsewhere ssh-ed25519 AAAA\n")
    with Prober() as prober:
        for unmet in ({**known, "known_hosts": None}, {**known, "known_hosts": tmp_path / "none"}, known):
            prober.look(unmet)
            assert prober.running() in {(), ("name",)}
        (tmp_path / "k").write_text("".join(f"{host} ssh-ed25519 AAAA\n" for host in ("hub", "ctl", "c1", "c2")))
        prober.look(known)
        found, hub, shared = (prober.finding(name, wait=60) for name in ("nodes", "hub", "shared"))
        # One more host is met: nothing that was found is of less worth for that.
        (tmp_path / "k").write_text((tmp_path / "k").read_text() + "other ssh-ed25519 AAAA\n")
        prober.look(known)
        assert prober.running() == ()
    assert found is not None
    assert hub is not None
    assert shared is not None
    assert [line.level for line in shared.lines] == [Level.OK]
    # All of them are this machine.
    assert set(found.facts["nodes"]) == {"ctl", "c1", "c2"}
    assert not any("did not" in line.text or "ssh" in line.text for line in (*found.problems, *hub.problems))
    assert hub.proposals == {}
    assert found.proposals["apptainer"] in {"present", "deb", "distribution"}
    assert ssh_program.exists()


@pytest.mark.parametrize(
    ("login", "node", "paths"),
    [
        ((LOCAL, NFS), (OTHER, NFS), ["/shared/hpcampus"]),
        ((LOCAL,), (OTHER,), []),
        ((LOCAL,), (LOCAL,), []),
        ((NFS,), (Mount("/shared", "nfs4", "srv:/x", "7_c"),), []),
        ((Mount("/var/lib/x", "nfs4", "s:/x", "1_a"),) * 2, (Mount("/var/lib/x", "nfs4", "s:/x", "1_a"),), []),
        ((Mount("/a b", "nfs4", "s:/x", "1_a"),), (Mount("/a b", "nfs4", "s:/x", "1_a"),), []),
    ],
)
def test_directories_on_what_all_share(login: tuple[Mount, ...], node: tuple[Mount, ...], paths: list[str]):
    assert shared.common_mounts([login, node]) == paths


def test_the_best_of_what_all_share():
    points = ("/home", "/data", "/srv", "/opt/x", "/cluster")
    mounts = [Mount(point, "nfs4" if point != "/cluster" else "ext4", "s:/x", point) for point in points]
    assert shared.common_mounts([mounts, mounts]) == [
        "/srv/hpcampus",
        "/data/hpcampus",
        "/cluster/hpcampus",
        "/opt/x/hpcampus",
        "/home/hpcampus",
    ]
    assert shared.common_mounts([]) == []


def test_apptainer_is_wanted_on_the_login_node_too():
    without = Seen(
        parse_host(parse_sections(marked({**GOOD, "programs": "apt-get /usr/bin/apt-get"}))), 0.0, complete=True
    )
    there = Seen(parse_host(parse_sections(marked(GOOD))), 0.0, complete=True)
    cluster = Cluster("ctl", "login", ("c1",), "admin", "/k")
    for ctl, login, source in ((without, there, "present"), (there, without, "deb")):
        found = nodes.examine(cluster, {"ctl": ctl, "login": login, "c1": there}, {})
        assert found.proposals["apptainer"] == source


def test_a_command_ends_at_once_while_hosts_hang(tmp_path: Path):
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\necho $$ >> {tmp_path}/pids\nexec sleep 60\n")
    program.chmod(0o755)
    (tmp_path / "k").write_text("".join(f"c{number} ssh-ed25519 AAAA\n" for number in range(20)))
    known = {
        "profile": "own-cluster",
        "ssh_user": "a",
        "controller": "c0",
        "login": "c0",
        "known_hosts": str(tmp_path / "k"),
    }
    known["compute"] = [f"c{number}" for number in range(1, 20)]  # type: ignore[assignment]
    text = f"""
import pathlib, time
from hpcampus.probes import Prober
with Prober() as prober:
    prober.look({known!r})
    while not pathlib.Path({str(tmp_path / "pids")!r}).exists():
        time.sleep(0.01)
    assert prober.finding("nodes", wait=0.3) is None
"""
    began = time.monotonic()
    environment = {"PATH": f"{program.parent}:/usr/bin:/bin", "PYTHONPATH": str(ROOT / "wizard")}
    done = subprocess.run(
        [sys.executable, "-c", text], env=environment, capture_output=True, text=True, timeout=50, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert time.monotonic() - began < 30
    pids = (tmp_path / "pids").read_text().split()
    while any(Path(f"/proc/{pid}/exe").exists() for pid in pids) and time.monotonic() - began < 50:
        time.sleep(0.05)
    assert [pid for pid in pids if Path(f"/proc/{pid}/exe").exists()] == []
