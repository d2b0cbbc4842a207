# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is printed at the end of a run."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from hpcampus.causes import likely_cause
from hpcampus.errors import InterruptedRunError, StepFailedError, VerifyFailedError
from hpcampus.reports import would_change
from hpcampus.runner import Outcome
from hpcampus.screens.progress import duration, moment, say, task_label, tell
from hpcampus.texts import t
from hpcampus.verify import result_lines

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from hpcampus.apply import Options, Report, StepReport
    from hpcampus.errors import HpcampusError
    from hpcampus.events import Failure
    from hpcampus.overview import Standing
    from hpcampus.runs import Run

MOST_LINES = 20
CAUSE_INDENT = 14
MOST_DIFF_LINES = 24
DIFF_STYLES = {"+": "green", "-": "red"}
STATE_STYLES = {
    "done": "green", "changed": "yellow", "failed": "bold red", "interrupted": "bold red", "stopped": "yellow", "skipped": "yellow",
}  # fmt: skip
FINDING_STYLES = {"BROKEN": "bold red", "warning": "yellow", "not tried": "dim"}


def print_error(console: Console, error: HpcampusError) -> None:
    """Print what happened, why, and what to do next."""
    say(console, error.what, "bold red")
    if error.why:
        say(console, t("error.label.why", text=error.why))
    if error.cure:
        say(console, t("error.label.cure", text=error.cure))


def print_failures(console: Console, report: StepReport, command: str = "") -> None:
    """Print each failure of a step once, with hosts, message, likely cause and cure, and the command that goes on."""
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
    if command:
        say(console, t("summary.retry", command=command))


def _print_failure(console: Console, failure: Failure, hosts: Sequence[str]) -> None:
    key = "summary.unreachable" if failure.unreachable else "summary.failure"
    label = task_label(failure.role, failure.task)
    say(console, t(key, hosts=", ".join(hosts), task=label), "bold red")
    for line in failure.lines[:MOST_LINES]:
        say(console, f"    {line}")
    if failure.hidden:
        say(console, f"    {t('summary.hidden')}")
    _print_cause(console, failure.lines, hosts[0])


def _print_cause(console: Console, lines: Sequence[str], host: str) -> None:
    cause = likely_cause(lines)
    if cause is not None:
        tell(console, t("summary.cause", cause=cause.title(host)), "yellow", indent=CAUSE_INDENT)
        tell(console, t("summary.cure", cure=cause.cure(host)), indent=CAUSE_INDENT)


def conclude(console: Console, report: Report, options: Options, again: str, *, told: bool) -> None:
    """Print how a run ended and what comes next; `again` leads to the same site, `told` says that failures were shown.

    Raises:
        InterruptedRunError: A person stopped it.
        StepFailedError: A step failed, or was skipped after that.
    """
    choice = "".join(f" --step {shlex.quote(name)}" for name in options.only)
    choice += (" --changed" if options.changed else "") + (" --check" if options.check else "")
    raise_unless_successful(console, report.steps[-1], t("summary.retry-apply", options=again + choice), told=told)
    skipped = [step.step.name for step in report.steps if step.skipped]
    if skipped:
        steps = "".join(f" --step {name}" for name in skipped)
        raise StepFailedError("steps-skipped", names=", ".join(skipped), options=again + steps)
    if options.check:
        print_would_change(console, report)
    else:
        print_done(console, report, again)


def raise_unless_successful(console: Console, last: StepReport, retry: str, *, told: bool = False) -> None:
    """Print the failures of a step, unless that was done, and end with its exit code, if it did not go well.

    Raises:
        InterruptedRunError: A person stopped it.
        StepFailedError: It failed.
    """
    if last.result.outcome is Outcome.STOPPED:
        raise InterruptedRunError("stopped")
    if last.result.outcome is Outcome.FAILED and not last.skipped:
        if told:
            say(console, t("summary.retry", command=retry))
        else:
            print_failures(console, last, retry)
        raise StepFailedError("step-failed", name=last.step.name)


