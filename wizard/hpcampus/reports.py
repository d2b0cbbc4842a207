# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How a run went, as data that scripts read: one object for each command that takes --json. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpcampus.causes import likely_cause
from hpcampus.events import Failure, StepLog
from hpcampus.runner import Outcome
from hpcampus.state import DONE, FAILED, STOPPED

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpcampus.apply import Report, StepReport

STATUS = {Outcome.SUCCESSFUL: DONE, Outcome.FAILED: FAILED, Outcome.STOPPED: STOPPED}


def apply_data(report: Report, *, check: bool) -> dict[str, Any]:
    """Give a run of steps.

    Returns:
        `outcome` (done, failed, stopped), `check`, `seconds`, `changed`, `steps` (see `step_data`), `resumed` (names of steps
        done before), `unchanged` (times by name of the step) and `not_run` (names of steps after the one that failed).
    """
    ran = [step.step.name for step in report.steps]
    return {
        "outcome": STATUS[report.outcome],
        "check": check,
        "seconds": round(sum(step.result.seconds for step in report.steps), 1),
        "changed": sum(len(step.log.changes) for step in report.steps),
        "steps": [step_data(step, check=check) for step in report.steps],
        "resumed": list(report.plan.resumed),
        "unchanged": dict(report.plan.unchanged),
        "not_run": [step.name for step in report.plan.steps if step.name not in ran],
    }


def step_data(report: StepReport, *, check: bool = False) -> dict[str, Any]:
    """Give one step: `name`, `outcome`, `seconds`, `changed`, `log`, `failures`; `changes` in check mode."""
    data: dict[str, Any] = {
        "name": report.step.name,
        "outcome": report.status,
        "seconds": round(report.result.seconds, 1),
        "changed": len(report.log.changes),
        "log": str(report.result.log),
        "failures": failures_data(report),
    }
    if check:
        data["changes"] = [
            {"host": change.host, "role": change.role, "task": change.task, "diff": list(change.diff)}
            for change in report.log.changes
        ]
    return data


def failures_data(report: StepReport) -> list[dict[str, Any]]:
    """Give the failures of a step: `hosts`, `role`, `task`, `unreachable`, `hidden`, `message`, `cause`, `cure`.

    A playbook that ended before its first result has one failure without a task, whose message is the end of its output.
    """
    found = [_failure_data(failure, hosts) for failure, hosts in report.log.distinct_failures()]
    if not found and report.result.outcome is Outcome.FAILED:
        found = [_failure_data(Failure("localhost", "", "", report.result.tail()), [])]
    return found


def _failure_data(failure: Failure, hosts: Sequence[str]) -> dict[str, Any]:
    cause = likely_cause(failure.lines)
    return {
        "hosts": list(hosts),
        "role": failure.role,
        "task": failure.task,
        "unreachable": failure.unreachable,
        "hidden": failure.hidden,
        "message": list(failure.lines),
        "cause": cause.title(failure.host) if cause else None,
        "cure": cause.cure(failure.host) if cause else None,
    }


def would_change(log: StepLog) -> dict[str, list[tuple[str, str, tuple[str, ...]]]]:
    """Give what a step would change by host: role, task and diff, in the order of the tasks."""
    rows: dict[str, list[tuple[str, str, tuple[str, ...]]]] = {}
    for change in log.changes:
        rows.setdefault(change.host, []).append((change.role, change.task, change.diff))
    return rows


def verify_data(report: StepReport, lines: Sequence[str], *, works: bool) -> dict[str, Any]:
    """Give a proof: `verdict` (works, broken), `seconds`, `lines` of the result, `log`, `failures`."""
    return {
        "verdict": "works" if works else "broken",
        "seconds": round(report.result.seconds, 1),
        "lines": list(lines),
        "log": str(report.result.log),
        "failures": failures_data(report),
    }
