# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From sanitised notebooks to a task for the sandbox, and from its result back to the notebooks.

After every test an extra cell follows, a check of the checks: it holds an assertion that must fail, and prints a word when it does. The
word is made anew for every run.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import nbformat
from nbgrader import utils

from hpcampus_nbgrader.sandbox.task import Cell, Limits, Notebook, Task

from . import flags
from .flags import Flag
from .hidden import redact

if TYPE_CHECKING:
    from collections.abc import Mapping

    from nbformat import NotebookNode

CANARY = "try:\n    assert {} == {}\nexcept AssertionError:\n    print({!r})\n"
CANARY_LANGUAGES = frozenset({"python"})
NOT_RUN, TAMPERED = "NotRun", "TestsDoNotWork"
_WORD_BYTES = 12


@dataclass(frozen=True)
class Plan:
    """A submission as the sandbox gets it.

    Attributes:
        notebooks: By name, the sanitised notebook.
        files: By name in the working directory, the path of a file.
        hidden: Lines of hidden tests.
        isolate: Whether tests run in a process of their own.
        limits: What the cells may use.
    """

    notebooks: Mapping[str, NotebookNode]
    files: Mapping[str, str]
    hidden: frozenset[str] = frozenset()
    isolate: bool = False
    limits: Limits = field(default_factory=Limits)

    def task(self) -> Task:
        """The task without checks of the checks: the same submission gives the same task."""
        return Task(
            tuple(_notebook(name, self.notebooks[name]) for name in sorted(self.notebooks)), self.limits, self.isolate
        )

    def digest(self, image_version: str) -> str:
        """What tells this submission, run in this image within these limits, from every other."""
        found = hashlib.sha256(json.dumps([image_version, self.task().to_json()], sort_keys=True).encode())
        for name, path in sorted(self.files.items()):
            with open(path, "rb") as stream:  # noqa: PTH123 (a path out of a mapping of texts)
                content = hashlib.file_digest(stream, "sha256")
            found.update(f"\0{name}\0{content.hexdigest()}".encode())
        return found.hexdigest()


def _notebook(name: str, notebook: NotebookNode) -> Notebook:
    spec = notebook.metadata.get("kernelspec", {})
    language = str(spec.get("language", "python")).lower()
    cells = tuple(Cell(cell.source, is_test(cell)) for cell in notebook.cells if cell.cell_type == "code")
    return Notebook(name, cells, language, str(spec.get("name", "python3")))


def is_test(cell: NotebookNode) -> bool:
    """Whether a cell is scored by its outputs."""
    return bool(cell.cell_type == "code" and utils.is_grade(cell) and not utils.is_solution(cell))


def with_canaries(task: Task, word: str) -> Task:
    """The task with a check of the checks after every test."""
    return replace(task, notebooks=tuple(_with_canaries(one, word) for one in task.notebooks))


def _with_canaries(notebook: Notebook, word: str) -> Notebook:
    if notebook.language not in CANARY_LANGUAGES:
        return notebook
    cells: list[Cell] = []
    for cell in notebook.cells:
        cells.append(cell)
        if cell.test:
            one = secrets.randbelow(10**9)
            cells.append(Cell(CANARY.format(one, one + 1 + secrets.randbelow(10**6), word), test=True, quiet=True))
    return replace(notebook, cells=tuple(cells))


def new_word() -> str:
    """A word that nobody knows before the run."""
    return secrets.token_hex(_WORD_BYTES)


def apply(plan: Plan, result: Mapping[str, Any], word: str) -> list[Flag]:
    """Put the outputs of a result into the notebooks of a plan.

    Args:
        plan: what was run; its notebooks get outputs.
        result: what the sandbox gave, or an object with ``error`` alone.
        word: that of the checks of the checks, or "" without them.

    Returns:
        What a person should look at.
    """
    found: list[Flag] = []
    given = result.get("notebooks")
    results = {one.get("name"): one for one in given if isinstance(one, dict)} if isinstance(given, list) else {}
    for name, notebook in plan.notebooks.items():
        one = results.get(name, {})
        reason = str(result.get("error") or one.get("stopped") or "")[:500]
        given = one.get("cells")
        cells: list[Any] = given if isinstance(given, list) else []
        code = [cell for cell in notebook.cells if cell.cell_type == "code"]
        canaries = word and _notebook(name, notebook).language in CANARY_LANGUAGES
        wanted = len(code) + (sum(is_test(cell) for cell in code) if canaries else 0)
        if len(cells) != wanted:
            cells, reason = [], reason or "The result of the run cannot be read."
        if one.get("forged"):
            found.append(
                Flag(name, flags.TESTS, "It said in the sandbox's name that cells were done; that was not believed.")
            )
        found += _fill(code, cells, reason, word if canaries else "", name)
        found += _redact(notebook, plan.hidden, name)
    return found


def _fill(code: list[NotebookNode], cells: list[Any], reason: str, word: str, name: str) -> list[Flag]:
    """Give each code cell its outputs; a cell that did not run has an error instead."""
    found: list[Flag] = []
    given, missing = iter(cells), False
    count = 0
    for cell in code:
        ran = _take(cell, next(given, {}), reason)
        missing = missing or not ran
        count += ran
        cell.execution_count = count if ran else None
        if not (word and is_test(cell)):
            continue
        canary: Any = next(given, {})
        if ran and isinstance(canary, dict) and canary.get("ran") is True and not _sings(canary, word):
            text = f"An assertion that must fail did not fail after the test {cell.metadata.nbgrader['grade_id']}."
            found.append(Flag(name, flags.TESTS, f"{text} The test counts as failed."))
            cell.outputs.append(error(TAMPERED, "Assertions did not work when this test ran."))
    if missing:
        found.append(Flag(name, flags.NOT_RUN, reason or "Not all cells ran."))
    return found


def _take(cell: NotebookNode, given: Any, reason: str) -> bool:
    """Give a cell the outputs that came for it; returns whether it ran."""
    ran = isinstance(given, dict) and given.get("ran") is True
    outputs = given.get("outputs") if isinstance(given, dict) else None
    cell.outputs = []
    for output in outputs if isinstance(outputs, list) else []:
        try:
            node = nbformat.from_dict(output)
            nbformat.validate(node, ref="output", version=4)
        except Exception:  # noqa: BLE001 (whatever a submission puts into an output)
            node = error("OutputError", "This output cannot be read.")
        cell.outputs.append(node)
    if not ran:
        cell.outputs.append(error(NOT_RUN, f"This cell did not run. {reason}".strip()))
    return ran


def _sings(canary: Mapping[str, Any], word: str) -> bool:
    outputs = canary.get("outputs")
    return isinstance(outputs, list) and any(
        isinstance(one, dict) and one.get("name") == "stdout" and word in str(one.get("text")).split("\n")
        for one in outputs
    )


def error(name: str, text: str) -> NotebookNode:
    """An output that counts as a failure."""
    found: NotebookNode = nbformat.v4.new_output("error", ename=name, evalue=text, traceback=[f"{name}: {text}"])
    return found


def _redact(notebook: NotebookNode, hidden: frozenset[str], name: str) -> list[Flag]:
    """Take hidden tests out of the outputs of all cells but the tests, whose own outputs are the instructor's to see."""
    shown = False
    for cell in notebook.cells:
        if cell.cell_type == "code" and not is_test(cell):
            for output in cell.outputs:
                shown = redact(output, hidden) or shown
    return [Flag(name, flags.LEAK, "It prints the text of a hidden test; the text was taken out.")] if shown else []
