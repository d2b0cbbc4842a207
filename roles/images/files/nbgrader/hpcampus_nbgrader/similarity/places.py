# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where in a course's directory submissions and reports are; the course's server needs no more of this package in its own process."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

FOLDER = "similarity"


def report_path(root: Path, assignment: str) -> Path:
    """Where the report of an assignment is; the name is one of a directory."""
    return root / FOLDER / f"{assignment}.html"


def has_submissions(root: Path, assignment: str) -> bool:
    """Whether anything of an assignment has been collected; the name is compared, and never taken for a path."""
    students = (root / "submitted").glob("*/")
    return any(one.is_dir() and one.name == assignment for student in students for one in student.iterdir())
