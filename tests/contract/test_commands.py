# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands that the pages tell people to use exist."""

from __future__ import annotations

import re

from tests.contract.checkout import ROOT, load, text, tracked
from tools.run_tests import INSTALLS, SCENARIOS

MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^([a-z0-9-]+):", MAKEFILE, re.MULTILINE))


def test_pages_name_targets_that_exist():
    found = {}
    for name in tracked():
        if name.endswith(".md"):
            found[name] = (
                set(re.findall(r"`?make ([a-z][a-z0-9-]+)\b(?=[^\n]*[`#]|\n)", _code(text(name) or ""))) - TARGETS
            )
    assert {name: missing for name, missing in found.items() if missing} == {}


def _code(page: str) -> str:
    """Return what stands in code on a page."""
    blocks = re.findall(r"```.*?```", page, re.DOTALL)
    return "\n".join([*blocks, *re.findall(r"`make [^`]+`", page)])


def test_every_target_is_explained_or_private():
    explained = set(re.findall(r"^([a-z0-9-]+):.*## ", MAKEFILE, re.MULTILINE))
    assert TARGETS - explained == {"controller"}


def test_every_scenario_runs_and_stands_in_the_table_of_proof():
    scenarios = {path.parent.name for path in ROOT.glob("molecule/*/molecule.yml")}
    assert scenarios == set(SCENARIOS)
    table = (ROOT / "molecule/README.md").read_text()
    assert {name for name in scenarios if f"| `{name}` |" not in table} == set()


def test_every_install_runs():
    files = {path.stem.removeprefix("test_") for path in ROOT.glob("tests/install/test_*.py")}
    assert {name.replace("-", "_") for name in INSTALLS} == files


def test_scenarios_keep_the_order_of_proof():
    order = load(".config/molecule/config.yml")["scenario"]["test_sequence"]
    steps = [step.split()[0] for step in order if not step.startswith("side_effect")]
    assert steps == ["destroy", "create", "prepare", "check", "converge", "idempotence", "verify", "destroy"]
    for path in ROOT.glob("molecule/*/molecule.yml"):
        assert "test_sequence" not in path.read_text(), path


def test_ci_runs_all_tests():
    assert "make test" in (ROOT / ".ci/run").read_text()
    assert (ROOT / ".ci/run").stat().st_mode & 0o111
