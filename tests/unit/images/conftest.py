# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The image's own module, taken from where the recipe takes it."""

from __future__ import annotations

import functools
import importlib
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import nbgrader.api
import pytest

from .classroom import Class, served

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

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
def pages(load: Callable[[str], ModuleType]) -> ModuleType:
    """The page configuration."""
    return load("pages")


@pytest.fixture(scope="session", autouse=True)
def _one_version_of_gradebooks() -> Iterator[None]:
    """A new gradebook asks a program for the version of its tables; here it answers once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(nbgrader.api, "get_alembic_version", functools.cache(nbgrader.api.get_alembic_version))
        yield


@pytest.fixture
def class_(load: Callable[[str], ModuleType], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Class]:
    """A course, its students and the course service, with nbgrader as the image has it."""
    load("exchange")
    with served(tmp_path) as service:
        yield Class(service, tmp_path, monkeypatch)


@pytest.fixture
def runtime() -> Iterator[Path]:
    """A runtime directory whose path is as short as that of a socket must be."""
    with tempfile.TemporaryDirectory(prefix="hpcampus-") as path:
        yield Path(path, "runtime")


@pytest.fixture
def kernels(load: Callable[[str], ModuleType], runtime: Path) -> Iterator[ModuleType]:
    """What settles the kernels' sockets, with a runtime directory of the test's own; a real kernel runs in the image's check."""
    contents: dict[str, dict[str, Any]] = {
        "zmq": {},
        "jupyter_client": {},
        "jupyter_client.provisioning": {},
        "jupyter_client.provisioning.local_provisioner": {"LocalProvisioner": object},
        "jupyter_core": {},
        "jupyter_core.paths": {"jupyter_runtime_dir": lambda: str(runtime)},
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, content in contents.items():
            module = ModuleType(name)
            vars(module).update(content)
            patch.setitem(sys.modules, name, module)
        patch.delitem(sys.modules, "hpcampus_nbgrader.kernels", raising=False)
        yield load("kernels")