def print_proof(console: Console, report: StepReport, retry: str) -> None:
    """Print what the proof of the platform gave; `retry` is the command that does it again.

    Raises:
        InterruptedRunError: A person stopped it.
        VerifyFailedError: The platform does not do what it should, or the proof says nothing.
    """
    if report.result.outcome is Outcome.STOPPED:
        raise InterruptedRunError("stopped")
    if report.result.outcome is Outcome.FAILED:
        print_failures(console, report, retry)
        raise VerifyFailedError("verify-failed")
    for line in result_lines(report):
        say(console, f"  {line}")
    say(console, t("verify.ok"), "bold green")


def print_would_change(console: Console, report: Report) -> None:
    """Print what a real run would change: step by step, host by host, task by task, with the lines that files get."""
    count = sum(len(step.log.changes) for step in report.steps)
    hosts = {change.host for step in report.steps for change in step.log.changes}
    if not count:
        say(console, t("summary.would-change-nothing"))
        return
    say(console, t("summary.would-change", count=count, hosts=len(hosts)), "bold")
    for step in report.steps:
        for host, rows in would_change(step.log).items():
            say(console, t("summary.change-place", step=step.step.name, host=host), "bold")
            for role, task, diff in rows:
                say(console, t("summary.change", task=task_label(role, task)))
                for line in diff[:MOST_DIFF_LINES]:
                    say(console, f"      {line}", DIFF_STYLES.get(line.strip()[:1], ""))
                if len(diff) > MOST_DIFF_LINES:
                    say(console, t("summary.change-more", count=len(diff) - MOST_DIFF_LINES))


def print_done(console: Console, report: Report, options: str) -> None:
    """Print that all went well, and what next; `options` lead to the same site."""
    seconds = sum(step.result.seconds for step in report.steps)
    changed = sum(len(step.log.changes) for step in report.steps)
    key = "summary.done" if len(report.plan.steps) > 1 else "summary.done-nothing"
    say(console, t(key, time=duration(seconds), changed=changed), "bold green")
    say(console, t("summary.next-verify", options=options))


def print_findings(console: Console, lines: Sequence[str]) -> None:
    """Print the table of the doctor, the verdicts that ask for something in colour."""
    for line in lines:
        word = line.strip().partition("  ")[0]
        say(console, line, FINDING_STYLES.get(word, "") if line.startswith("  ") else "bold")


def print_steps(console: Console, standings: Sequence[Standing]) -> None:
    """Print the steps in order: how each stands, what it does, on which hosts, and how long it took."""
    width = max(len(one.step.name) for one in standings)
    for one in standings:
        step = one.step
        row = t("summary.steps-row", number=one.number, name=step.name, width=width, state=state_text(one))
        say(console, row, STATE_STYLES.get(one.state, ""))
        tell(console, t("summary.steps-what", title=step.title, description=step.description), indent=4)
        tell(console, t("summary.steps-where", where=_where(one)), indent=4)


def state_text(one: Standing) -> str:
    """Say how a step stands: done 2026-11-26 09:12 UTC, 3 min 05 s."""
    text = t(f"status.{one.state}")
    if one.last is not None and one.last.at:
        text += " " + moment(one.last.at)
    if one.done is not None:
        text += t("summary.steps-took", time=duration(one.done.seconds))
    return text


def _where(one: Standing) -> str:
    if not one.groups:
        return ", ".join(one.step.hosts)
    groups = ", ".join(f"{group} {count}" for group, count in one.groups.items())
    key = "summary.steps-host" if one.hosts == 1 else "summary.steps-hosts"
    return t(key, groups=groups, count=one.hosts)


def print_runs(console: Console, runs: Sequence[Run]) -> None:
    """Print the runs that are kept, one in a line, the newest last."""
    width = max(len(run.step) for run in runs)
    for run in runs:
        text = t(
            "logs.row",
            when=f"{run.started:%Y-%m-%d %H:%M:%S} UTC",
            step=run.step,
            width=width,
            outcome=t(f"logs.ending.{run.ending}"),
            time="" if run.seconds is None else duration(run.seconds),
            check=t("logs.check") if run.check else "",
        )
        say(console, text.rstrip(), STATE_STYLES.get(run.ending, ""))
