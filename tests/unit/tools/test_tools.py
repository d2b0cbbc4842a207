# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The tools of the checkout: tables of variables, and a count of tests that cannot flatter."""

from __future__ import annotations

import sys
from pathlib import Path
from subprocess import CompletedProcess
from typing import TYPE_CHECKING, cast

import pytest

from tools import look, run_tests
from tools.role_readme import BEGIN, END, render, row
from tools.run_tests import Outcome, Part, count

if TYPE_CHECKING:
    from hpcampus.lab import Lab

ROOT = Path(__file__).parents[3]
SPECS = {
    "main": {
        "short_description": "Install it",
        "description": ["First line.", "Second line."],
        "options": {"x_port": {"type": "int", "default": 8000, "description": "The port."}},
    },
    "verify": {
        "short_description": "Prove it",
        "description": "Looks.",
        "options": {"x_port": {"type": "int", "default": 8000, "description": "The port."}},
    },
}
README = f"# x\n\n{BEGIN}\nold\n{END}\n\nPage goes on.\n"


def test_the_table_comes_between_the_markers():
    page = render(README, SPECS)
    assert "| `x_port` | int | `8000` | The port. |" in page
    assert "Takes `x_port` as `main` does." in page
    assert page.startswith("# x\n")
    assert page.endswith("Page goes on.\n")
    assert "old" not in page
    assert render(page, SPECS) == page


@pytest.mark.parametrize("page", ["", f"{BEGIN}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{BEGIN}\n{END}\n"])
def test_markers_must_be_there_once_and_in_order(page: str):
    with pytest.raises(ValueError, match="needs the lines"):
        render(page, SPECS)


def test_rows_of_lists_parts_and_choices():
    parts = {"name": {"type": "str", "required": True, "description": "Its name."}}
    option = {"type": "list", "elements": "dict", "required": True, "description": ["All\nof them."], "options": parts}
    assert row("x", option) == "| `x` | list of dict | needed | All of them.<br>`name` (str, needed): Its name. |"
    assert "One of `a`, `b`." in row("x", {"type": "str", "choices": ["a", "b"], "description": "Which."})


def _junit(path: Path, *cases: str) -> Path:
    path.write_text(f"<testsuites><testsuite>{''.join(cases)}</testsuite></testsuites>")
    return path


def test_a_skipped_test_counts_as_failed(tmp_path: Path):
    cases = [
        "<testcase/>",
        "<testcase><skipped/></testcase>",
        "<testcase><failure/></testcase>",
        "<testcase><error/></testcase>",
    ]
    assert count(_junit(tmp_path / "x.xml", *cases)) == (1, 3)


@pytest.fixture
def artifacts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let the runner write into a directory of the test."""
    monkeypatch.setattr(run_tests, "ROOT", tmp_path)
    monkeypatch.setattr(run_tests, "ARTIFACTS", tmp_path / "artifacts")
    monkeypatch.setattr(run_tests, "MEMORY", tmp_path / "artifacts/tests.json")
    (tmp_path / "artifacts/logs").mkdir(parents=True)
    return tmp_path


def _python(code: str, junit: str = "") -> Part:
    return Part("part", (sys.executable, "-c", code), junit)


@pytest.mark.parametrize(
    ("code", "junit", "passed", "failed"),
    [
        ("", "", 1, 0),
        ("raise SystemExit(3)", "", 0, 1),
        ("", "j.xml", 0, 1),
        ("open('j.xml','w').write('<t/>')", "j.xml", 0, 1),
        ("open('j.xml','w').write('<t><testcase/></t>')", "j.xml", 1, 0),
        ("open('j.xml','w').write('<t><testcase/></t>'); raise SystemExit(1)", "j.xml", 1, 1),
        ("open('j.xml','w').write('<t><testcase><failure/></testcase></t>'); raise SystemExit(1)", "j.xml", 0, 1),
    ],
)
def test_a_part_is_counted_by_what_it_did(artifacts: Path, code: str, junit: str, passed: int, failed: int):
    outcome = run_tests.run(_python(code, junit))
    assert (outcome.passed, outcome.failed) == (passed, failed)
    assert (artifacts / "artifacts/logs/part.log").exists()


def test_a_stopped_run_goes_on_with_what_is_left_of_the_same_checkout(artifacts: Path):
    outcomes = {"a": Outcome("a", 3, 0, 1.0), "b": Outcome("b", 1, 1, 1.0)}
    run_tests.remember("one", outcomes)
    assert run_tests.remembered("one") == {"a": outcomes["a"]}
    assert run_tests.remembered("another") == {}
    (artifacts / "artifacts/tests.json").write_text("{")
    assert run_tests.remembered("one") == {}


@pytest.mark.usefixtures("artifacts")
def test_only_a_part_that_waits_runs_beside_those_that_have_the_places():
    """A part is done when a file is there that another one writes: they can only end side by side."""

    def part(name: str, *, needs: str, waits: bool = False) -> Part:
        code = f"import pathlib, time\npathlib.Path('{name}').touch()\n"
        code += f"for _ in range(100):\n if pathlib.Path('{needs}').exists(): break\n time.sleep(0.1)\nelse: raise SystemExit(1)"
        return Part(name, (sys.executable, "-c", code), waits=waits)

    def failed(*chains: run_tests.Chain) -> list[str]:
        return [outcome.name for outcome in run_tests.run_all(chains, at_a_time=1) if outcome.failed]

    assert failed((part("a", needs="a"), part("b", needs="c", waits=True)), (part("c", needs="b"),)) == []
    assert failed((part("d", needs="d"),), (part("e", needs="e"),)) == []
    assert failed((part("f", needs="g"),), (part("g", needs="g"),)) == ["f"]


def test_every_unit_of_the_roles_is_looked_at():
    units = {path.name.removesuffix(".j2") for path in ROOT.glob("roles/*/templates/etc/systemd/system/*.j2")}
    # What a socket or a timer starts comes and goes.
    wanted = {
        name
        for name in units
        if not {name.replace(".service", kind) for kind in (".socket", ".timer")} & (units - {name})
    }
    assert {"jupyterhub.service", "hpcampus-signer.socket"} <= wanted
    assert wanted <= set(look.UNITS)


class FakeLab:
    """A host with a carrier and without a signer of accounts."""

    def exec(self, _host: str, argv: list[str]) -> CompletedProcess[str]:
        assert {"hpcampus-carrier.service", "hpcampus-account-signer.socket"} <= set(argv)
        there = "Id=hpcampus-carrier.service\nLoadState=loaded\nActiveState=active\nMainPID=7\nActiveEnterTimestampMonotonic=9"
        away = "Id=hpcampus-account-signer.socket\nLoadState=not-found\nActiveState=inactive\nActiveEnterTimestampMonotonic=0"
        return CompletedProcess(argv, 0, f"{there}\n\n{away}\n", "")


def test_units_that_a_host_has_not_are_left_out():
    assert look.units(cast("Lab", FakeLab()), "hub") == {"hpcampus-carrier.service": "active 7 since 9"}
