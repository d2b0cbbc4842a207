# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What of a test cell a student may see, and what its failure says: the text outside the marks of hidden tests, and no more.

A failure is put together from the cell's own visible source and the line on which it stopped. The traceback itself is never shown: it
quotes the lines around the one that failed, and the hidden ones may be among them.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Any

from .grading.hidden import BEGIN, END, hidden_lines, redact_text

if TYPE_CHECKING:
    from collections.abc import Iterable

NOT_SHOWN = "A check that is not shown has failed."
PLACE = "# (checks that are not shown)"
REPLACED = "[not shown: it quotes a check that is not shown]"

_HINT = re.compile(r"#+ *hint: *(.*)", re.IGNORECASE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")
_ARROW = re.compile(r"^-+> *(\d+)", re.MULTILINE)
_VALUE_MAX = 500


def is_test(cell: Any) -> bool:
    """Whether it is a code cell that gives points for its tests."""
    own = cell.metadata.get("nbgrader", {})
    return bool(cell.cell_type == "code" and own.get("grade") and not own.get("solution"))


def lines_of(cells: Iterable[Any]) -> frozenset[str]:
    """The hidden lines of all cells."""
    return hidden_lines(str(cell.source) for cell in cells if cell.cell_type == "code")


def hidden_numbers(source: str) -> frozenset[int]:
    """Numbers of the lines, from 1, that are hidden or mark where hidden ones are."""
    found, inside = set(), False
    for number, line in enumerate(source.split("\n"), 1):
        mark = BEGIN in line or END in line
        if mark:
            inside = BEGIN in line
        if mark or inside:
            found.add(number)
    return frozenset(found)


def visible(source: str) -> str:
    """The source with one line in place of each hidden part."""
    secret, kept = hidden_numbers(source), []
    for number, line in enumerate(source.split("\n"), 1):
        if number not in secret:
            kept.append(line)
        elif number - 1 not in secret:
            kept.append(PLACE)
    return "\n".join(kept)


def hint(cell: Any) -> str:
    """What the comments `# hint: ...` or `### HINT: ...` of the visible part say."""
    found = (_HINT.search(line) for line in visible(str(cell.source)).split("\n"))
    return " ".join(one[1].strip() for one in found if one)


def message(cell: Any, secret: frozenset[str]) -> str:
    """What the failure of a test cell says to the student: the text of the check, and of the error."""
    errors = [one for one in cell.outputs if one.output_type == "error"]
    if not errors:
        return (
            "The check gave only a part of its points, or wrote a warning."
            if cell.outputs
            else "The check did not run."
        )
    source, error = str(cell.source), errors[0]
    number = _failed_line(error, source)
    masked = hidden_numbers(source)
    if masked and (number is None or number in masked):
        return NOT_SHOWN
    said = f"{error.ename}: {error.evalue}".strip().removesuffix(":")
    text = f"{_statement(source, number)}\n{said}" if number is not None else said
    shown = redact_text(text.strip()[: _VALUE_MAX * 4], secret)
    return NOT_SHOWN if shown != text.strip()[: _VALUE_MAX * 4] else shown


def _failed_line(error: Any, source: str) -> int | None:
    """The line of the cell on which it stopped, from the first part of the traceback that is about the cell itself."""
    plain = _COLOUR.sub("", "\n".join(str(one) for one in error.traceback))
    lines = source.split("\n")
    for one in _ARROW.finditer(plain):
        number = int(one[1])
        quoted = plain[one.end() : plain.find("\n", one.end()) if "\n" in plain[one.end() :] else None].strip()
        # A student's code can make frames and lines; only one that quotes the cell counts.
        if 0 < number <= len(lines) and lines[number - 1].strip() == quoted:
            return number
    return None


def _statement(source: str, number: int) -> str:
    """The whole statement that has the line, without what is hidden."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return source.split("\n")[number - 1].strip()
    best = (number, number)
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and node.lineno <= number <= (node.end_lineno or node.lineno):
            first, last = node.lineno, node.end_lineno or node.lineno
            if not isinstance(node, ast.FunctionDef | ast.ClassDef | ast.For | ast.While | ast.With | ast.If | ast.Try):
                best = (first, last)
    masked = hidden_numbers(source)
    return "\n".join(
        line.strip() for at, line in enumerate(source.split("\n"), 1) if best[0] <= at <= best[1] and at not in masked
    )
