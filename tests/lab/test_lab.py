# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A lab on this machine: stopped half way, brought up again, used, and taken down without touching another one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from hpcampus.lab import Host, Lab, LabError
from hpcampus.lab.machine import read_machine
from hpcampus.lab.places import cache_dir, lab_dir
from hpcampus.lab.podman import Podman

if TYPE_CHECKING:
    from collections.abc import Iterator

ONE, OTHER = "selftest-one", "selftest-other"
HOSTS = [
    Host("a", image="debian-12", shared=True, groups=("x",), aliases=("a.example.org",)),
    Host("b", shared=True, groups=("x", "y")),
]


def quiet(_message: str, /) -> None:
    """Show no progress."""


def ssh(lab: str, host: str, *argv: str, options: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    command = ["ssh", "-F", str(lab_dir(lab) / "ssh_config"), *options, host, *argv]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)


def things(label: str) -> list[str]:
    """Return the containers, networks and volumes that carry the label of a lab."""
    podman = Podman(cache_dir() / "containers.conf" if read_machine().containers_conf else None)
    return [n for kind in ("container", "network", "volume") for n in podman.names(kind, f"hpcampus.lab={label}")]


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    """A lab whose first start was interrupted as soon as its first host was being created."""
    for name in (ONE, OTHER):
        Lab(name, HOSTS).down(quiet)
    argv = [sys.executable, "-m", "hpcampus.lab", "up", ONE, "--spec", "-"]
    spec = json.dumps(
        [{"name": h.name, "image": h.image, "shared": True, "groups": h.groups, "aliases": h.aliases} for h in HOSTS]
    )
    started = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert started.stdin is not None
    assert started.stdout is not None
    started.stdin.write(spec)
    started.stdin.close()
    for line in started.stdout:
        if "Create b" in line:
            started.send_signal(signal.SIGINT)
            break
    assert started.wait(timeout=60) == 130
    made = Lab(ONE, HOSTS)
    made.up(quiet)
    yield made
    made.down(quiet)


def test_it_goes_on_where_it_was_stopped(lab: Lab):
    assert [(status.name, status.state) for status in lab.status()] == [("a", "running"), ("b", "running")]


def test_bringing_it_up_again_keeps_the_hosts(lab: Lab):
    before = lab.exec("a", ["cat", "/proc/1/stat"]).stdout.split()[21]
    start = time.monotonic()
    lab.up(quiet)
    assert lab.exec("a", ["cat", "/proc/1/stat"]).stdout.split()[21] == before
    assert time.monotonic() - start < 30


def test_hosts_are_debian_with_systemd_and_no_failed_unit(lab: Lab):
    for host, codename in (("a", "bookworm"), ("b", "trixie")):
        assert f"VERSION_CODENAME={codename}" in lab.exec(host, ["cat", "/etc/os-release"]).stdout
        assert lab.exec(host, ["systemctl", "is-system-running"]).stdout.strip() == "running"
        assert lab.exec(host, ["stat", "--format", "%a", "/dev/fuse"]).stdout.strip() == "666"


def test_hosts_reach_each_other_by_name_and_share_a_file_system(lab: Lab):
    assert lab.exec("b", ["getent", "hosts", "a.example.org"]).returncode == 0
    lab.exec("a", ["sh", "-c", "echo seen > /shared/proof"])
    assert lab.exec("b", ["cat", "/shared/proof"]).stdout == "seen\n"


def test_ssh_knows_the_hosts_before_it_has_seen_them(lab: Lab):
    done = ssh(lab.spec.name, "a", "sudo", "-n", "id", "--user")
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr


def test_ssh_refuses_a_host_with_another_key(lab: Lab):
    options = ("-o", "ControlPath=none", "-o", "HostKeyAlias=b")
    done = ssh(lab.spec.name, "a", "true", options=options)
    assert done.returncode == 255
    assert "Host key verification failed" in done.stderr


def test_a_host_whose_processes_are_gone_without_podmans_knowledge_is_made_anew(lab: Lab):
    podman = Podman(cache_dir() / "containers.conf" if read_machine().containers_conf else None)
    state = podman.inspect(lab.spec.container("a"))["State"]
    for pid in (state["ConmonPid"], state["Pid"]):
        os.kill(pid, signal.SIGKILL)
    assert podman.inspect(lab.spec.container("a"))["State"]["Status"] == "running"
    lab.up(quiet)
    assert lab.exec("a", ["cat", "/etc/hostname"]).stdout.strip() == "a"


def test_an_unknown_host_and_lab_are_named(lab: Lab):
    with pytest.raises(LabError, match="no host c"):
        lab.exec("c", ["true"])
    with pytest.raises(LabError, match="no lab selftest-none"):
        Lab.saved("selftest-none")


def test_a_host_whose_description_changes_is_replaced_and_the_other_kept(lab: Lab):
    kept = lab.exec("a", ["cat", "/etc/machine-id"]).stdout
    gone = lab.exec("b", ["cat", "/etc/machine-id"]).stdout
    changed = Lab(ONE, [HOSTS[0], Host("b", shared=True, aliases=("b.example.org",))])
    said: list[str] = []
    changed.up(said.append)
    assert "Replace b: its description has changed" in said
    assert changed.exec("a", ["cat", "/etc/machine-id"]).stdout == kept
    assert changed.exec("b", ["cat", "/etc/machine-id"]).stdout != gone


def test_taking_one_down_leaves_the_other(lab: Lab):
    other = Lab(OTHER, [Host("a", shared=True)])
    other.up(quiet)
    before = things(ONE)
    assert len(before) == 4
    assert len(things(OTHER)) == 3
    other.down(quiet)
    assert things(OTHER) == []
    assert not lab_dir(OTHER).exists()
    assert things(ONE) == before
    assert lab.exec("a", ["true"]).returncode == 0
    # Once more: there is nothing to remove, and that is no error.
    other.down(quiet)
