# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Puts a submitted notebook's structure right before nbgrader looks at it: every cell of the assignment once, with its own marks.

nbgrader restores the text of locked cells, but believes a notebook which of its cells are graded. What differs from the assignment
as the gradebook knows it is put back where that can be done, and told in any case.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from nbformat.v4 import new_code_cell, new_markdown_cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from nbformat import NotebookNode

SCHEMA_VERSION = 3


@dataclass(frozen=True)
class Expected:
    """A cell of the assignment as the gradebook knows it."""

    name: str
    cell_type: str
    source: str
    checksum: str
    grade: bool = False
    solution: bool = False
    locked: bool = False
    task: bool = False
    points: float = 0.0

    def metadata(self) -> dict[str, Any]:
        """What nbgrader writes into the cell."""
        found = {
            "schema_version": SCHEMA_VERSION,
            "grade_id": self.name,
            "grade": self.grade,
            "solution": self.solution,
            "locked": self.locked,
            "task": self.task,
            "checksum": self.checksum,
            "cell_type": self.cell_type,
        }
        return {**found, "points": self.points} if self.grade or self.task else found

    def cell(self) -> NotebookNode:
        """The cell as the assignment has it."""
        make = new_code_cell if self.cell_type == "code" else new_markdown_cell
        cell: NotebookNode = make(source=self.source, metadata={"nbgrader": self.metadata()})
        return cell

    @property
    def what(self) -> str:
        """What it is, for a person."""
        if self.grade and not self.solution:
            return "test"
        return "answer" if self.solution or self.task else "locked cell"


def expected_cells(notebook: Any) -> list[Expected]:
    """The cells of an assignment's notebook, an nbgrader.api.Notebook, in order."""
    graded = {cell.name: cell for cell in notebook.grade_cells}
    tasks = {cell.name: cell for cell in notebook.task_cells}
    solutions = {cell.name for cell in notebook.solution_cells}
    return [
        Expected(
            source.name,
            source.cell_type,
            source.source or "",
            source.checksum or "",
            grade=source.name in graded,
            solution=source.name in solutions,
            locked=bool(source.locked),
            task=source.name in tasks,
            points=float((graded.get(source.name) or tasks.get(source.name) or _NO_POINTS).max_score),
        )
        for source in notebook.source_cells
    ]


class _NoPoints:
    max_score = 0.0


_NO_POINTS = _NoPoints()


def name_of(cell: NotebookNode) -> str | None:
    """The name that a cell says it has."""
    marks = cell.get("metadata", {}).get("nbgrader")
    name = marks.get("grade_id") if isinstance(marks, dict) else None
    return name if isinstance(name, str) else None


def restore(notebook: NotebookNode, expected: Sequence[Expected]) -> list[str]:
    """Give every cell of the assignment its own marks, put back what is missing, and take the marks from all others.

    Returns:
        What was different, a sentence each.
    """
    told: list[str] = []
    known = {one.name: one for one in expected}
    found: dict[str, list[NotebookNode]] = {}
    for cell in notebook.cells:
        name = name_of(cell)
        if name in known:
            found.setdefault(str(name), []).append(cell)
        elif "nbgrader" in cell.metadata:
            if _is_marked(cell):
                told.append(
                    f"A cell called {str(name)[:60]!r} is not part of the assignment; it counts as an ordinary one."
                )
            del cell.metadata["nbgrader"]
    kept: dict[str, NotebookNode] = {}
    for one in expected:
        cells = found.get(one.name, [])
        if not cells:
            continue
        if len(cells) > 1:
            told.append(f"The {one.what} {one.name} was there {len(cells)} times; the last one counts.")
            for copy in cells[:-1]:
                del copy.metadata["nbgrader"]
        kept[one.name] = cells[-1]
        told += _put_right(cells[-1], one)
    told += _order(notebook, expected, kept)
    told += _put_back(notebook, expected, kept)
    return told


def _is_marked(cell: NotebookNode) -> bool:
    marks = cell.metadata["nbgrader"]
    return isinstance(marks, dict) and bool(marks.get("grade") or marks.get("solution") or marks.get("locked"))


def _put_right(cell: NotebookNode, one: Expected) -> list[str]:
    """Give a cell its marks, its type, and its text if it is locked."""
    told = []
    marks, right = cell.metadata["nbgrader"], one.metadata()
    changed = [name for name in ("grade", "solution", "locked", "task") if bool(marks.get(name)) != right[name]]
    if "points" in right and not _same_points(marks.get("points"), one.points):
        changed.append("points")
    if changed:
        told.append(f"The {one.what} {one.name} had other marks ({', '.join(changed)}); they were put back.")
    if cell.cell_type != one.cell_type:
        told.append(f"The {one.what} {one.name} was no {one.cell_type} cell; it was made one again.")
        fresh = one.cell()
        fresh.source = cell.source
        cell.clear()
        cell.update(fresh)
    if one.locked and cell.source.strip() != one.source.strip():
        # The text of a test that is released lacks its hidden part, so a difference alone is no news.
        cell.source = one.source
    cell.metadata["nbgrader"] = right
    return told


def _same_points(given: object, right: float) -> bool:
    return isinstance(given, int | float) and float(given) == right


def _order(notebook: NotebookNode, expected: Sequence[Expected], kept: dict[str, NotebookNode]) -> list[str]:
    places = {id(cell): number for number, cell in enumerate(notebook.cells)}
    order = [places[id(kept[one.name])] for one in expected if one.name in kept]
    return [] if order == sorted(order) else ["The cells of the assignment are in another order."]


def _put_back(notebook: NotebookNode, expected: Sequence[Expected], kept: dict[str, NotebookNode]) -> list[str]:
    """Put what is missing after the cell that is before it in the assignment, or at the end when that is not there either."""
    told, before = [], None
    for one in expected:
        if one.name not in kept:
            told.append(f"The {one.what} {one.name} was missing; it was put back.")
            place = len(notebook.cells) if before is None and kept else 0
            if before is not None:
                place = next(number for number, cell in enumerate(notebook.cells) if cell is before) + 1
            kept[one.name] = one.cell()
            notebook.cells.insert(place, kept[one.name])
        before = kept[one.name]
    return told
