# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The parent: runs notebooks cell by cell in a child, within limits, and tells what came out.

The result is an object with ``error`` ("" or why nothing could be run) and ``notebooks``; each has ``name``, ``stopped`` ("" or
why not all cells ran), ``forged`` (whether somebody else than the program said that a cell is done) and ``cells``, one for each
cell of the task, in order, with ``ran``, ``seconds``, ``count`` and ``outputs``.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import sys
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from . import confine
from .child import Child
from .outputs import Collector, Output
from .task import Cell, Limits, Notebook, Task, TaskError, read_task

if TYPE_CHECKING:
    from . import wire

START_SECONDS = 60.0
INTERRUPT_SECONDS = 15.0
"""On a busy node a kernel needs long to tell what was interrupted, and nobody shall lose points for that."""
TIMEOUT_NAME = "CellTimeoutError"
NOT_RUN = "There was no time left for this cell."


@dataclass
class CellResult:
    """What a cell did."""

    ran: bool = False
    seconds: float = 0.0
    count: int | None = None
    outputs: list[Output] = field(default_factory=list)


@dataclass
class NotebookResult:
    """What the cells of a notebook did; ``stopped`` says why some did not run."""

    name: str
    cells: list[CellResult]
    stopped: str = ""
    forged: bool = False


def error_output(name: str, text: str) -> Output:
    """An error as a cell shows it."""
    return {"output_type": "error", "ename": name, "evalue": text, "traceback": [f"\x1b[0;31m{name}\x1b[0m: {text}"]}


class Run:
    """Runs the cells of one notebook.

    Args:
        child: the process that runs them.
        limits: what they may use.
        deadline: monotonic second at which all must be over.
        tests: the process that runs the tests, when they have one of their own.
    """

    def __init__(self, child: Child, limits: Limits, deadline: float, tests: Child | None = None) -> None:
        self._child = child
        self._children = [child] if tests is None else [child, tests]
        self._limits = limits
        self._deadline = deadline
        self._collector = Collector(limits.output_kb, limits.result_kb)
        self._clear = False
        self.stopped = ""
        self.forged = False

    def prepare(self) -> None:
        """Wait for the child, and have it limit itself."""
        for child in self._children:
            child.send({"limits": self._limits.to_json()})
        for child in self._children:
            for kind, value in child.events(min(self._deadline, time.monotonic() + START_SECONDS)):
                if kind == "message" and isinstance(value, dict) and value.get("ready"):
                    break
            else:
                self.stopped = child.gone or "The process that runs the cells did not start in time."
                return

    def cell(self, cell: Cell) -> CellResult:
        """Run a cell, if it can be."""
        result = CellResult()
        if self.stopped or time.monotonic() >= self._deadline:
            if not self.stopped:
                self.stopped = NOT_RUN
            return result
        began = time.monotonic()
        self._clear = False
        self._child = self._children[-1 if cell.test else 0]
        word = secrets.token_hex(16)
        self._child.send({"cell": word, "source": cell.source, "forget": cell.test, "quiet": cell.quiet})
        limit = min(self._deadline, began + self._limits.cell_seconds)
        done = self._wait(word, result, limit)
        if done is None and not self._child.gone:
            for child in self._children:
                child.interrupt()
            done = self._wait(word, result, time.monotonic() + INTERRUPT_SECONDS)
            seconds = f"No reply within {limit - began:.0f} seconds"
            result.outputs.append(error_output(TIMEOUT_NAME, seconds))
            if done is None:
                self.stopped = f"A cell ran for {limit - began:.0f} seconds and could not be interrupted."
        result.seconds = round(time.monotonic() - began, 3)
        if done is None:
            if not self.stopped:
                self.stopped = self._child.gone
            return result
        self._finish(result, done)
        return result

    def _wait(self, word: str, result: CellResult, deadline: float) -> wire.Message | None:
        """Collect outputs until the cell is done, which is said with a word made for it; None when it is not in time, or never."""
        for kind, value in self._child.events(deadline):
            if not isinstance(value, dict):
                continue
            if kind == "text":
                self._collector.add(result.outputs, value)
            elif value.get("done") == word:
                for _, text in self._child.texts():
                    self._collector.add(result.outputs, text)
                return value
            elif "done" in value:
                self.forged = True
            else:
                self._take(result.outputs, value)
        return None

    def _take(self, outputs: list[Output], message: wire.Message) -> None:
        """Take one message that is not the last of its cell."""
        if message.get("clear"):
            self._clear = bool(message.get("wait"))
            if not self._clear:
                outputs.clear()
            return
        if "output" not in message:
            return
        if self._clear:
            outputs.clear()
            self._clear = False
        display_id = message.get("display_id")
        if isinstance(display_id, str):
            self._collector.show(outputs, display_id, message["output"], message.get("update") is True)
        else:
            self._collector.add(outputs, message["output"])

    @staticmethod
    def _finish(result: CellResult, done: wire.Message) -> None:
        """Note that a cell ran; an error that it did not show is shown."""
        result.ran = True
        result.count = done["count"] if type(done.get("count")) is int else None
        raised = done.get("raised")
        if isinstance(raised, dict):
            name, text = str(raised.get("ename"))[:200], str(raised.get("evalue"))[:2000]
            if not any(output["output_type"] == "error" and output["ename"] == name for output in result.outputs):
                result.outputs.append(error_output(name, text))


