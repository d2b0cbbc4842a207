# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The sshd of a job, with the sshd of a compute node: what the hub's key gets, and what it does not."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from tests.testinfra.reach import hosts
from tests.unit.gateway import door_attempts

testinfra_hosts = hosts("slurm_compute")[:1]
NAMES = ["left alone", *(f"{way}: {name}" for way in ("port", "step") for name in door_attempts.ATTEMPTS)]


@pytest.fixture(scope="module")
def outcome(host) -> dict[str, str]:
    """All attempts, run once on the node."""
    script = Path(door_attempts.__file__).read_text(encoding="utf-8")
    said = host.check_output(f"python3 -c {shlex.quote(script)} /shared/hpcampus/lib hpcampus")
    result: dict[str, str] = json.loads(said.splitlines()[-1])
    return result


@pytest.mark.parametrize("name", NAMES)
def test_the_door(outcome: dict[str, str], name: str):
    assert outcome[name] == ""
