# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command of docs/undo.md for a centre, run as it stands there. It comes last: nothing runs at the centre afterwards."""

from __future__ import annotations

import re
import shlex
import time
from typing import Any

import pytest
import testinfra

from tests.testinfra.centre.test_centre import BASE, DOOR, HOME
from tests.testinfra.plays import run_playbook
from tests.testinfra.reach import hosts
from tests.testinfra.undo.page import blocks

testinfra_hosts = hosts("centre_login")
AS_HUB = "runuser --user=jupyterhub -- "
DATA = ("users", "images", "log")


def run_command() -> str:
    """Run the page's command with the inventory of this scenario; give what it said."""
    program, *words = shlex.split(blocks("At a centre"))
    assert (program, *words[:2]) == ("ansible-playbook", "-i", "inventory")
    return run_playbook(*words[2:])


@pytest.fixture(scope="module")
def undone(host: Any) -> str:
    """Undo what lies in the account, and return what was said."""
    for _ in range(60):  # the job by which the hub has looked for a way last may be ending
        if not host.check_output("squeue --noheader"):
            break
        time.sleep(1)
    assert host.check_output("squeue --noheader") == "", "a notebook runs"
    assert host.file(f"{BASE}/lib/gateway.py").exists
    return run_command()


def test_the_key_and_the_programs_are_gone_and_peoples_data_stay(host: Any, undone: str) -> None:
    lines = host.file(f"{HOME}/.ssh/authorized_keys").content_string.splitlines()
    assert [line.split()[0] for line in lines] == ["#", "ssh-ed25519"], undone
    left = set(host.check_output(f"ls {BASE}").split())
    assert left.isdisjoint({"lib", "etc"}), left
    assert left >= set(DATA), left
    assert host.check_output(f"find {BASE} -name '*.py' -path '{BASE}/lib/*' -o -name gateway.json") == ""


def test_the_hubs_key_opens_nothing(undone: str) -> None:
    hub = testinfra.get_host(hosts("hub")[0])
    refused = hub.run(f"{AS_HUB}{DOOR} probe < /dev/null || exit 1")
    assert refused.rc == 1, undone
    assert "Permission denied" in refused.stderr


def test_the_second_time_nothing_is_left_to_do(undone: str) -> None:
    assert "changed=0" not in next(line for line in undone.splitlines() if line.startswith("login "))
    recap = [line for line in run_command().splitlines() if re.match(r"(login|campus) +: ", line)]
    assert recap
    assert all("changed=0" in line for line in recap), recap
