# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The rounds of this run; what they showed is written to artifacts/failures.md."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.e2e.conftest import ROOT, find_platform
from tests.failures.rounds import Rounds

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture(scope="session")
def rounds(request: pytest.FixtureRequest) -> Iterator[Rounds]:
    """Give the rounds with the cases that were selected."""
    parametrized = [item.callspec.params for item in request.session.items if hasattr(item, "callspec")]
    selected = [params["case"] for params in parametrized if "case" in params]
    made = Rounds(find_platform(), selected)
    yield made
    made.write(ROOT / "artifacts" / "failures.md")
