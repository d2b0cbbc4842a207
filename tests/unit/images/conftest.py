# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The image's own module, taken from where the recipe takes it."""

from __future__ import annotations

import importlib
import shutil
import sys
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest

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
def inbox(load: Callable[[str], ModuleType]) -> ModuleType:
    """The reading of the inbound directory."""
    return load("inbox")


@pytest.fixture(scope="session")
def pages(load: Callable[[str], ModuleType]) -> ModuleType:
    """The page configuration."""
    return load("pages")


class ExchangeError(Exception):
    """What nbgrader's `fail` raises."""


class StandInCollect:
    """What our Collect uses of nbgrader's, which is in the image only: one copy for each record, the first error ends it."""

    coursedir: Any
    log: Any
    src_records: list[dict[str, Any]]
    inbound_path: str
    update = True
    before_duedate = False

    def fail(self, message: str) -> None:
        raise ExchangeError(message)

    def get_size(self, root: str) -> int:
        return sum(path.stat().st_size for path in Path(root).rglob("*") if path.is_file())

    def copy_files(self) -> None:
        for record in self.src_records:
            target = Path(self.coursedir.submitted, record["username"], self.coursedir.assignment_id)
            target.parent.mkdir(parents=True, exist_ok=True)
            self.do_copy(str(Path(self.inbound_path, record["filename"])), str(target))

    def do_copy(self, src: str, dest: str, log: Any = None) -> None:
        """Copy a submission, as nbgrader does where a site has no class of its own."""
        del log
        shutil.copytree(src, dest)


def nothing(**_options: Any) -> Callable[[str, list[str]], list[str]]:
    """Stand in for nbgrader's `ignore_patterns` that ignores nothing."""
    return lambda _directory, _names: []


@pytest.fixture(scope="session")
def exchange(load: Callable[[str], ModuleType]) -> Iterator[ModuleType]:
    """The exchange classes on top of stand-ins for nbgrader's; the image's own check runs them on nbgrader itself."""
    kinds = ("FetchAssignment", "FetchFeedback", "ReleaseAssignment", "ReleaseFeedback", "Submit", "List")
    default: dict[str, Any] = {f"Exchange{kind}": type(kind, (), {}) for kind in kinds}
    missing = type("MissingEntry", (Exception,), {})
    contents: dict[str, dict[str, Any]] = {
        "nbgrader": {},
        "nbgrader.api": {"Gradebook": None, "MissingEntry": missing},
        "nbgrader.exchange.default": {**default, "ExchangeCollect": StandInCollect},
        "nbgrader.exchange": {"ExchangeError": ExchangeError},
        "nbgrader.utils": {"ignore_patterns": nothing},
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, content in contents.items():
            module = ModuleType(name)
            vars(module).update(content)
            patch.setitem(sys.modules, name, module)
        vars(sys.modules["nbgrader.exchange"])["default"] = sys.modules["nbgrader.exchange.default"]
        yield load("exchange")


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
