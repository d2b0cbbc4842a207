# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fixtures of the tests that look at running test hosts."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest

from hpcampus.lab.places import lab_dir

Rows = list[dict[str, str]]


@pytest.fixture(scope="session")
def proof_dir() -> Path:
    """Directory into which the scenario's plays wrote what they saw."""
    return Path(os.environ["HPCAMPUS_PROOF_DIR"])


@pytest.fixture(scope="session")
def read_proof(proof_dir: Path) -> Any:
    """Read one of the files that the scenario's plays wrote."""

    def read(name: str) -> Any:
        return json.loads((proof_dir / f"{name}.json").read_text(encoding="utf-8"))

    return read


@pytest.fixture(scope="session")
def settings() -> dict[str, Any]:
    """Settings that the lab found on this machine."""
    path = lab_dir(os.environ["HPCAMPUS_LAB"].replace("_", "-")) / "settings.json"
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return data
