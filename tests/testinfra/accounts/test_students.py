# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's logins as students, tried against Debian 12's and Debian 13's sshd: what is allowed, and every refusal."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.testinfra.reach import hosts, lab
from tests.unit.tunnel import account_refusals
from tests.unit.tunnel.ssh_attempts import SIGNER_GROUP, SIGNER_USER, Result, Run

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from testinfra.host import Host

testinfra_hosts = hosts("slurm_login")


def _runner(name: str) -> Run:
    """Run commands beside ssh: testinfra takes ssh's own exit status 255, which a refusal ends with, for a broken connection."""

    def run(argv: Sequence[str]) -> Result:
        done = lab().exec(name, argv)
        return Result(done.returncode, done.stdout + done.stderr)

    return run


@pytest.fixture(scope="module")
def kit(host: Host) -> Iterator[account_refusals.Kit]:
    """Certificates of students, and a login node that knows them."""
    name = host.check_output("hostname")
    kit = account_refusals.prepare(_runner("campus"), _runner(name), _runner("node"), login=name)
    yield kit
    account_refusals.clean(kit)


@pytest.mark.parametrize("attempt", account_refusals.ATTEMPTS, ids=str)
def test_attempt(kit: account_refusals.Kit, attempt: account_refusals.Attempt):
    outcome = account_refusals.run(attempt, kit)
    assert outcome.as_expected, outcome.story


def test_the_gateway_made_directories_for_the_student_alone(kit: account_refusals.Kit):
    folder = "/home/alice/hpcampus"
    expected = [f"700 alice {folder}", *(f"700 alice {folder}/{name}" for name in ("jobs", "log", "spawns", "users"))]
    assert account_refusals.own_directories(kit).splitlines() == expected


@pytest.mark.parametrize("account", account_refusals.NOT_SIGNED)
def test_the_signer_refuses(account: object):
    answer = account_refusals.ask_signer(_runner("campus"), {"account": account, "pubkey": "ssh-ed25519 " + "A" * 68})
    assert account_refusals.NO_ACCOUNT in answer["error"]


def test_the_hub_cannot_read_the_authoritys_key():
    argv = ["setpriv", "--reuid", SIGNER_USER, "--regid", SIGNER_GROUP, "--clear-groups"]
    done = _runner("campus")([*argv, "cat", account_refusals.CA_KEY])
    assert done.status != 0
    assert "Permission denied" in done.text
