# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which steps run, and where the next start goes on; with a runner that only pretends."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pytest

from hpcampus.apply import Installer, Options
from hpcampus.errors import UsageProblemError, VerifyFailedError
from hpcampus.events import Event, Kind
from hpcampus.places import Site
from hpcampus.runner import Outcome, Result
from hpcampus.verify import result_lines, run_verify


class Quiet:
    """A view that shows nothing."""

    def __init__(self) -> None:
        self.closed = 0

    def plan(self, plan: Any) -> None: ...
    def step_started(self, number: Any, total: Any, step: Any, output: Any) -> None: ...
    def event(self, event: Any, log: Any) -> None: ...
    def tick(self) -> None: ...
    def step_finished(self, report: Any) -> None: ...

    def close(self) -> None:
        self.closed += 1


class Pretend:
    """A runner that remembers what it was asked to run, and ends as it was told."""

    def __init__(self, **outcomes: Any) -> None:
        self.outcomes = outcomes
        self.ran: list[str] = []
        self.events: list[Event] = []

    def __call__(self, request: Any, on_event: Any, _on_tick: Any) -> Any:
        name = request.playbook.rsplit(".", 1)[-1]
        self.ran.append(name)
        self.last = request
        for event in self.events:
            on_event(event)
        outcome = self.outcomes.get(name, Outcome.SUCCESSFUL)
        if isinstance(outcome, BaseException):
            raise outcome
        return Result(outcome, 1.0, Path("/nowhere"))


@pytest.fixture
def go(local_site: Site, collection: Path) -> Any:
    local_site.state.make()

    def apply(runner: Any, **options: Any) -> Any:
        return Installer(local_site, collection, Quiet(), runner).apply(Options(**options))

    return apply


def test_the_inventory_is_checked_first(go: Any) -> None:
    runner = Pretend(validate=Outcome.FAILED)
    assert go(runner).outcome is Outcome.FAILED
    assert runner.ran == ["validate"]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.STOPPED, KeyboardInterrupt()])
def test_a_stopped_run_goes_on_where_it_was(go: Any, outcome: Any) -> None:
    with contextlib.suppress(KeyboardInterrupt):
        go(Pretend(two=outcome))
    runner = Pretend()
    report = go(runner)
    assert runner.ran == ["validate", "two", "three"]
    assert report.resumed == ("one",)
    # That finished it; the next one starts from the beginning.
    runner = Pretend()
    assert go(runner).resumed == ()
    assert runner.ran == ["validate", "one", "two", "three"]


def test_a_changed_inventory_starts_from_the_beginning(go: Any, local_site: Site) -> None:
    go(Pretend(two=Outcome.FAILED))
    local_site.main_file.write_text("mark: /tmp/other\n")
    runner = Pretend()
    go(runner)
    assert runner.ran == ["validate", "one", "two", "three"]


def test_a_changed_collection_starts_from_the_beginning(go: Any, collection: Path) -> None:
    go(Pretend(two=Outcome.FAILED))
    (collection / "playbooks/steps/one.yml").write_text("[]\n")
    runner = Pretend()
    go(runner)
    assert runner.ran == ["validate", "one", "two", "three"]


def test_new_hosts_start_from_the_beginning(go: Any) -> None:
    go(Pretend(two=Outcome.FAILED), hosts_identity="a")
    runner = Pretend()
    go(runner, hosts_identity="b")
    assert "one" in runner.ran


@pytest.mark.parametrize(
    ("options", "ran"),
    [
        ({"only": ("two",)}, ["validate", "two"]),
        ({"start": "two"}, ["validate", "two", "three"]),
        ({"check": True}, ["validate", "one", "two", "three"]),
        ({"check": True, "only": ("three",)}, ["validate", "three"]),
    ],
)
def test_options_override_the_journal(go: Any, options: Any, ran: Any) -> None:
    go(Pretend(three=Outcome.FAILED))
    runner = Pretend()
    go(runner, **options)
    assert runner.ran == ran
    assert runner.last.check is options.get("check", False)


def test_one_step_and_check_leave_the_plan_alone(go: Any, local_site: Site) -> None:
    go(Pretend(two=Outcome.FAILED))
    before = local_site.state.load()
    go(Pretend(), only=("one",))
    go(Pretend(one=Outcome.FAILED), check=True)
    after = local_site.state.load()
    assert (after.plan, after.fingerprint, after.records) == (before.plan, before.fingerprint, before.records)


def test_a_run_from_a_step_is_resumed_too(go: Any) -> None:
    go(Pretend(three=Outcome.STOPPED), start="two")
    runner = Pretend()
    assert go(runner).resumed == ("two",)
    assert runner.ran == ["validate", "three"]


def test_an_unknown_step_runs_nothing(go: Any) -> None:
    runner = Pretend()
    with pytest.raises(UsageProblemError):
        go(runner, only=("nine",))
    assert runner.ran == []


def test_the_terminal_is_given_back(local_site: Site, collection: Path) -> None:
    local_site.state.make()
    view = Quiet()
    with pytest.raises(RuntimeError):
        Installer(local_site, collection, view, Pretend(one=RuntimeError())).apply(Options())
    assert view.closed == 1


def test_verify_gives_the_lines_of_its_result(local_site: Site, collection: Path) -> None:
    local_site.state.make()
    runner = Pretend()
    runner.events = [Event(Kind.OK, task="Show the result", host="hub", lines=("login 0.4 s", "cell ran on c1"))]
    report = run_verify(Installer(local_site, collection, Quiet(), runner), Options())
    assert runner.ran == ["verify"]
    assert result_lines(report) == ("login 0.4 s", "cell ran on c1")


@pytest.mark.parametrize("outcome", [Outcome.SUCCESSFUL, Outcome.FAILED])
def test_verify_without_a_result_is_no_proof(local_site: Site, collection: Path, outcome: Any) -> None:
    local_site.state.make()
    report = run_verify(Installer(local_site, collection, Quiet(), Pretend(verify=outcome)), Options())
    with pytest.raises(VerifyFailedError):
        result_lines(report)
