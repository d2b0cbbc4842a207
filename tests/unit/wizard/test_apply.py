# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which steps run, and where the next start goes on; with a runner that only pretends."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from hpcampus.apply import Decision, Installer, Options, give_up
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
        if isinstance(outcome, list):
            outcome = outcome.pop(0)
        if isinstance(outcome, BaseException):
            raise outcome
        return Result(outcome, 1.0, Path("/nowhere"))


@pytest.fixture
def go(local_site: Site, collection: Path) -> Any:
    local_site.state.make()

    def apply(runner: Any, advice: Any = give_up, **options: Any) -> Any:
        return Installer(local_site, collection, Quiet(), runner, advice).apply(Options(**options))

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
        ({"only": ("three", "one")}, ["validate", "one", "three"]),
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


def test_only_what_changed_is_run(go: Any, collection: Path, local_site: Site) -> None:
    go(Pretend())
    runner = Pretend()
    report = go(runner, changed=True)
    assert runner.ran == ["validate"]
    assert list(report.plan.unchanged) == ["one", "two", "three"]
    assert all(since.endswith("Z") for since in report.plan.unchanged.values())
    (collection / "playbooks/steps/two.yml").write_text("[]\n")
    runner = Pretend()
    assert list(go(runner, changed=True).plan.unchanged) == ["one", "three"]
    assert runner.ran == ["validate", "two"]
    local_site.main_file.write_text("mark: /tmp/other\n")
    runner = Pretend()
    go(runner, changed=True, start="two")
    assert runner.ran == ["validate", "two", "three"]
    runner = Pretend()
    go(runner, changed=True)
    assert runner.ran == ["validate", "one"]


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.STOPPED, KeyboardInterrupt()])
def test_what_did_not_end_well_counts_as_changed(go: Any, outcome: Any) -> None:
    go(Pretend())
    with contextlib.suppress(KeyboardInterrupt):
        go(Pretend(two=outcome), only=("two",))
    runner = Pretend()
    go(runner, changed=True)
    assert runner.ran == ["validate", "two"]


def test_a_step_run_alone_is_done_for_the_next_time(go: Any) -> None:
    go(Pretend(), only=("two",))
    runner = Pretend()
    go(runner, changed=True)
    assert runner.ran == ["validate", "one", "three"]


def test_a_look_does_not_make_a_step_done(go: Any) -> None:
    go(Pretend(), check=True)
    runner = Pretend()
    go(runner, changed=True)
    assert runner.ran == ["validate", "one", "two", "three"]


def test_a_run_of_what_changed_is_resumed(go: Any, collection: Path) -> None:
    go(Pretend())
    for name in ("one", "three"):
        (collection / f"playbooks/steps/{name}.yml").write_text("[]\n")
    go(Pretend(three=Outcome.FAILED), changed=True)
    runner = Pretend()
    assert go(runner).resumed == ("one",)
    assert runner.ran == ["validate", "three"]


def test_hosts_made_anew_have_changed(go: Any) -> None:
    go(Pretend(), hosts_identity="a")
    for identity, wanted in (("a", ["validate"]), ("", ["validate"]), ("b", ["validate", "one", "two", "three"])):
        runner = Pretend()
        go(runner, changed=True, hosts_identity=identity)
        assert runner.ran == wanted


class Adviser:
    """Decides as it was told, and remembers what it was asked."""

    def __init__(self, *decisions: Decision) -> None:
        self.decisions = list(decisions)
        self.asked: list[Any] = []

    def __call__(self, report: Any, request: Any, needing: Any) -> Decision:
        self.asked.append((report.step.name, request.playbook, [step.name for step in needing]))
        return self.decisions.pop(0)


def test_a_step_is_run_again_until_it_works(go: Any, local_site: Site) -> None:
    runner = Pretend(two=[Outcome.FAILED, Outcome.FAILED, Outcome.SUCCESSFUL])
    report = go(runner, Adviser(Decision.RETRY, Decision.RETRY))
    assert runner.ran == ["validate", "one", "two", "two", "two", "three"]
    assert report.outcome is Outcome.SUCCESSFUL
    assert [step.status for step in report.steps] == ["done"] * 4
    assert local_site.state.load().finished


def test_a_person_goes_on_without_a_step(go: Any, local_site: Site, collection: Path) -> None:
    catalogue = collection / "playbooks/vars/steps.yml"
    catalogue.write_text(catalogue.read_text().replace("name: three,", "name: three, needs: [two],"))
    adviser = Adviser(Decision.SKIP)
    runner = Pretend(two=Outcome.FAILED)
    report = go(runner, adviser)
    assert runner.ran == ["validate", "one", "two", "three"]
    assert adviser.asked == [("two", "hpcampus.platform.steps.two", ["three"])]
    assert report.outcome is Outcome.FAILED
    assert local_site.state.load().records["two"].status == "skipped"
    runner = Pretend()
    assert go(runner).resumed == ("one",)
    assert runner.ran == ["validate", "two", "three"]


def test_who_leaves_runs_nothing_more(go: Any, local_site: Site) -> None:
    runner = Pretend(two=Outcome.FAILED)
    go(runner, Adviser(Decision.QUIT))
    assert runner.ran == ["validate", "one", "two"]
    assert local_site.state.load().records["two"].status == "failed"


def test_what_a_person_corrected_meanwhile_counts(go: Any, local_site: Site) -> None:
    def correct(_report: Any, _request: Any, _needing: Any) -> Decision:
        local_site.main_file.write_text("mark: /tmp/corrected\n")
        return Decision.RETRY

    go(Pretend(two=[Outcome.FAILED, Outcome.SUCCESSFUL]), correct)
    runner = Pretend()
    go(runner, changed=True)
    assert runner.ran == ["validate", "one"]


def test_a_run_that_was_cut_off_is_told_once(go: Any, local_site: Site) -> None:
    with pytest.raises(KeyboardInterrupt):
        go(Pretend(two=KeyboardInterrupt()))
    name, began = go(Pretend()).plan.interrupted
    assert name == "two"
    assert began.endswith("Z")
    assert go(Pretend()).plan.interrupted is None
    journal = local_site.state.load()
    local_site.state.save(replace(journal, last={}))
    assert go(Pretend(), check=True).plan.interrupted is None
