# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The image's own module, taken from where the recipe takes it."""

from __future__ import annotations

import importlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

SOURCE = Path(__file__).resolve().parents[3] / "roles" / "images" / "files" / "nbgrader"


@pytest.fixture(scope="session")
def load() -> Iterator[Callable[[str], ModuleType]]:
    """Import a part of `hpcampus_nbgrader`, which is on the path for these tests only."""
    sys.path.insert(0, str(SOURCE))
    yield lambda name: importlib.import_module(f"hpcampus_nbgrader.{name}")
    sys.path.remove(str(SOURCE))


@pytest.fixture(scope="session")
def settings(load: Callable[[str], ModuleType]) -> ModuleType:
    """The reading of the environment."""
    return load("settings")


@pytest.fixture(scope="session")
def inbox(load: Callable[[str], ModuleType]) -> ModuleType:
    """The reading of the inbound directory."""
    return load("inbox")


@pytest.fixture(scope="session")
def pages(load: Callable[[str], ModuleType]) -> ModuleType:
    """The page configuration."""
    return load("pages")
