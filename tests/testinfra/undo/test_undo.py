# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands of docs/undo.md, run as they stand there on a server that is everything. It comes last: nothing works afterwards."""

from __future__ import annotations

import re

import pytest

from tests.testinfra.reach import hosts
from tests.testinfra.undo.page import blocks

testinfra_hosts = hosts("hub")
# What the page says is left.
KEPT = (
    "/etc/hpcampus",
    "/etc/jupyterhub",
    "/etc/apache2/hpcampus.d",
    "/etc/apache2/hpcampus-api.d",
    "/home",
    "/srv/hpcampus",
    "/var/lib/hpcampus-course-sync",
    "/var/lib/hpcampus-courses",
    "/var/lib/jupyterhub",
    "/var/lib/slurm",
    "/var/log",
    # Debian's own bookkeeping of accounts and of sites that were on.
    "/etc/subuid",
    "/etc/subgid",
    "/var/lib/apache2",
    # The lab keeps packages and images there, mounted from outside.
    "/var/cache/hpcampus",
    "/proc",
    "/sys",
)


@pytest.fixture(scope="module")
def undone(host) -> str:
    """Run the page on the server, and return what it said."""
    # The lab lends its store of images to all hosts; it is no part of this one.
    assert host.run("umount /var/cache/hpcampus/images").rc == 0
    script = "exec 2>&1\n" + blocks("Hub") + blocks("Slurm hosts")
    done = host.run("sh -c %s", script)
    return str(done.stdout + done.stderr)


def test_every_command_exists_and_is_understood(undone: str):
    wrong = [
        line for line in undone.splitlines() if re.search(r"not found|[Uu]sage:|unrecognized|invalid option", line)
    ]
    assert wrong == []


def test_nothing_of_it_runs(host, undone: str):
    assert host.user("tunnel").exists is False, undone
    states = "--state=active,activating,failed"
    running = host.check_output(f"systemctl list-units --all --plain --no-legend --type=service,socket,timer {states}")
    assert not re.findall(r"^(\S*(?:hpcampus|jupyterhub|slurm|munge)\S*)", running, re.MULTILINE)
    listening = host.check_output("ss --no-header --listening --numeric --tcp")
    # Apache's module ssl stays on, as the page says, and with it its port; Debian's PostgreSQL listens to the host itself.
    addresses = {line.split()[3] for line in listening.splitlines()} - {"127.0.0.1:5432", "[::1]:5432"}
    assert {address.rpartition(":")[2] for address in addresses} <= {"22", "80", "443"}


def test_only_what_the_page_names_is_left(host, undone: str):
    found = host.run(r"find / -xdev \( -iname '*hpcampus*' -o -iname '*jupyterhub*' \)")
    left = [path for path in found.stdout.splitlines() if not path.startswith(KEPT)]
    assert left == [], f"{left}\n{undone}"


def test_what_people_made_is_kept(host, undone: str):
    for path in (
        "/var/lib/jupyterhub/jupyterhub.sqlite",
        "/etc/hpcampus/tunnel-ca/key",
        "/srv/hpcampus/users",
        "/srv/hpcampus/courses",
    ):
        assert host.file(path).exists, f"{path}\n{undone}"
    assert host.user("hpcampus").exists
    assert host.user("jupyterhub").exists


def test_the_server_itself_is_well(host, undone: str):
    assert host.run("sshd -t").rc == 0, undone
    assert host.run("apachectl configtest").rc == 0
    assert host.service("apache2").is_running
