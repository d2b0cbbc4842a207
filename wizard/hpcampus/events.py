# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What happens during a step, as data: events of ansible-runner become records that views and tests read. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

# How ansible-runner and ansible-core mark the result of a task that handles secrets.
HIDDEN = "censored"
RAISED = re.compile(r"\w[\w.]*(Error|Exception): ")
DIFF_LINES = 12
DIFF_WIDTH = 160


class Kind(StrEnum):
    """What an event tells."""

    PLAY = "play"
    TASK = "task"
    STARTED = "started"
    OK = "ok"
    CHANGED = "changed"
    SKIPPED = "skipped"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    STATS = "stats"


@dataclass(frozen=True)
class Event:
    """One thing that happened.

    Attributes:
        kind: What it was.
        play: Name of the play.
        role: Role of the task, without the name of the collection; empty outside a role.
        task: Name of the task.
        host: Host it happened on; empty for plays and task starts.
        lines: Message of the result, line by line.
        ignored: Whether the playbook said that this failure does not count.
        hidden: Whether the task handles secrets, so that its result is not told.
        diff: What a change does to files, shortened; only in check mode.
    """

    kind: Kind
    play: str = ""
    role: str = ""
    task: str = ""
    host: str = ""
    lines: tuple[str, ...] = ()
    ignored: bool = False
    hidden: bool = False
    diff: tuple[str, ...] = ()


@dataclass(frozen=True)
class Change:
    """A task that changed a host, or would; `diff` says what it does to files, if that was asked for."""

    host: str
    role: str
    task: str
    diff: tuple[str, ...] = ()


@dataclass(frozen=True)
class Failure:
    """A task that failed on a host, or a host that could not be reached; no lines when the task handles secrets."""

    host: str
    role: str
    task: str
    lines: tuple[str, ...]
    unreachable: bool = False
    hidden: bool = False


_SIMPLE = {
    "playbook_on_play_start": Kind.PLAY,
    "playbook_on_task_start": Kind.TASK,
    "playbook_on_handler_task_start": Kind.TASK,
    "playbook_on_stats": Kind.STATS,
    "runner_on_start": Kind.STARTED,
    "runner_on_skipped": Kind.SKIPPED,
    "runner_on_failed": Kind.FAILED,
    "runner_on_unreachable": Kind.UNREACHABLE,
}


def parse_event(raw: Mapping[str, object]) -> Event | None:
    """Translate an event of ansible-runner; None for those that say nothing to a person."""
    name = str(raw.get("event", ""))
    data = raw.get("event_data")
    if not isinstance(data, Mapping):
        data = {}
    result = data.get("res")
    result = result if isinstance(result, Mapping) else {}
    hidden = HIDDEN in result
    if name == "runner_on_ok":
        kind = Kind.CHANGED if result.get("changed") is True or _printed_a_change(raw, hidden=hidden) else Kind.OK
    elif name == "runner_item_on_ok" and _printed_a_change(raw, hidden=hidden):
        # The result of the whole loop, which comes later, does not tell any more.
        kind = Kind.CHANGED
    elif name in _SIMPLE:
        kind = _SIMPLE[name]
    else:
        return None
    return Event(
        kind=kind,
        play=_text(data.get("play")),
        role=_text(data.get("role")).rsplit(".", 1)[-1],
        task=_text(data.get("task")).removeprefix(_text(data.get("role")) + " : "),
        host=_text(data.get("host")),
        lines=message_lines(result),
        ignored=bool(data.get("ignore_errors")),
        hidden=hidden,
        diff=diff_lines(result) if kind is Kind.CHANGED and not hidden else (),
    )


def _printed_a_change(raw: Mapping[str, object], *, hidden: bool) -> bool:
    """Tell whether a hidden result was a change: the line that Ansible printed is all that is left of it."""
    return hidden and any(line.startswith("changed: ") for line in _text(raw.get("stdout")).splitlines())


def diff_lines(result: Mapping[str, object]) -> tuple[str, ...]:
    """Give what a result changes in files: for each its name and the lines that go and come, shortened.

    Results of tasks that handle secrets, and items of loops that do, give nothing.
    """
    if HIDDEN in result or result.get("_ansible_no_log") is True:
        return ()
    found = result.get("diff")
    lines: list[str] = []
    for one in found if isinstance(found, list) else [found]:
        if isinstance(one, Mapping):
            lines += _one_diff(one)
    items = result.get("results")
    if isinstance(items, Sequence) and not isinstance(items, str):
        for item in items:
            if isinstance(item, Mapping):
                lines += diff_lines(item)
    return tuple(lines)


