# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Checks that run inside a freshly built image, as the ordinary account, before the image is published.

Usage: inside.py packages | notebook | extensions student|course | assignment PATH | answer PATH
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys

IMPORTS = (
    "jupyterhub", "jupyterlab", "notebook", "nbgrader", "nbgitpuller", "ipykernel", "numpy", "scipy", "pandas",
    "matplotlib.pyplot", "sklearn", "hpcampus_nbgrader.exchange",
)  # fmt: skip
SLOW_IMPORTS = ("rfc3987_syntax", "lark")
ANSWER = "hpcampus-image-check 55"


def packages() -> None:
    """Import what users were promised; the packages that only cost start time must be gone."""
    for name in IMPORTS:
        importlib.import_module(name)
    for name in SLOW_IMPORTS:
        if importlib.util.find_spec(name) is not None:
            sys.exit(f"{name} is in the image: it doubles the start time of a server and must be removed.")


def notebook() -> None:
    """Execute a notebook with a real kernel."""
    import nbclient
    import nbformat

    code = (
        "import matplotlib; matplotlib.use('agg')\n"
        "import numpy, pandas, matplotlib.pyplot, sklearn.linear_model\n"
        "frame = pandas.DataFrame({'x': numpy.arange(11)})\n"
        "frame.plot()\n"
        "print('hpcampus-image-check', frame['x'].sum())"
    )
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(code)])
    nbclient.NotebookClient(book, timeout=300, kernel_name="python3").execute()
    text = "".join(output.get("text", "") for output in book.cells[0].outputs)
    if ANSWER not in text:
        sys.exit(f"The notebook printed {text!r} instead of {ANSWER!r}.")


def extensions(role: str) -> None:
    """Compare what the server says it loads with what a server of this role must load."""
    listed = subprocess.run(
        ["jupyter", "server", "extension", "list"], check=True, capture_output=True, text=True, timeout=300
    )
    lines = (listed.stdout + listed.stderr).splitlines()
    states = {words[0]: words[1] for line in lines if len(words := line.split()) > 1 and words[1] in _STATES}
    wanted = {
        "nbgitpuller": True,
        "nbgrader.server_extensions.formgrader": role == "course",
        "nbgrader.server_extensions.assignment_list": role == "student",
    }
    wrong = [name for name, on in wanted.items() if (states.get(name) == "enabled") is not on]
    if wrong:
        sys.exit(f"Server extensions {wrong} are not as a {role}'s server needs them: {states}")


_STATES = ("enabled", "disabled")


def assignment(path: str) -> None:
    """Write the source notebook of a tiny assignment: one answer, one test, one hidden test."""
    import nbformat

    def cell(source: str, grade_id: str, *, grade: bool, solution: bool) -> nbformat.NotebookNode:
        made = nbformat.v4.new_code_cell(source)
        made.metadata["nbgrader"] = {
            "schema_version": 3, "grade": grade, "solution": solution, "locked": grade, "task": False,
            "grade_id": grade_id, "cell_type": "code", **({"points": 2} if grade else {}),
        }  # fmt: skip
        return made

    answer = "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION"
    test = "assert square(2) == 4\n### BEGIN HIDDEN TESTS\nassert square(3) == 9\n### END HIDDEN TESTS"
    book = nbformat.v4.new_notebook(
        cells=[
            cell(answer, "square", grade=False, solution=True),
            cell(test, "test-square", grade=True, solution=False),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    os.makedirs(os.path.dirname(path), exist_ok=True)
    nbformat.write(book, path)


def answer(path: str) -> None:
    """Solve the fetched assignment as a student would; the hidden test must not be in it."""
    import nbformat

    book = nbformat.read(path, 4)
    if "HIDDEN" in json.dumps(book) or "square(3)" in json.dumps(book):
        sys.exit("The released assignment shows its hidden test.")
    book.cells[0].source = "def square(x):\n    return x * x"
    nbformat.write(book, path)


def score(student: str) -> None:
    """Print the gradebook's score of the student."""
    from nbgrader.api import Gradebook

    with Gradebook("sqlite:////course/gradebook.db", "check") as gradebook:
        found = [one.student.id for one in gradebook.assignment_submissions("ps1")]
        if found != [student]:
            sys.exit(f"The gradebook has submissions of {found} instead of {student}.")
        submission = gradebook.find_submission("ps1", student)
        if (submission.score, submission.max_score) != (2, 2):
            sys.exit(f"Autograding gave {submission.score} of {submission.max_score} points to a right answer.")


if __name__ == "__main__":
    commands = {
        "packages": packages, "notebook": notebook, "extensions": extensions, "assignment": assignment,
        "answer": answer, "score": score,
    }  # fmt: skip
    commands[sys.argv[1]](*sys.argv[2:])
