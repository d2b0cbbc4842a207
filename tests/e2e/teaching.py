# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What instructors and students of the demo's course do, as cells and commands in their notebooks."""

from __future__ import annotations

import contextlib
import json
import secrets
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Notebook

COURSE = "physics101"
OWNER = f"course-{COURSE}"

# Cells of an assignment: (source, grade_id, fields of nbgrader's metadata).
HALF = (
    ("def half(x):\n    ### BEGIN SOLUTION\n    return x / 2\n    ### END SOLUTION", "half", {"solution": True}),
    (
        "# hint: halve 4\nassert half(4) == 2, 'half of 4 is not 2'\n### BEGIN HIDDEN TESTS\nassert half(3) == 1.5\n### END HIDDEN TESTS",
        "test_half",
        {"grade": True, "locked": True, "points": 2},
    ),
)
WRITE = """
import nbformat, pathlib
from nbformat.v4 import new_code_cell, new_notebook

plain = {{"schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False}}
book = new_notebook(
    cells=[
        new_code_cell(text, metadata={{"nbgrader": {{**plain, "grade_id": name, **more}}}}) for text, name, more in {cells!r}
    ],
    metadata={{"kernelspec": {{"name": "python3", "display_name": "Python 3", "language": "python"}}}},
)
folder = pathlib.Path("/course/source/{assignment}")
folder.mkdir(parents=True, exist_ok=True)
nbformat.write(book, folder / "half.ipynb")
print("written")
"""
SOLVE = """
import nbformat, pathlib
path = next(path for path in (pathlib.Path({assignment!r}), pathlib.Path({course!r}, {assignment!r})) if path.is_dir()) / {notebook!r}
book = nbformat.read(path, 4)
for cell in book.cells:
    name = cell.metadata.get("nbgrader", {{}}).get("grade_id")
    if name in {answers!r}:
        cell.source = {answers!r}[name]
nbformat.write(book, path)
print(path.parent)
"""
# Asks the service of the courses with the server's own token, as the commands of nbgrader do.
ASK = """
import json, os, urllib.error, urllib.parse, urllib.request
api = urllib.parse.urlsplit(os.environ["JUPYTERHUB_API_URL"])
base = f"{{api.scheme}}://{{api.netloc}}{{os.environ['JUPYTERHUB_BASE_URL']}}services/courses/api/v1/"
token = {{"Authorization": "token " + os.environ["JUPYTERHUB_API_TOKEN"]}}
request = urllib.request.Request(base + {path!r}, method={method!r}, headers=token)
try:
    with urllib.request.urlopen(request, timeout=30) as answer:
        print(json.dumps([answer.status, answer.read().decode("utf-8", "replace")[:200_000]]))
except urllib.error.HTTPError as error:
    print(json.dumps([error.code, error.read().decode("utf-8", "replace")[:2000]]))
"""


def new_assignment() -> str:
    """Name an assignment that no earlier run has."""
    return f"ps-{secrets.token_hex(4)}"


def shell(*commands: str, where: str = ".") -> str:
    """Give a cell that runs commands and prints the status and output of the last."""
    return (
        "import json, subprocess\n"
        f"for argv in {[command.split() for command in commands]!r}:\n"
        f"    done = subprocess.run(argv, cwd={where!r}, capture_output=True, text=True)\n"
        "    if done.returncode:\n"
        "        break\n"
        "print(json.dumps([done.returncode, done.stdout + done.stderr]))"
    )


async def run(notebook: Notebook, *commands: str, where: str = ".") -> str:
    """Run commands in a notebook; all must succeed."""
    status, output = await notebook.json_cell(shell(*commands, where=where))
    assert status == 0, output
    return str(output)


async def ask_service(notebook: Notebook, path: str, method: str = "GET") -> tuple[int, Any]:
    """Ask the service of the courses from a notebook; gives the status and what was answered, read if it is JSON."""
    status, text = await notebook.json_cell(ASK.format(path=path, method=method))
    try:
        return status, json.loads(text)
    except ValueError:
        return status, text


@contextlib.asynccontextmanager
async def teaching(platform: Platform, who: str = "instructor") -> AsyncIterator[Notebook]:
    """Let an instructor start the course's own server."""
    notebook = platform.notebook(who, owner=OWNER)
    try:
        await notebook.login()
        await notebook.stop()
        await notebook.start()
        yield notebook
    finally:
        await notebook.close()


async def write_assignment(course: Notebook, assignment: str, cells: Any = HALF) -> None:
    """Write the source of an assignment with one notebook, half.ipynb."""
    assert await course.cell(WRITE.format(cells=cells, assignment=assignment)) == "written"


async def release(course: Notebook, assignment: str) -> None:
    """Make the students' version and hand it out."""
    await run(
        course, f"nbgrader generate_assignment {assignment}", f"nbgrader release_assignment {assignment}",
        where="/course",
    )  # fmt: skip


async def solve(student: Notebook, assignment: str, answers: dict[str, str], notebook: str = "half.ipynb") -> str:
    """Put answers, by grade_id, into a fetched assignment; gives its directory."""
    return await student.cell(SOLVE.format(assignment=assignment, course=COURSE, answers=answers, notebook=notebook))
