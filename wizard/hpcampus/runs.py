# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The runs that are kept: what each was, how it ended, and what Ansible printed. Read from the artifacts alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

_NAME = re.compile(r"(\d{8}T\d{6})-(\d{6})-([^+]+)(\+check)?")
# Beside what ansible-runner leaves: a person stopped the run. Its return code does not tell.
STOPPED_MARK = "stopped"
_TIME = "%Y%m%dT%H%M%S"


class Ending(StrEnum):
    """How a run ended."""

    DONE = "done"
    FAILED = "failed"
    STOPPED = "stopped"
    INTERRUPTED = "interrupted"
    RUNNING = "running"


@dataclass(frozen=True)
class Run:
    """One playbook that ran.

    Attributes:
        step: Name of the step, or of the playbook: verify, doctor, validate.
        started: When, in UTC.
        ending: How it ended; interrupted when it was killed.
        seconds: How long it took; None while it runs, or when nobody knows.
        check: Whether it announced changes instead of making them.
        log: What ansible-playbook printed.
    """

    step: str
    started: datetime
    ending: Ending
    seconds: float | None
    check: bool
    log: Path

    def as_data(self) -> dict[str, Any]:
        """Give it for JSON."""
        return {
            "started": f"{self.started:%Y-%m-%dT%H:%M:%SZ}",
            "step": self.step,
            "outcome": self.ending.value,
            "seconds": self.seconds,
            "check": self.check,
            "log": str(self.log),
        }


def run_name(step: str, started: datetime, number: int, *, check: bool) -> str:
    """Name the directory of a run; names sort by time. `number` keeps runs of one second apart."""
    return f"{started:{_TIME}}-{number:06d}-{step}{'+check' if check else ''}"


def list_runs(state: Path, *, locked: bool = False) -> tuple[Run, ...]:
    """Give the runs that are kept, the oldest first.

    Args:
        state: Private directory of the inventory.
        locked: Whether somebody works there now; the newest run without an end runs then.
    """
    found = []
    for directory in (state / "artifacts").glob("*"):
        match = _NAME.fullmatch(directory.name)
        if match and directory.is_dir():
            found.append((directory.name, match, directory))
    found.sort(key=lambda one: one[0])
    runs = []
    for number, (_, match, directory) in enumerate(found, start=1):
        started = datetime.strptime(match[1], _TIME).replace(tzinfo=UTC)
        newest = locked and number == len(found)
        ending, ended = _end(directory, Ending.RUNNING if newest else Ending.INTERRUPTED)
        seconds = None if ended is None else round(max(0.0, ended - started.timestamp()), 1)
        runs.append(Run(match[3], started, ending, seconds, match[4] is not None, directory / "stdout"))
    return tuple(runs)


def _end(directory: Path, without: Ending) -> tuple[Ending, float | None]:
    """Give how a run ended, and when in seconds since 1970; `without` is what no end means."""
    try:
        status = (directory / "status").read_text(encoding="utf-8").strip()
        returned = (directory / "rc").read_text(encoding="utf-8").strip()
        ended = (directory / "rc").stat().st_mtime
    except OSError:
        return without, None
    if status == "canceled" or (directory / STOPPED_MARK).exists():
        return Ending.STOPPED, ended
    return (Ending.DONE if status == "successful" and returned == "0" else Ending.FAILED), ended
