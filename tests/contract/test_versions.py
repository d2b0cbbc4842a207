# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One version, one Python, locks that belong to what they lock."""

from __future__ import annotations

import re
import tomllib

import pytest

import hpcampus
from tests.contract.checkout import ROOT, load, tracked
from tools.lock import PYTHON_LOCKS

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
LOCKS = sorted(name.removesuffix(".in") for name in tracked() if name.endswith(".in"))


def _pins(name: str) -> dict[str, str]:
    return dict(
        re.findall(r"^([A-Za-z0-9_.-]+)(?:\[[^\]]*\])?==([^\s;\\]+)", (ROOT / f"{name}.txt").read_text(), re.MULTILINE)
    )


def _same(package: str) -> str:
    return re.sub(r"[-_.]+", "-", package).lower()


def test_one_version():
    assert load("galaxy.yml")["version"] == PROJECT["version"] == hpcampus.__version__


def test_make_lock_renews_every_lock():
    assert sorted(PYTHON_LOCKS) == LOCKS


@pytest.mark.parametrize("name", LOCKS)
def test_every_locked_package_has_a_hash(name: str):
    entries = re.split(r"\n(?=[A-Za-z0-9])", (ROOT / f"{name}.txt").read_text())[1:]
    assert entries
    assert [entry.split("\n")[0] for entry in entries if "--hash=sha256:" not in entry or "==" not in entry] == []


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_holds_what_is_wanted(name: str):
    wanted = re.findall(r"^([A-Za-z0-9][A-Za-z0-9_.-]*)", (ROOT / f"{name}.in").read_text(), re.MULTILINE)
    locked = {_same(pin) for pin in _pins(name)}
    assert [package for package in wanted if _same(package) not in locked] == []


def test_tests_run_with_what_the_controller_has():
    controller, dev = _pins("requirements/controller"), _pins("requirements/dev")
    assert {name: dev.get(name) for name in controller} == controller


def test_the_hub_is_tested_with_what_the_hub_runs():
    dev, hub = _pins("requirements/dev"), _pins("roles/jupyterhub/files/lock/hub")
    shared = {
        "jupyterhub",
        "asyncssh",
        "jupyterhub-nativeauthenticator",
        "jupyterhub-idle-culler",
        "tornado",
    } & hub.keys()
    assert {name: dev[name] for name in shared} == {name: hub[name] for name in shared}


def test_the_command_needs_what_the_controller_has():
    controller = {_same(name) for name in _pins("requirements/controller")}
    names = [re.split(r"[<>=]", requirement)[0] for requirement in PROJECT["dependencies"]]
    assert [name for name in names if _same(name) not in controller] == []
    assert load("meta/runtime.yml")["requires_ansible"].startswith(">=2.19")
