# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every case of the table: it recovers in time, and nothing is left over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.failures import cluster, hub, login, notebook  # noqa: F401 (they enter their cases)
from tests.failures.stage import CASES, Case

if TYPE_CHECKING:
    from tests.failures.rounds import Rounds


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name.replace(" ", "-"))
def test_failure(rounds: Rounds, case: Case):
    outcome = rounds.outcome(case)
    if outcome.error is not None:
        raise outcome.error
    assert outcome.seen, "the case says nothing of what a student sees"
    assert outcome.seconds is not None
    assert outcome.seconds <= case.within
    assert outcome.left == []
