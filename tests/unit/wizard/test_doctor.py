# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command doctor: shows the findings of its playbook, as a table or as JSON, and ends with the code that says how it is."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from hpcampus import cli
from hpcampus.apply import Installer
from hpcampus.doctor import FINDINGS_TASK
from hpcampus.events import Event, Kind
from hpcampus.places import Site
from hpcampus.runner import Outcome, Request, Result, run_playbook
from tests.unit.wizard.conftest import CANARY, ROOT

FINDINGS: dict[str, Any] = {
    "verdict": "broken",
    "findings": [{"leg": "port", "cluster": "", "verdict": "broken", "seen": "s", "cure": "c", "seconds": 0.1}],
    "table": ["hub", "  BROKEN     port         hub:443 refuses connections", "1 legs: 1 broken."],
}
PROGRAM = """#!/bin/sh
printf '%s\\n' "$*" > {asked}
cat > {heard}
cat {answer}
exit {status}
"""


class Played:
    """Stands where Ansible would be started: gives the findings as the playbook does."""

    def __init__(self) -> None:
        self.findings: Any = FINDINGS
        self.outcome = Outcome.SUCCESSFUL
        self.request: Request | None = None

    def __call__(self, request: Request, on_event: Any, _on_tick: Any) -> Result:
        self.request = request
        if self.findings is not None:
            line = self.findings if isinstance(self.findings, str) else json.dumps(self.findings)
            on_event(Event(Kind.OK, task=FINDINGS_TASK, host="hub", lines=(line,)))
        return Result(self.outcome, 1.0, Path("/nowhere"))


@pytest.fixture
def played(collection: Path, monkeypatch: pytest.MonkeyPatch) -> Played:
    found, make = Played(), Installer
    monkeypatch.setattr("hpcampus.places.find_collection", lambda: collection)
    monkeypatch.setattr("hpcampus.apply.Installer", lambda site, root, view: make(site, root, view, found))
    return found


def doctor(site: Site, *arguments: str) -> int:
    return cli.run(["doctor", "-i", str(site.inventory), *arguments])


def test_the_table_is_shown_and_a_broken_leg_has_its_code(
    local_site: Site, played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    played.outcome = Outcome.FAILED
    assert doctor(local_site) == 8
    shown = capsys.readouterr()
    assert "\n".join(FINDINGS["table"]) in shown.out
    assert "Something is broken." in shown.err
    assert "\x1b" not in shown.out
    assert played.request is not None
    assert (played.request.playbook, played.request.variables) == ("hpcampus.platform.doctor", {"doctor_json": True})


@pytest.mark.parametrize("verdict", ["ok", "warning"])
def test_what_is_not_broken_is_a_success(local_site: Site, played: Played, verdict: str) -> None:
    played.findings = {**FINDINGS, "verdict": verdict}
    assert doctor(local_site) == 0


def test_json_stands_alone_on_standard_output(
    local_site: Site, played: Played, capsys: pytest.CaptureFixture[str]
) -> None:
    assert doctor(local_site, "--json") == 8
    data = json.loads(capsys.readouterr().out)
    assert data == {"verdict": "broken", "findings": FINDINGS["findings"]}
    assert played.request is not None


def test_a_playbook_that_could_not_begin(local_site: Site, played: Played, capsys: pytest.CaptureFixture[str]) -> None:
    played.findings, played.outcome = None, Outcome.FAILED
    assert doctor(local_site) == 8
    shown = capsys.readouterr()
    assert "The legs could not be walked." in shown.err
    assert f"hpcampus doctor --inventory {local_site.inventory}" in shown.out
    played.outcome = Outcome.STOPPED
    assert doctor(local_site) == 130


@pytest.mark.parametrize("answer", ["no json", "[]", '{"verdict": "ok"}'])
def test_findings_of_another_version(local_site: Site, played: Played, answer: str) -> None:
    played.findings = answer
    assert doctor(local_site) == 8


# --- the playbook itself


@pytest.fixture
def play(local_site: Site, tmp_path: Path) -> Any:
    """Run the real playbook on this machine with a stand-in of the program; gives outcome, events and what it was asked."""
    asked, heard = tmp_path / "asked", tmp_path / "heard"
    python = {"ansible_connection": "local", "ansible_python_interpreter": sys.executable, "ansible_become": False}
    local_site.hosts_file.write_text(json.dumps({"hub": {"hosts": {"here": python}}}))
    local_site.main_file.write_text(json.dumps({"site_hub_name": "hub.example.org", "site_verify_password": CANARY}))
    local_site.state.make()

    def run(status: int, answer: str, **variables: object) -> Any:
        program = tmp_path / "doctor"
        (tmp_path / "answer").write_text(answer)
        program.write_text(PROGRAM.format(asked=asked, heard=heard, answer=tmp_path / "answer", status=status))
        program.chmod(0o755)
        events: list[Event] = []
        request = Request(
            str(ROOT / "playbooks/doctor.yml"), local_site.hosts_file, local_site.state.path,
            ROOT / ".cache/collections", f"test-{status}", variables={"doctor_program": str(program), **variables},
        )  # fmt: skip
        result = run_playbook(request, events.append, lambda: None)
        assert CANARY not in result.log.read_text()
        assert CANARY not in repr(events)
        told = [event.lines for event in events if event.task == FINDINGS_TASK and event.kind is Kind.OK]
        return result, events, told

    run.asked, run.heard = asked, heard  # type: ignore[attr-defined]
    return run


@pytest.mark.processes
def test_the_playbook_shows_the_table_and_fails_when_something_is_broken(play: Any) -> None:
    result, events, told = play(1, json.dumps(FINDINGS))
    assert result.outcome is Outcome.FAILED
    assert told == [tuple(FINDINGS["table"])]
    assert [event.task for event in events if event.kind is Kind.FAILED] == ["Stop when something is broken"]
    assert play.asked.read_text() == "--json --url https://hub.example.org/ --paths --user verify --password-file -\n"
    assert play.heard.read_text().strip() == CANARY


@pytest.mark.processes
def test_the_playbook_hands_json_on(play: Any) -> None:
    result, _, told = play(0, json.dumps({**FINDINGS, "verdict": "ok"}), doctor_json=True)
    assert result.outcome is Outcome.SUCCESSFUL
    assert [json.loads(line) for line in told[0]] == [{**FINDINGS, "verdict": "ok"}]


@pytest.mark.processes
def test_the_playbook_tells_why_the_program_could_not_begin(play: Any) -> None:
    result, events, told = play(2, "")
    assert (result.outcome, told) == (Outcome.FAILED, [])
    (failed,) = [event for event in events if event.kind is Kind.FAILED]
    assert failed.task == "Stop when it could not begin"
    assert "hpcampus apply --step hub" in " ".join(failed.lines)
