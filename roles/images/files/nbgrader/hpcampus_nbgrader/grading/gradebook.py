# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What autograding reads from the gradebook and writes into it besides nbgrader's own preprocessors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from nbformat import NotebookNode
from nbformat.v4 import new_notebook

from .flags import CODE, LEAK, Flag
from .structure import Expected, expected_cells

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from nbgrader.api import Gradebook

COMMENT = "For a person to look at: {}"
_FOR_GRADERS_ONLY = (CODE, LEAK)
"""Kinds of flags that a comment does not tell: it reaches the student."""


def assignment_cells(gradebook: Gradebook, assignment: str) -> dict[str, list[Expected]]:
    """The cells of each notebook of an assignment, by the notebook's name."""
    return {one.name: expected_cells(one) for one in gradebook.find_assignment(assignment).notebooks}


def empty_notebook(gradebook: Gradebook, assignment: str, name: str, cells: Iterable[Expected]) -> NotebookNode:
    """A notebook of the assignment as nobody has worked on it; it stands for a submission that cannot be read."""
    kernelspec = gradebook.find_notebook(name, assignment).kernelspec
    found: NotebookNode = new_notebook(cells=[one.cell() for one in cells])
    found.metadata["kernelspec"] = NotebookNode(
        json.loads(kernelspec) if kernelspec else {"name": "python3", "display_name": "Python 3"}
    )
    return found


def mark(gradebook: Gradebook, assignment: str, student: str, flags: Sequence[Flag]) -> None:
    """Have the formgrader list flagged notebooks for grading by hand, and say why in the first comment of each."""
    submission: Any = gradebook.find_submission(assignment, student)
    for notebook in submission.notebooks:
        own = [flag for flag in flags if flag.notebook in ("", notebook.name)]
        if not own:
            continue
        for grade in notebook.grades:
            grade.needs_manual_grade = True
        told = " ".join(flag.text for flag in own if flag.kind not in _FOR_GRADERS_ONLY)
        if told and notebook.comments:
            notebook.comments[0].auto_comment = COMMENT.format(told)[:4000]
    gradebook.db.commit()
