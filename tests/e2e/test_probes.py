# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The probes of the wizard on the hosts of the demo, over real ssh with pinned keys."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from hpcampus.probes import Finding, Level, Prober

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

USER = "admin"


@pytest.fixture
def pinned(platform: Platform, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have ssh find the hosts of the lab by their names, as if they stood in the DNS; give the pinned keys."""
    program = tmp_path / "bin" / "ssh"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec /usr/bin/ssh -F {platform.lab.directory}/ssh_config "$@"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    keys = tmp_path / "known hosts"
    keys.write_text((platform.lab.directory / "known_hosts").read_text())
    return keys


def look(probe: str, **known: Any) -> Finding:
    with Prober() as prober:
        prober.look(known)
        finding = prober.finding(probe, wait=60)
    assert finding is not None
    return finding


def files(platform: Platform, host: str) -> str:
    """List everything that the account has there, with its times."""
    return platform.on(host, "find", "/", "-xdev", "-user", USER, "-printf", "%p %T@ %m %s\n")


def centre(pinned: Path, account: str = USER) -> Finding:
    return look("centre", profile="remote-centre", centre_login="login", centre_account=account, known_hosts=pinned)


def cluster(pinned: Path, **changes: Any) -> dict[str, Any]:
    return {
        "profile": "own-cluster",
        "hub_name": "campus",
        "hub_connection": "ssh",
        "controller": "login",
        "login": "login",
        "compute": ["c1", "c2"],
        "ssh_user": USER,
        "known_hosts": pinned,
        "shared_dir": "/shared/hpcampus",
        **changes,
    }


def test_a_centre(platform: Platform, pinned: Path):
    before = files(platform, "login")
    began = time.monotonic()
    found = centre(pinned)
    assert time.monotonic() - began < 20
    assert found.problems == ()
    assert found.proposals["centre_partition"] == "jupyter"
    assert found.proposals["centre_apptainer"] == "/usr/bin/apptainer"
    assert found.proposals["centre_python"] == "/usr/bin/python3"
    assert found.proposals["centre_base_dir"] == f"/home/{USER}/hpcampus"
    assert found.options["centre_partition"][0].text.startswith("jupyter (default, up, 2 nodes, at most 12 h")
    version = platform.on("login", "sinfo", "--version").split()[-1]
    assert found.facts["slurm_version"] == version
    assert files(platform, "login") == before


def test_a_centre_whose_partition_is_down(platform: Platform, pinned: Path):
    platform.on("login", "scontrol", "update", "partitionname=jupyter", "state=down")
    try:
        found = centre(pinned)
    finally:
        platform.on("login", "scontrol", "update", "partitionname=jupyter", "state=up")
    assert "centre_partition" not in found.proposals
    assert "No partition is up" in found.problems[0].text


def test_a_centre_that_greets_and_has_modules(platform: Platform, pinned: Path):
    profile = "/etc/profile.d/probe-test.sh"
    platform.on(
        "login",
        "sh",
        "-c",
        f"cat > {profile}; echo 'echo Good morning' > /home/{USER}/.bashrc; mkdir -p /shared/p123; chown {USER} /shared/p123",
        stdin="echo Welcome\nexport WORK=/shared/p123\n",
    )
    try:
        found = centre(pinned)
    finally:
        platform.on("login", "rm", "-rf", profile, f"/home/{USER}/.bashrc", "/shared/p123")
    assert found.problems == ()
    assert found.proposals["centre_base_dir"] == "/shared/p123/hpcampus"


def test_an_account_without_a_key(pinned: Path):
    found = centre(pinned, "nobody")
    assert [line.level for line in found.lines] == [Level.PROBLEM]
    assert "lets nobody in with none of your keys" in found.lines[0].text


def test_a_host_that_shows_another_key(pinned: Path):
    lines = {line.split()[0]: line for line in pinned.read_text().splitlines()}
    pinned.write_text(lines["c1"].replace("c1 ", "login ", 1) + "\n")
    found = centre(pinned)
    assert [line.level for line in found.lines] == [Level.PROBLEM]
    assert "shows another host key" in found.lines[0].text
    assert found.proposals == {}


def test_a_cluster(pinned: Path):
    known = cluster(pinned)
    with Prober() as prober:
        prober.look(known)
        nodes, shared, hub = (prober.finding(name, wait=60) for name in ("nodes", "shared", "hub"))
        assert prober.proposals()["apptainer"] == "present"
    assert nodes is not None
    assert shared is not None
    assert hub is not None
    assert (nodes.problems, shared.problems, hub.problems) == ((), (), ())
    assert nodes.proposals == {"apptainer": "present", "shared_dir": "/shared/hpcampus"}
    assert set(nodes.facts["nodes"]) == {"login", "c1", "c2"}
    assert nodes.facts["memory_mb"] > 1000
    assert any("Slurm" in line.text and "of this platform" in line.text for line in nodes.lines)
    assert [line.level for line in shared.lines] == [Level.OK]
    assert any("installed there already" in line.text for line in hub.lines)


def test_a_directory_that_is_not_shared(pinned: Path):
    found = look("shared", **cluster(pinned, shared_dir="/srv/hpcampus"))
    assert [line.level for line in found.lines] == [Level.PROBLEM]
    assert "/srv/hpcampus is not on one file system" in found.lines[0].text


def test_a_node_that_is_not_there(pinned: Path):
    key = pinned.read_text().splitlines()[0].split(maxsplit=1)[1]
    pinned.write_text(f"{pinned.read_text()}127.0.0.2 {key}\n")
    found = look("nodes", **cluster(pinned, compute=["c1", "127.0.0.2"]))
    assert len(found.problems) == 1
    assert "127.0.0.2" in found.problems[0].text
    assert set(found.facts["nodes"]) == {"login", "c1"}
