# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Points as a table for spreadsheets."""

import csv
import io
from collections.abc import Container, Iterable, Iterator

from .store import Store
from .store.grades import Grade

COLUMNS = ("assignment", "student", "name", "score", "late_penalty", "points", "max_score", "needs_manual", "released")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(store: Store, slug: str) -> str:
    """The drafts of a course, which are the newest points, as CSV."""
    sheets = store.grades.sheets(slug)
    released = {name for name, sheet in sheets.items() if not sheet.pending}
    written = io.StringIO()
    table = csv.writer(written)
    table.writerow(COLUMNS)
    table.writerows(lines_of(store.grades.listed(slug, released=False), released))
    return written.getvalue()


def lines_of(grades: Iterable[Grade], released: Container[str]) -> Iterator[list[str]]:
    """The lines of the table, one for each student and assignment.

    Args:
        grades: what they tell.
        released: assignments whose points students see as they are here.
    """
    for grade in grades:
        score = grade.score
        yield [
            *(cell(one) for one in (grade.assignment, score.student, grade.name)),
            f"{score.score:g}",
            f"{score.late_penalty:g}",
            f"{max(0.0, score.score - score.late_penalty):g}",
            f"{score.max_score:g}",
            "yes" if score.needs_manual else "no",
            "yes" if grade.assignment in released else "no",
        ]


def cell(text: str) -> str:
    """A text as a cell: one that a spreadsheet would take for a formula gets an apostrophe."""
    return f"'{text}" if text.startswith(_FORMULA) else text
