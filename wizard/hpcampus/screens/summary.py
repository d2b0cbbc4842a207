# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is printed at the end of a run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.causes import likely_cause
from hpcampus.screens.progress import duration, say, task_label
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hpcampus.apply import Report, StepReport
    from hpcampus.catalogue import Step
    from hpcampus.errors import HpcampusError
    from hpcampus.events import Failure
    from hpcampus.state import Journal

MOST_LINES = 20
FINDING_STYLES = {"BROKEN": "bold red", "warning": "yellow", "not tried": "dim"}


def print_error(console: Console, error: HpcampusError) -> None:
    """Print what happened, why, and what to do next."""
    say(console, error.what, "bold red")
    if error.why:
        say(console, t("error.label.why", text=error.why))
    if error.cure:
        say(console, t("error.label.cure", text=error.cure))


def print_failures(console: Console, report: StepReport, command: str) -> None:
    """Print each failure of a step once, with hosts, message, likely cause and cure."""
    failures = report.log.distinct_failures()
    for failure, hosts in failures:
        _print_failure(console, failure, hosts)
    if not failures:
        tail = report.result.tail()
        say(console, t("summary.no-task"), "bold red")
        for line in tail:
            say(console, f"    {line}")
        _print_cause(console, tail, "localhost")
    say(console, t("summary.log", path=report.result.log))
    say(console, t("summary.retry", command=command))


def _print_failure(console: Console, failure: Failure, hosts: Sequence[str]) -> None:
    key = "summary.unreachable" if failure.unreachable else "summary.failure"
    label = task_label(failure.role, failure.task)
    say(console, t(key, hosts=", ".join(hosts), task=label), "bold red")
    for line in failure.lines[:MOST_LINES]:
        say(console, f"    {line}")
    _print_cause(console, failure.lines, hosts[0])


def _print_cause(console: Console, lines: Sequence[str], host: str) -> None:
    cause = likely_cause(lines)
    if cause is not None:
        say(console, t("summary.cause", cause=cause.title(host)), "yellow")
        say(console, t("summary.cure", cure=cause.cure(host)))


def print_would_change(console: Console, report: Report) -> None:
    """Print what a real run would change, task by task."""
    rows: dict[tuple[str, str], list[str]] = {}
    for step in report.steps:
        for change in step.log.changes:
            hosts = rows.setdefault((step.step.name, task_label(change.role, change.task)), [])
            if change.host not in hosts:
                hosts.append(change.host)
    if not rows:
        say(console, t("summary.would-change-nothing"))
        return
    say(console, t("summary.would-change", count=sum(len(hosts) for hosts in rows.values())))
    for (name, task), hosts in rows.items():
        say(console, t("summary.change", step=name, task=task, hosts=", ".join(hosts)))


def print_done(console: Console, report: Report, options: str) -> None:
    """Print that all went well, and what next; `options` lead to the same site."""
    seconds = sum(step.result.seconds for step in report.steps)
    changed = sum(len(step.log.changes) for step in report.steps)
    say(console, t("summary.done", time=duration(seconds), changed=changed), "bold green")
    say(console, t("summary.next-verify", options=options))


def print_findings(console: Console, lines: Sequence[str]) -> None:
    """Print the table of the doctor, the verdicts that ask for something in colour."""
    for line in lines:
        word = line.strip().partition("  ")[0]
        say(console, line, FINDING_STYLES.get(word, "") if line.startswith("  ") else "bold")


def print_steps(console: Console, steps: Sequence[Step], journal: Journal) -> None:
    """Print the steps in order, with what is known of the last run."""
    width = max(len(step.name) for step in steps)
    for number, step in enumerate(steps, start=1):
        row = t(
            "summary.steps-row",
            number=number,
            name=step.name,
            width=width,
            title=step.title,
            description=step.description,
        )
        record = journal.records.get(step.name)
        if record is not None:
            row += t("summary.steps-last", status=t(f"status.{record.status}"), time=duration(record.seconds))
        say(console, row)
