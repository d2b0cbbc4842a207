# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course whose assignment the submissions are of, and what its gradebook says when they are graded.

``python course.py make DIRECTORY [COUNT]`` runs where nbgrader is, with COUNT honest submissions or with the hostile ones;
``python course.py read DIRECTORY`` prints a JSON object: for each student points, comment, flags and what the tests' outputs say.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

from attempts import (  # type: ignore[import-not-found]  # beside this file, wherever it lies
    ANSWER,
    ATTEMPTS,
    ERROR,
    GOOD,
    HONEST,
    VALUES,
    Attempt,
    answer,
)

ASSIGNMENT, NOTEBOOK = "ps1", "problem"
SOLUTION = GOOD.replace("\n", "\n    ### BEGIN SOLUTION\n", 1) + "\n    ### END SOLUTION"
VALUES_TEST = """assert squares(1) == [1]
assert squares(2) == [1, 4]
### BEGIN HIDDEN TESTS
assert squares(11)[10] == 121
### END HIDDEN TESTS"""
ERROR_TEST = """# hint: what does it do with 0?
try:
    squares(0)
except ValueError:
    pass
else:
    raise AssertionError('no error')"""
TESTS = {VALUES: (2, VALUES_TEST), ERROR: (1, ERROR_TEST)}


def source_notebook() -> dict[str, Any]:
    """The assignment as its instructor writes it."""

    def marks(name: str, **more: Any) -> dict[str, Any]:
        shown = {
            "schema_version": 3,
            "grade_id": name,
            "grade": False,
            "solution": False,
            "locked": False,
            "task": False,
        }
        return {"nbgrader": {**shown, **more}}

    def cell(source: str, metadata: dict[str, Any]) -> dict[str, Any]:
        return {"cell_type": "code", "source": source, "metadata": metadata, "outputs": [], "execution_count": None}

    cells = [cell(SOLUTION, marks(ANSWER, solution=True))]
    cells += [cell(text, marks(name, grade=True, locked=True, points=points)) for name, (points, text) in TESTS.items()]
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 4}


def make(directory: Path, attempts: tuple[Attempt, ...]) -> None:
    """Make the course, with a submission of each attempt collected already."""
    source = directory / "source" / ASSIGNMENT
    source.mkdir(parents=True)
    # In a course's server nbgrader would work in the course's own directory and gradebook.
    settings = {"root": str(directory), "db_url": f"sqlite:///{directory}/gradebook.db"}
    lines = [f"c.CourseDirectory.{name} = {value!r}\n" for name, value in settings.items()]
    (directory / "nbgrader_config.py").write_text("c = get_config()\n" + "".join(lines))
    (source / f"{NOTEBOOK}.ipynb").write_text(json.dumps(source_notebook()))
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", ASSIGNMENT, "--create", "--log-level=WARN"]
    subprocess.run(command, cwd=directory, check=True)
    fetched = (directory / "release" / ASSIGNMENT / f"{NOTEBOOK}.ipynb").read_text()
    for one in attempts:
        place = directory / "submitted" / one.name / ASSIGNMENT
        place.mkdir(parents=True)
        notebook = json.loads(fetched)
        one.change(notebook)
        (place / f"{NOTEBOOK}.ipynb").write_text(json.dumps(notebook))
        (place / "timestamp.txt").write_text("2026-11-20 10:00:00.000000 UTC")
        for name, target in one.links:
            (place / name).symlink_to(target)


def read(directory: Path) -> dict[str, dict[str, Any]]:
    """What the gradebook says of each student, what is flagged, and what the autograded notebook shows."""
    from nbgrader.api import Gradebook

    found = {}
    with Gradebook(f"sqlite:///{directory}/gradebook.db") as gradebook:
        for submission in gradebook.assignment_submissions(ASSIGNMENT):
            name = submission.student.id
            flags = directory / ".hpcampus" / "flags" / ASSIGNMENT / f"{name}.json"
            shown = directory / "autograded" / name / ASSIGNMENT / f"{NOTEBOOK}.ipynb"
            found[name] = {
                "points": submission.score,
                "by_hand": submission.needs_manual_grade,
                "comment": [
                    one.auto_comment for book in submission.notebooks for one in book.comments if one.auto_comment
                ],
                "flags": json.loads(flags.read_text())["flags"] if flags.exists() else [],
                "outputs": outputs(json.loads(shown.read_text())) if shown.exists() else None,
            }
    return found


def outputs(notebook: dict[str, Any]) -> list[str]:
    """What the cells show, shortened."""
    return [
        str(one.get("text") or one.get("evalue") or one.get("data"))[:300]
        for cell in notebook["cells"]
        if cell["cell_type"] == "code"
        for one in cell["outputs"]
    ]


if __name__ == "__main__":
    place = Path(sys.argv[2])
    if sys.argv[1] == "read":
        print(json.dumps(read(place)))
    elif len(sys.argv) > 3:
        make(
            place,
            tuple(Attempt(f"s{number:03}", "", answer(f"{GOOD}\n# {number}")) for number in range(int(sys.argv[3]))),
        )
    else:
        make(place, (*HONEST, *ATTEMPTS))
