# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The installation, step by step: which steps are due, what each did, and where to go on next time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from hpcampus.catalogue import Step, needing, parse_catalogue, select_steps
from hpcampus.errors import CollectionError
from hpcampus.events import Event, StepLog
from hpcampus.fingerprints import Fingerprints, inventory_digest
from hpcampus.places import CATALOGUE, Site, link_collection
from hpcampus.runner import Outcome, Request, Result, clear_facts, end_leftovers, run_playbook
from hpcampus.runs import run_name
from hpcampus.state import DONE, FAILED, RUNNING, SKIPPED, STOPPED, Journal, Record, fingerprint, now
from hpcampus.yaml_files import read_plain

if TYPE_CHECKING:
    from pathlib import Path

VALIDATE = Step(
    name="validate",
    title="Check the inventory",
    playbook="hpcampus.platform.validate",
    hosts=("all",),
    description="Reads the inventory only; no host is contacted.",
)
COLLECTION_PARTS = ("playbooks", "roles", "plugins")


class Decision(StrEnum):
    """What to do about a step that failed."""

    RETRY = "retry"
    SKIP = "skip"
    QUIT = "quit"


@dataclass(frozen=True)
class Plan:
    """What a run will do.

    Attributes:
        steps: What runs, the check of the inventory first.
        resumed: Names of the steps that the run which this one continues has done.
        unchanged: Names of the steps that are left out because nothing changed, each with the time when it was done.
        interrupted: Name of the step in whose middle the last run ended without a word, and when that began.
        ended: Number of processes which that run had left behind.
    """

    steps: tuple[Step, ...]
    resumed: tuple[str, ...] = ()
    unchanged: Mapping[str, str] = field(default_factory=dict)
    interrupted: tuple[str, str] | None = None
    ended: int = 0


class View(Protocol):
    """What shows the progress of a run."""

    def plan(self, plan: Plan) -> None:
        """Say which steps will run, which will not, and why."""

    def step_started(self, number: int, total: int, step: Step, output: Path) -> None:
        """Say that a step begins; `output` is the file that what Ansible prints goes to."""

    def event(self, event: Event, log: StepLog) -> None:
        """Show an event; the log has taken it into account already."""

    def tick(self) -> None:
        """Draw again; called about ten times a second."""

    def step_finished(self, report: StepReport) -> None:
        """Say how a step ended."""

    def close(self) -> None:
        """Leave the terminal as it was."""