def run_notebook(
    notebook: Notebook, task: Task, directory: str, deadline: float, child: Child | None
) -> NotebookResult:
    """Run a notebook in a child, which is ended then.

    Args:
        notebook: what to run.
        task: what else holds for it.
        directory: where its files are.
        deadline: monotonic second.
        child: one for Python that was started beforehand, or None.
    """
    if notebook.language != "python" and child is not None:
        child.end()
        child = None
    peers = socket.socketpair() if task.isolate and notebook.language == "python" else None
    if peers is not None and child is not None:
        child.end()
        child = None
    tests: Child | None = None
    if peers is not None:
        child, tests = isolated(directory, *peers)
    child = child or Child("shell" if notebook.language == "python" else "kernel", directory)
    try:
        run = Run(child, task.limits, deadline, tests)
        if notebook.language != "python":
            child.send({"kernel": notebook.kernel})
        run.prepare()
        cells = [run.cell(cell) for cell in notebook.cells]
    finally:
        child.end()
        if tests is not None:
            tests.end()
    return NotebookResult(notebook.name, cells, run.stopped, run.forged)


def isolated(directory: str, ours: socket.socket, theirs: socket.socket) -> tuple[Child, Child]:
    """Two processes, one for the student's cells and one for the tests, which has files of its own."""
    place = f"{directory}-of-tests"
    shutil.copytree(directory, place, dirs_exist_ok=True)
    with ours, theirs:
        return Child("shell", directory, ours.fileno()), Child("tests", place, theirs.fileno())


def run_task(source: IO[bytes], root: str) -> dict[str, Any]:
    """Run the task that comes from a stream; returns the result.

    Args:
        source: the archive.
        root: an empty directory of its own.
    """
    began = time.monotonic()
    directory = str(Path(root, "work"))
    Path(directory).mkdir()
    first = Child("shell", directory)
    child: Child | None = first
    try:
        task = read_task(source, directory)
        task = replace(task, limits=replace(task.limits, processes_before=processes_before()))
    except TaskError as error:
        first.end()
        return {"error": str(error), "notebooks": []}
    results = []
    for number, notebook in enumerate(task.notebooks):
        share = (began + task.limits.total_seconds - time.monotonic()) / (len(task.notebooks) - number)
        results.append(run_notebook(notebook, task, directory, time.monotonic() + share, child))
        child = None
    return {"error": "", "notebooks": [asdict(one) for one in results]}


def processes_before() -> int:
    """Processes that the account had on the node when the container began, as the job says."""
    said = os.environ.get("HPCAMPUS_PROCESSES_BEFORE", "")
    return int(said) if said.isdecimal() else 0


def main() -> int:
    """Run what comes in, and write the result; returns the exit status."""
    confine.hide_memory()
    if os.getpid() != 1:
        confine.adopt_orphans()
    os.environ["NBGRADER_EXECUTION"] = "autograde"
    root = os.environ.get("HPCAMPUS_SANDBOX_DIR", "/tmp/hpcampus-sandbox")  # noqa: S108 (the container's own)
    for name in ("HOME", "IPYTHONDIR", "MPLCONFIGDIR"):
        os.environ[name] = f"{root}/home"
    Path(root, "home").mkdir(parents=True, exist_ok=True)
    with os.fdopen(os.dup(1), "wb") as sink:
        result = run_task(sys.stdin.buffer, root)
        sink.write(json.dumps(result).encode())
    return 0
