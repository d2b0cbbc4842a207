# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every refusal of the tunnel, tried from another host; one scenario has Debian 12's sshd, another Debian 13's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.testinfra.reach import hosts, lab, names
from tests.unit.tunnel import refusals
from tests.unit.tunnel.ssh_attempts import Result, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from testinfra.host import Host

testinfra_hosts = hosts("hub")


def _runner(name: str) -> Run:
    """Run commands beside ssh: testinfra takes ssh's own exit status 255, which a refusal ends with, for a broken connection."""

    def run(argv: Sequence[str]) -> Result:
        done = lab().exec(name, argv)
        return Result(done.returncode, done.stdout + done.stderr)

    return run


@pytest.fixture(scope="module")
def kit(host: Host) -> Iterator[refusals.Kit]:
    """Certificates of a job, on a host that knows the hub's key."""
    name = host.check_output("hostname")
    kit = refusals.prepare(_runner(name), _runner(names("slurm_compute")[0]), hub=name)
    yield kit
    refusals.clean(kit)


@pytest.mark.parametrize("attempt", refusals.ATTEMPTS, ids=str)
def test_attempt(kit: refusals.Kit, attempt: refusals.Attempt):
    outcome = refusals.run(attempt, kit)
    assert outcome.as_expected, outcome.story


def test_taking_the_registration_away_ends_the_session(kit: refusals.Kit):
    assert refusals.revocation_ends_session(kit)


def test_the_list_of_refusals_is_not_empty():
    allowed = [attempt for attempt in refusals.ATTEMPTS if not attempt.refusal]
    assert allowed
    assert len(refusals.ATTEMPTS) - len(allowed) >= 15