@dataclass(frozen=True)
class StepReport:
    """How a step went; `skipped` says that it failed and a person went on without it."""

    step: Step
    result: Result
    log: StepLog
    skipped: bool = False

    @property
    def status(self) -> str:
        """How the journal calls it."""
        if self.skipped:
            return SKIPPED
        return {Outcome.SUCCESSFUL: DONE, Outcome.FAILED: FAILED, Outcome.STOPPED: STOPPED}[self.result.outcome]

    def record(self, digest: str = "") -> Record:
        """What the journal keeps of it; `digest` is the fingerprint of the step when it began."""
        return Record(self.status, round(self.result.seconds, 1), len(self.log.changes), now(), digest)


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        only: Names of the steps to run; all when empty.
        start: Name of the step to start from.
        changed: Whether to leave out steps that are done and whose fingerprint is the same.
        check: Whether to announce changes instead of making them.
        vault_password_file: File or program that gives the vault's password.
        vault_password: The password itself, where no file gives it.
        become_password: Password for sudo on the hosts.
        hosts_identity: Changes when hosts were made anew (containers of the demo); empty takes that of the last run.
        variables: Variables of the playbook itself; never a secret, for they stand on its command line.
    """

    only: tuple[str, ...] = ()
    start: str | None = None
    changed: bool = False
    check: bool = False
    vault_password_file: Path | None = None
    vault_password: str | None = field(default=None, repr=False)
    become_password: str | None = field(default=None, repr=False)
    hosts_identity: str = ""
    variables: Mapping[str, object] = field(default_factory=dict)

    @property
    def plain(self) -> bool:
        """Whether nothing in particular was asked for, so that a stopped run may go on."""
        return not (self.only or self.start or self.check or self.changed)


@dataclass(frozen=True)
class Report:
    """How a run went: the reports of its steps, the last of which may have failed, and its plan."""

    steps: tuple[StepReport, ...]
    plan: Plan

    @property
    def outcome(self) -> Outcome:
        """The worst of the outcomes; no step at all is a success."""
        outcomes = {step.result.outcome for step in self.steps}
        return next((one for one in (Outcome.STOPPED, Outcome.FAILED) if one in outcomes), Outcome.SUCCESSFUL)

    @property
    def resumed(self) -> tuple[str, ...]:
        """Names of the steps that were done before."""
        return self.plan.resumed


Runner = Callable[[Request, Callable[[Event], None], Callable[[], None]], Result]
# Is told of a failed step, of how it is run by hand, and of the steps of this run that need it.
Advice = Callable[[StepReport, Request, Sequence[Step]], Decision]


def give_up(_report: StepReport, _request: Request, _needing: Sequence[Step]) -> Decision:
    """Decide what to do about a failure where nobody can be asked."""
    return Decision.QUIT


def load_steps(collection: Path) -> tuple[Step, ...]:
    """Read the step catalogue of the collection.

    Raises:
        CollectionError: It is missing or has the wrong shape.
    """
    path = collection / CATALOGUE
    try:
        return parse_catalogue(read_plain(path), str(path))
    except (OSError, ValueError) as error:
        raise CollectionError("catalogue-shape", source=path, problem=error) from error


def run_fingerprint(site: Site, collection: Path, hosts_identity: str = "") -> str:
    """Digest all that a stopped run depends on: the inventory, the collection, the hosts."""
    parts = [collection / part for part in COLLECTION_PARTS]
    return fingerprint(parts, [inventory_digest(site.inventory), hosts_identity])


@dataclass
class Installer:
    """Runs steps and keeps the journal."""

    site: Site
    collection: Path
    view: View
    runner: Runner = run_playbook
    advice: Advice = give_up

    def apply(self, options: Options) -> Report:
        """Run the steps that are due, the check of the inventory first.

        A plain run goes on where a stopped one was, if nothing changed since; `only`, `start`, `changed` and `check` do as
        told. The caller holds the lock of the inventory.

        Raises:
            UsageProblemError: No such step.
            CollectionError: The collection is incomplete.
        """
        catalogue = load_steps(self.collection)
        journal = self.site.state.load()
        chosen = select_steps(catalogue, options.only, options.start)
        identity = options.hosts_identity or journal.hosts_identity
        digests = Fingerprints(self.collection, self.site.inventory, identity)
        digest = run_fingerprint(self.site, self.collection, identity)
        broken_off = journal.interrupted()
        plan = Plan((), interrupted=(broken_off[0], broken_off[1].at) if broken_off else None)
        if options.plain and journal.resumable(digest, [step.name for step in catalogue]):
            due = journal.remaining()
            plan = replace(plan, resumed=tuple(name for name in journal.plan if name not in due))
            chosen = tuple(step for step in catalogue if step.name in due)
        if options.changed:
            found = {step.name: journal.unchanged_since(step.name, digests.of(step)) for step in chosen}
            plan = replace(plan, unchanged={name: since for name, since in found.items() if since is not None})
            chosen = tuple(step for step in chosen if step.name not in plan.unchanged)
        if not options.only and not options.check and not plan.resumed and chosen:
            journal = journal.begin([step.name for step in chosen], digest)
        journal = replace(journal, hosts_identity=identity)
        clear_facts(self.site.state.path)
        plan = replace(plan, steps=(VALIDATE, *chosen), ended=end_leftovers(self.site.state.path))
        return Report(self._run(plan, options, journal), plan)

    def _run(self, plan: Plan, options: Options, journal: Journal) -> tuple[StepReport, ...]:
        reports: list[StepReport] = []
        self.view.plan(plan)
        try:
            for number in range(1, len(plan.steps) + 1):
                journal, report = self._run_until_decided(number, plan.steps, options, journal)
                reports.append(report)
                if report.result.outcome is not Outcome.SUCCESSFUL and not report.skipped:
                    break
        finally:
            self.view.close()
        return tuple(reports)

    def _run_until_decided(
        self, number: int, steps: Sequence[Step], options: Options, journal: Journal
    ) -> tuple[Journal, StepReport]:
        """Run a step, again if a person wants that, and keep the journal; gives it with how the step ended."""
        step = steps[number - 1]
        keep = step is not VALIDATE and not options.check
        while True:
            # Anew for each try: a person may have corrected a file meanwhile.
            digest = Fingerprints(self.collection, self.site.inventory, journal.hosts_identity).of(step)
            if keep:
                journal = self._write(journal, step, Record(RUNNING, at=now(), fingerprint=digest), options)
            request = self.request(step, options)
            report = self._play(step, request, number, len(steps))
            if keep:
                journal = self._write(journal, step, report.record(digest), options)
            if report.result.outcome is not Outcome.FAILED:
                return journal, report
            decision = self.advice(report, request, needing(steps, step.name))
            if decision is Decision.QUIT:
                return journal, report
            if decision is Decision.SKIP:
                report = replace(report, skipped=True)
                return self._write(journal, step, report.record(digest), options) if keep else journal, report

    def _write(self, journal: Journal, step: Step, record: Record, options: Options) -> Journal:
        # Steps that were named one by one are no part of the plan which the next run goes on with.
        journal = journal.note(step.name, record) if options.only else journal.mark(step.name, record)
        self.site.state.save(journal)
        return journal

    def request(self, step: Step, options: Options) -> Request:
        """Say how the playbook of a step is run."""
        return Request(
            playbook=step.playbook,
            hosts_file=self.site.hosts_file,
            state=self.site.state.path,
            collections=link_collection(self.collection, self.site.state.path),
            ident=run_name(step.name, datetime.now(UTC), time.monotonic_ns() % 1_000_000, check=options.check),
            vault_password_file=options.vault_password_file,
            vault_password=options.vault_password,
            become_password=options.become_password,
            check=options.check,
            variables=options.variables,
        )

    def run_step(self, step: Step, options: Options) -> StepReport:
        """Run one playbook and show what it does."""
        return self._play(step, self.request(step, options), 1, 1)

    def run_alone(self, step: Step, options: Options) -> StepReport:
        """Run a playbook that is no step of the installation, on hosts as they are now and not as the last run saw them."""
        clear_facts(self.site.state.path)
        self.view.plan(Plan((step,), ended=end_leftovers(self.site.state.path)))
        try:
            return self.run_step(step, options)
        finally:
            self.view.close()

    def _play(self, step: Step, request: Request, number: int, total: int) -> StepReport:
        log = StepLog()

        def on_event(event: Event) -> None:
            log.add(event)
            self.view.event(event, log)

        self.view.step_started(number, total, step, request.output)
        report = StepReport(step, self.runner(request, on_event, self.view.tick), log)
        self.view.step_finished(report)
        return report
