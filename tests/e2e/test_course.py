# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course from the released assignment to the grades, over two accounts' servers and the course's own."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING

from tests.e2e.conftest import COMPUTE
from tests.e2e.notebook import LISTENERS

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

# For so many seconds, listens to everything that publishes on the node, and to a kernel of its own making.
OVERHEAR = """
import json, pathlib, time, zmq
context, seen, heard, mine = zmq.Context(), set(), [], "published-by-the-listener-itself"
speaker, ears = context.socket(zmq.PUB), context.socket(zmq.SUB)
speaker.bind_to_random_port("tcp://127.0.0.1")
ears.subscribe("")
end = time.time() + {seconds}
while time.time() < end:
    for line in pathlib.Path("/proc/net/tcp").read_text().splitlines()[1:]:
        address, port = line.split()[1].split(":")
        if line.split()[3] == "0A" and address in ("0100007F", "00000000") and port not in seen:
            seen.add(port)
            ears.connect(f"tcp://127.0.0.1:{int(port, 16)}")
    speaker.send_string(mine)
    while ears.poll(20):
        heard.append(b" ".join(ears.recv_multipart()).decode(errors="replace"))
context.destroy(0)
text = "".join(heard)
print(json.dumps([mine in text, "half" + "(3)" in text]))
"""
# For so many seconds, notes what listens in this container and how many kernels it has.
WATCH = (
    LISTENERS.replace("print(", "first = (")
    + """
import time
ports, most, end = set(), 0, time.time() + {seconds}
while time.time() < end:
    found, kernels = listeners()
    ports.update(found)
    most = max(most, len(kernels))
    time.sleep(0.1)
print(json.dumps([sorted(ports), most]))
"""
)


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
        home = f"/shared/hpcampus/users/{student}/home"
        # The cache holds what the student submitted earlier.
        platform.on("login", "rm", "-rf", f"{home}/{COURSE}", f"{home}/.local/share/jupyter/nbgrader_cache")
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


@contextlib.asynccontextmanager
async def on_one_node(platform: Platform) -> AsyncIterator[None]:
    """Let all jobs that begin in the block run on the same node."""
    for node in COMPUTE[1:]:
        platform.on("login", "scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
    try:
        yield
    finally:
        for node in COMPUTE[1:]:
            platform.on("login", "scontrol", "update", f"nodename={node}", "state=resume")


async def test_a_neighbour_cannot_listen_to_the_grading(platform: Platform):
    """What grading publishes holds the hidden tests; it must not pass by the network that all jobs of a node share."""
    slow = "import time\ntime.sleep(6)\ndef half(x):\n    return x / 2"
    submission = f"/shared/hpcampus/courses/{COURSE}/exchange/{COURSE}/inbound/student1"
    platform.on("login", "find", submission, "-mindepth", "1", "-delete", good=(0, 1))
    platform.on("login", "rm", "-rf", f"/shared/hpcampus/users/student1/home/{COURSE}")
    async with on_one_node(platform), teaching(platform) as course:
        await course.cell(SOURCE.replace("ps1", "ps2"))
        await run(
            course, "rm -rf submitted/student1/ps2 autograded/student1/ps2", "nbgrader generate_assignment ps2 --force",
            "nbgrader release_assignment ps2 --force", where="/course",
        )  # fmt: skip
        async with platform.running("student1", course=COURSE) as student:
            await run(student, "nbgrader fetch_assignment ps2")
            folder = await student.cell(SOLVE.replace("ps1", "ps2").format(source=slow))
            await run(student, f"nbgrader validate {folder}/half.ipynb", "nbgrader submit ps2")
        await run(course, "nbgrader collect ps2", where="/course")

        async with platform.running("student2") as neighbour:
            assert await neighbour.node() == await course.node() == COMPUTE[0]
            async with asyncio.TaskGroup() as tasks:
                overheard = tasks.create_task(neighbour.json_cell(OVERHEAR.replace("{seconds}", "45")))
                watched = tasks.create_task(course.json_cell(WATCH.replace("{seconds}", "40")))
                await asyncio.sleep(4)
                await run(course, "nbgrader autograde ps2 --create --force", where="/course")
                path = f"/user/course-{COURSE}/formgrader/api/submission/ps2/student1/autograde"
                answer = await course.ask("POST", path, body="", headers={"Content-Type": "application/json"})
                assert answer.code == 200, answer.body
                assert json.loads(answer.body)["success"], answer.body
    listening, kernels = watched.result()
    heard_itself, heard_hidden_test = overheard.result()
    assert listening == []
    assert kernels >= 3, "the watching cell's, the command's, and the one that grades"
    assert heard_itself, "the neighbour must be able to hear what is on the network"
    assert not heard_hidden_test


async def test_a_submission_that_cannot_be_collected_does_not_keep_others_from_it(platform: Platform):
    """Whatever one student hands in, the class is collected; the instructor is told who was left out and why."""
    inbound = f"/shared/hpcampus/courses/{COURSE}/exchange/{COURSE}/inbound"
    made = "x+ps3+2026-01-01 10:00:00.000001 UTC+Zm9v"
    try:
        for student in ("student1", "student2"):
            as_jobs = ("runuser", "-u", "hpcampus", "--")
            platform.on("login", *as_jobs, "mkdir", "-p", f"{inbound}/{student}/{made}")
        platform.on("login", *as_jobs, "truncate", "--size", "1G", f"{inbound}/student1/{made}/data")
        async with teaching(platform) as course:
            status, output = await course.json_cell(shell("nbgrader collect ps3 --update", where="/course"))
            there = await course.json_cell(
                "import json, pathlib\n"
                "print(json.dumps(sorted(path.parent.name for path in pathlib.Path('/course/submitted').glob('*/ps3'))))"
            )
            await run(course, "rm -rf submitted/student1/ps3 submitted/student2/ps3", where="/course")
        assert status == 1
        assert "Left out student1: it has 1073741824 bytes" in output
        assert there == ["student2"]
    finally:
        for student in ("student1", "student2"):
            platform.on("login", "rm", "-rf", f"{inbound}/{student}/{made}")


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