def _one_diff(diff: Mapping[str, object]) -> list[str]:
    before, after = diff.get("before"), diff.get("after")
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        name = _text(after.get("path")) or _text(before.get("path"))
        changed = [key for key in {**before, **after} if before.get(key) != after.get(key)]
        lines = [_cut(f"{key}: {before.get(key, '-')} -> {after.get(key, '-')}") for key in changed]
    else:
        name = _text(diff.get("after_header")) or _text(diff.get("before_header"))
        prepared = _text(diff.get("prepared")).splitlines()
        lines = prepared or list(difflib.unified_diff(_flatten(before), _flatten(after), n=0, lineterm=""))
        lines = [_cut(line) for line in lines if not line.startswith(("---", "+++", "@@"))]
    if len(lines) > DIFF_LINES:
        lines = [*lines[:DIFF_LINES], f"... {len(lines) - DIFF_LINES}"]
    return ([name] if name and lines else []) + [f"  {line}" for line in lines]


def _cut(line: str) -> str:
    return line if len(line) <= DIFF_WIDTH else line[: DIFF_WIDTH - 3] + "..."


def message_lines(result: Mapping[str, object]) -> tuple[str, ...]:
    """Give what a task's result says, without noise: its message, its standard error, or else the end of its output."""
    lines: list[str] = []
    for key in ("msg", "stderr", "module_stderr", "reason"):
        lines.extend(line for line in _flatten(result.get(key)) if line not in lines)
    if result.get("failed") and not result.get("stderr"):
        lines.extend(_flatten(result.get("stdout"))[-5:])
    # What a module died of stands in the last line of its traceback.
    lines.extend(line for line in _flatten(result.get("exception"))[-1:] if RAISED.match(line) and line not in lines)
    for part in _parts_that_failed(result):
        lines.extend(line for line in message_lines(part) if line not in lines)
    return tuple(lines)


def _parts_that_failed(result: Mapping[str, object]) -> list[Mapping[str, object]]:
    """Give the failed items of a loop, and the modules that an action could not run."""
    items, modules = result.get("results"), result.get("failed_modules")
    found = [item for item in items if isinstance(item, Mapping)] if isinstance(items, list) else []
    found = [item for item in found if item.get("failed") or item.get("unreachable")]
    if isinstance(modules, Mapping):
        found += [module for module in modules.values() if isinstance(module, Mapping)]
    return found


def _flatten(value: object) -> list[str]:
    if value is None:
        return []
    if isinstance(value, list):
        return [line for item in value for line in _flatten(item)]
    return [line.rstrip() for line in str(value).splitlines() if line.strip()]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


@dataclass
class StepLog:
    """What a step did so far: fed with events, read by views and by the summary."""

    role: str = ""
    task: str = ""
    tasks_started: int = 0
    changes: list[Change] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    messages: dict[str, tuple[str, ...]] = field(default_factory=dict)
    finished: bool = False

    def add(self, event: Event) -> None:
        """Take one more event into account."""
        match event.kind:
            case Kind.TASK:
                self.role, self.task = event.role, event.task
                self.tasks_started += 1
            case Kind.CHANGED:
                change = Change(event.host, event.role, event.task, event.diff)
                if not (event.hidden and change in self.changes):  # another item of the same loop
                    self.changes.append(change)
                self._remember(event)
            case Kind.OK:
                self._remember(event)
            case Kind.FAILED | Kind.UNREACHABLE if not event.ignored:
                unreachable = event.kind is Kind.UNREACHABLE
                failure = Failure(event.host, event.role, event.task, event.lines, unreachable, event.hidden)
                self.failures.append(failure)
            case Kind.STATS:
                self.finished = True
            case _:
                pass

    def _remember(self, event: Event) -> None:
        if event.lines:
            self.messages[event.task] = event.lines

    def distinct_failures(self) -> list[tuple[Failure, list[str]]]:
        """Give each failure once, with every host that had it."""
        grouped: dict[tuple[str, tuple[str, ...], bool], tuple[Failure, list[str]]] = {}
        for failure in self.failures:
            lines = () if failure.unreachable else failure.lines
            _, hosts = grouped.setdefault((failure.task, lines, failure.unreachable), (failure, []))
            if failure.host not in hosts:
                hosts.append(failure.host)
        return list(grouped.values())
