# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The directory that the course's server shares with the cluster's tasks: submissions out, results in, results kept.

``RUN/INDEX.tar`` is a submission, ``RUN/INDEX.json`` its result, ``results/DIGEST.json`` a result with the word of its run.
"""

from __future__ import annotations

import json
import os
import shutil
import stat
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpcampus_nbgrader.sandbox.task import write_task

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpcampus_nbgrader.sandbox.task import Task

ROOT = "/srv/hpcampus/runs"
RESULT_MAX_BYTES = 64 * 1024 * 1024
KEPT_SECONDS = 200 * 86400
LEFT_SECONDS = 2 * 86400


def read_json(path: Path) -> dict[str, Any] | None:
    """The object in a regular file; None while there is none, or when it cannot be read."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return None
    with os.fdopen(handle, "rb") as stream:
        info = os.fstat(stream.fileno())
        if not stat.S_ISREG(info.st_mode) or info.st_size > RESULT_MAX_BYTES:
            return None
        try:
            found = json.load(stream)
        except (ValueError, RecursionError):
            return None
    return found if isinstance(found, dict) else None


def result_of(answer: Mapping[str, Any]) -> dict[str, Any]:
    """The sandbox's result out of what a task wrote; an object with ``error`` when there is none.

    Args:
        answer: ``status``, ``seconds``, ``reason``, ``output`` and ``errors`` of the container.
    """
    reason = str(answer.get("reason") or "")
    try:
        found = json.loads(str(answer.get("output") or ""))
    except (ValueError, RecursionError):
        found = None
    if isinstance(found, dict) and not reason:
        return found
    said = " ".join(str(answer.get("errors") or "").split())[-300:]
    status = answer.get("status")
    why = f"The run was ended: {reason}." if reason else f"The sandbox ended without a result (status {status}). {said}"
    return {"error": why.strip(), "notebooks": []}


def is_kept(answer: Mapping[str, Any]) -> bool:
    """Whether a result says something of the submission, and not of the cluster on that day."""
    return not answer.get("reason") and answer.get("status") == 0


class Runs:
    """The directory of one course.

    Args:
        root: The directory.
    """

    def __init__(self, root: str | Path = ROOT) -> None:
        self._root = Path(root)

    def new(self) -> Run:
        """Make the directory of a new run."""
        run = Run(self._root / uuid.uuid4().hex)
        run.path.mkdir(mode=0o700, parents=True)
        return run

    def kept(self, digest: str) -> dict[str, Any] | None:
        """The answer that a submission of this digest has, with its ``word``; None when it never ran to its end."""
        return read_json(self._root / "results" / f"{digest}.json")

    def keep(self, digest: str, answer: Mapping[str, Any], word: str) -> None:
        """Keep an answer for the next time."""
        _write(self._root / "results" / f"{digest}.json", {**answer, "word": word})

    def forget_old(self) -> None:
        """Remove what runs left that ended long ago, and results that nobody has asked for in half a year."""
        now = time.time()
        for path in self._root.glob("*"):
            if len(path.name) == 32 and now - path.lstat().st_mtime > LEFT_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
        for path in self._root.glob("results/*.json"):
            if now - path.lstat().st_mtime > KEPT_SECONDS:
                path.unlink(missing_ok=True)


class Run:
    """The directory of one run; its name is the run's id."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.name = path.name

    def put(self, index: int, task: Task, files: Mapping[str, str]) -> None:
        """Hand a submission out; a task sees all of it or nothing."""
        partial = self.path / f".{index}.part"
        with partial.open("wb") as sink:
            write_task(sink, task, dict(files))
        partial.replace(self.path / f"{index}.tar")

    def skip(self, index: int) -> None:
        """Have the task of an index find nothing to do."""
        _write(self.path / f"{index}.json", {"status": 0, "seconds": 0, "reason": "", "output": "", "errors": ""})

    def answer(self, index: int) -> dict[str, Any] | None:
        """What the task of an index wrote, or None while there is nothing."""
        return read_json(self.path / f"{index}.json")

    def remove(self) -> None:
        """Remove it with all that it holds."""
        shutil.rmtree(self.path, ignore_errors=True)


def _write(path: Path, value: Mapping[str, Any]) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    partial.write_text(json.dumps(value), encoding="utf-8")
    partial.replace(path)
