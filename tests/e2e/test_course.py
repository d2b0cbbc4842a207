# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course from the released assignment to the grades, over two accounts' servers and the course's own."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Notebook

COURSE = "physics101"
SOURCE = """
import nbformat
from nbformat.v4 import new_code_cell, new_notebook
import pathlib

def cell(text, grade_id, **more):
    meta = {"grade_id": grade_id, "schema_version": 3, "grade": False, "solution": False, "locked": False, "task": False, **more}
    return new_code_cell(text, metadata={"nbgrader": meta})

book = new_notebook(cells=[
    cell("def half(x):\\n    ### BEGIN SOLUTION\\n    return x / 2\\n    ### END SOLUTION", "half", solution=True),
    cell("assert half(4) == 2\\n### BEGIN HIDDEN TESTS\\nassert half(3) == 1.5\\n### END HIDDEN TESTS", "test_half",
         grade=True, locked=True, points=2),
], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}})
folder = pathlib.Path("/course/source/ps1")
folder.mkdir(parents=True, exist_ok=True)
nbformat.write(book, folder / "half.ipynb")
print("written")
"""
SOLVE = """
import nbformat, pathlib
path = pathlib.Path("ps1/half.ipynb")
if not path.exists():
    path = pathlib.Path("physics101/ps1/half.ipynb")
book = nbformat.read(path, 4)
book.cells[0].source = {source!r}
nbformat.write(book, path)
print(path.parent)
"""


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


@contextlib.asynccontextmanager
async def teaching(platform: Platform) -> AsyncIterator[Notebook]:
    """Let the instructor start the course's own server."""
    notebook = platform.notebook("instructor", owner=f"course-{COURSE}")
    try:
        await notebook.login()
        await notebook.stop()
        await notebook.start()
        yield notebook
    finally:
        await notebook.close()


async def test_an_assignment_from_release_to_grades(platform: Platform):
    for place in (f"exchange/{COURSE}/outbound", f"exchange/{COURSE}/inbound", "course"):
        path = f"/shared/hpcampus/courses/{COURSE}/{place}"
        platform.on("login", "find", path, "-mindepth", "1", "-delete", good=(0, 1))
    for student in ("student1", "student2"):
        platform.on("login", "rm", "-rf", f"/shared/hpcampus/users/{student}/home/{COURSE}")
    async with teaching(platform) as course:
        assert await course.cell(SOURCE) == "written"
        await run(course, "nbgrader generate_assignment ps1", "nbgrader release_assignment ps1", where="/course")

    for student, source in (
        ("student1", "def half(x):\n    return x / 2"),
        ("student2", "def half(x):\n    return x // 2"),
    ):
        async with platform.running(student, course=COURSE) as notebook:
            assert "ps1" in await run(notebook, "nbgrader list")
            await run(notebook, "nbgrader fetch_assignment ps1")
            hidden = await notebook.cell(
                "import subprocess\n"
                "argv = ['grep', '-rlF', '--include=*.ipynb', 'half' + '(3)', '.', '/srv/nbgrader']\n"
                "print(subprocess.run(argv, capture_output=True, text=True).stdout)"
            )
            assert "ps1" not in hidden, "the hidden test must not reach the student"
            await notebook.cell(SOLVE.format(source=source))
            await run(notebook, "nbgrader submit ps1")
            if student == "student2":
                await look_around(notebook)

    async with teaching(platform) as course:
        await run(course, "nbgrader collect ps1", "nbgrader autograde ps1 --create", where="/course")
        grades = await course.json_cell(
            "import json\nfrom nbgrader.api import Gradebook\n"
            "with Gradebook('sqlite:////course/gradebook.db') as book:\n"
            "    print(json.dumps({s.student.id: s.score for s in book.assignment_submissions('ps1')}))"
        )
    assert grades == {"student1": 2.0, "student2": 0.0}


async def look_around(notebook: Notebook) -> None:
    """Look for what belongs to others, and submit in somebody else's name."""
    found = await notebook.json_cell(
        "import json, pathlib, shutil\n"
        f"inbound = pathlib.Path('/srv/nbgrader/exchange/{COURSE}/inbound')\n"
        "names = sorted(p.name for p in inbound.iterdir())\n"
        "shutil.copytree(inbound / names[0], inbound / names[0].replace('hpcampus+', 'student1+'))\n"
        "try:\n"
        f"    pathlib.Path('/srv/nbgrader/exchange/{COURSE}/outbound/x').write_text('x')\n"
        "    released = 'writable'\n"
        "except OSError:\n"
        "    released = 'read-only'\n"
        "print(json.dumps([names, released, pathlib.Path('/course/gradebook.db').exists()]))"
    )
    assert len(found[0]) == 1, "only her own submission is there"
    assert found[1:] == ["read-only", False]


async def test_only_instructors_open_the_server_of_a_course(platform: Platform):
    async with teaching(platform) as course:
        assert (
            json.loads((await course.ask("GET", f"/user/course-{COURSE}/formgrader/api/assignments")).body or "null")
            is not None
        )
        student = platform.notebook("student1", owner=f"course-{COURSE}")
        try:
            await student.login()
            for path in ("api/contents", "formgrader", "lab"):
                answer = await student.ask("GET", f"/user/course-{COURSE}/{path}")
                assert answer.code in {302, 403, 404}, (path, answer.code)
            answer = await student.ask("DELETE", f"/hub/api/users/course-{COURSE}/server")
            assert answer.code in {403, 404}
            answer = await student.ask("POST", f"/hub/api/users/course-{COURSE}/server", json={})
            assert answer.code in {403, 404}
        finally:
            student.drop()
