# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What feedback shows of a notebook: hidden tests stay hidden, and failures say what may be said."""

from __future__ import annotations

from typing import Any

from nbformat.v4 import new_output
from nbgrader.preprocessors import NbGraderPreprocessor

from . import hidden
from .grading.hidden import redact


class HideHiddenTests(NbGraderPreprocessor):
    """Takes hidden tests out of the cells, and out of everything that was printed."""

    def preprocess(self, nb: Any, resources: Any) -> tuple[Any, Any]:
        """Go through the notebook."""
        secret = hidden.lines_of(nb.cells)
        for cell in nb.cells:
            if cell.cell_type != "code":
                continue
            if hidden.is_test(cell) and hidden.hidden_numbers(str(cell.source)):
                self._replace_failures(cell, secret)
            cell.source = hidden.visible(str(cell.source))
            for output in cell.outputs:
                redact(output, secret)
        return nb, resources

    def _replace_failures(self, cell: Any, secret: frozenset[str]) -> None:
        """A traceback quotes the lines around the one that failed; the student reads which visible check it was instead."""
        said = hidden.message(cell, secret)
        cell.outputs = [
            new_output("stream", name="stderr", text=said + "\n") if one.output_type == "error" else one
            for one in cell.outputs
        ]
