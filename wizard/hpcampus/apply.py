# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The installation, step by step: which steps are due, what each did, and where to go on next time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from hpcampus.catalogue import Step, parse_catalogue, select_steps
from hpcampus.errors import CollectionError
from hpcampus.events import Event, StepLog
from hpcampus.places import CATALOGUE, Site, link_collection
from hpcampus.runner import Outcome, Request, Result, clear_facts, run_playbook
from hpcampus.state import DONE, FAILED, RUNNING, STOPPED, Journal, Record, fingerprint
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


class View(Protocol):
    """What shows the progress of a run."""

    def plan(self, steps: Sequence[Step], skipped: Sequence[str]) -> None:
        """Say which steps will run, and which were done before."""

    def step_started(self, number: int, total: int, step: Step) -> None:
        """Say that a step begins."""

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
    """How a step went."""

    step: Step
    result: Result
    log: StepLog

    @property
    def record(self) -> Record:
        """What the journal keeps of it."""
        status = {Outcome.SUCCESSFUL: DONE, Outcome.FAILED: FAILED, Outcome.STOPPED: STOPPED}[self.result.outcome]
        return Record(status, round(self.result.seconds, 1), len(self.log.changes))


@dataclass(frozen=True)
class Options:
    """What was asked for.

    Attributes:
        only: Name of the single step to run.
        start: Name of the step to start from.
        check: Whether to announce changes instead of making them.
        vault_password_file: File or program that gives the vault's password.
        vault_password: The password itself, where no file gives it.
        become_password: Password for sudo on the hosts.
        hosts_identity: Changes when hosts were made anew (containers of the demo).
        variables: Variables of the playbook itself; never a secret, for they stand on its command line.
    """

    only: str | None = None
    start: str | None = None
    check: bool = False
    vault_password_file: Path | None = None
    vault_password: str | None = field(default=None, repr=False)
    become_password: str | None = field(default=None, repr=False)
    hosts_identity: str = ""
    variables: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """How a run went: the reports of its steps, the last of which may have failed."""

    steps: tuple[StepReport, ...]
    skipped: tuple[str, ...] = ()

    @property
    def outcome(self) -> Outcome:
        """The outcome of the last step; no step at all is a success."""
        return self.steps[-1].result.outcome if self.steps else Outcome.SUCCESSFUL


Runner = Callable[[Request, Callable[[Event], None], Callable[[], None]], Result]


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
    return fingerprint([site.inventory, *parts], [hosts_identity])


@dataclass
class Installer:
    """Runs steps and keeps the journal."""

    site: Site
    collection: Path
    view: View
    runner: Runner = run_playbook

    def apply(self, options: Options) -> Report:
        """Run the steps that are due, the check of the inventory first.

        A plain run goes on where a stopped one was, if nothing changed since; `only`, `start` and `check` do as told.

        Raises:
            UsageProblemError: No such step.
            CollectionError: The collection is incomplete.
        """
        catalogue = load_steps(self.collection)
        chosen = select_steps(catalogue, [options.only] if options.only else (), options.start)
        digest = run_fingerprint(self.site, self.collection, options.hosts_identity)
        journal = self.site.state.load()
        skipped: tuple[str, ...] = ()
        plain = not (options.only or options.start or options.check)
        if plain and journal.resumable(digest, [step.name for step in catalogue]):
            due = journal.remaining()
            skipped = tuple(name for name in journal.plan if name not in due)
            chosen = tuple(step for step in catalogue if step.name in due)
        elif not options.only and not options.check:
            journal = Journal(tuple(step.name for step in chosen), digest)
        clear_facts(self.site.state.path)
        keep_journal = not options.only and not options.check
        return Report(self._run((VALIDATE, *chosen), skipped, options, journal if keep_journal else None), skipped)

    def _run(
        self, steps: Sequence[Step], skipped: Sequence[str], options: Options, journal: Journal | None
    ) -> tuple[StepReport, ...]:
        reports: list[StepReport] = []
        self.view.plan(steps, skipped)
        try:
            for number, step in enumerate(steps, start=1):
                if journal and step is not VALIDATE:
                    journal = journal.mark(step.name, Record(RUNNING))
                    self.site.state.save(journal)
                report = self.run_step(step, options, number, len(steps))
                reports.append(report)
                if journal and step is not VALIDATE:
                    journal = journal.mark(step.name, report.record)
                    self.site.state.save(journal)
                if report.result.outcome is not Outcome.SUCCESSFUL:
                    break
        finally:
            self.view.close()
        return tuple(reports)

    def run_step(self, step: Step, options: Options, number: int = 1, total: int = 1) -> StepReport:
        """Run one playbook and show what it does."""
        log = StepLog()

        def on_event(event: Event) -> None:
            log.add(event)
            self.view.event(event, log)

        self.view.step_started(number, total, step)
        request = Request(
            playbook=step.playbook,
            hosts_file=self.site.hosts_file,
            state=self.site.state.path,
            collections=link_collection(self.collection, self.site.state.path),
            ident=f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{time.monotonic_ns() % 1_000_000:06d}-{step.name}",
            vault_password_file=options.vault_password_file,
            vault_password=options.vault_password,
            become_password=options.become_password,
            check=options.check,
            variables=options.variables,
        )
        report = StepReport(step, self.runner(request, on_event, self.view.tick), log)
        self.view.step_finished(report)
        return report
