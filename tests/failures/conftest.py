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
    selected = [item.callspec.params["case"] for item in request.session.items if hasattr(item, "callspec")]
    made = Rounds(find_platform(), selected)
    yield made
    made.write(ROOT / "artifacts" / "failures.md")
