# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The list of refusals judges as it should: an attempt that fails for another reason proves nothing."""

import pytest

from tests.unit.tunnel import refusals
from tests.unit.tunnel.refusals import ATTEMPTS, Attempt, Outcome
from tests.unit.tunnel.ssh_attempts import Result

ALLOWED = [attempt for attempt in ATTEMPTS if not attempt.refusal]
REFUSED = [attempt for attempt in ATTEMPTS if attempt.refusal]


def test_names_are_unique_and_both_kinds_are_there() -> None:
    assert len({attempt.name for attempt in ATTEMPTS}) == len(ATTEMPTS)
    assert len(ALLOWED) == 2
    assert len(REFUSED) >= 28


@pytest.mark.parametrize("attempt", REFUSED, ids=str)
@pytest.mark.parametrize(
    "result",
    [
        Result(refusals.TIMED_OUT, ""),
        Result(0, ""),
        Result(255, "ssh: connect to host hub port 22: Connection refused"),
        Result(255, "Host key verification failed."),
        Result(255, "kex_exchange_identification: read: Connection reset by peer"),
    ],
    ids=lambda result: str(result.status),
)
def test_success_and_other_failures_are_no_refusal(attempt: Attempt, result: Result) -> None:
    its_own = "Host key" in result.text and attempt.known_hosts != Attempt.known_hosts
    assert Outcome(attempt, result).as_expected == its_own


@pytest.mark.parametrize("attempt", ALLOWED, ids=str)
@pytest.mark.parametrize(
    "text",
    [
        "channel 0: open failed: administratively prohibited: open failed",
        "tunnel@hub: Permission denied (publickey).",
        "ssh: connect to host hub port 22: Connection refused",
        "Error: remote port forwarding failed for listen port 20017",
    ],
)
def test_a_failure_is_not_taken_for_permission(attempt: Attempt, text: str) -> None:
    outcome = Outcome(attempt, Result(255, text))
    assert not outcome.as_expected
    assert attempt.name in outcome.story


def test_command_lines_pin_the_host_key() -> None:
    for attempt in ATTEMPTS:
        argv = refusals.ssh_argv(attempt, "hub")
        assert "StrictHostKeyChecking=yes" in argv
        assert f"{attempt.user}@hub" in argv
    assert refusals.ssh_argv(next(a for a in ATTEMPTS if a.name == "a command"), "hub")[-2:] == ["tunnel@hub", "id"]
