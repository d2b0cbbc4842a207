# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course from the released assignment to the grades: two instructors, three students, and nbgrader's own quickstart course."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import TYPE_CHECKING, Any

from tests.e2e.conftest import COMPUTE
from tests.e2e.notebook import LISTENERS
from tests.e2e.teaching import (
    COURSE,
    OWNER,
    ask_service,
    new_assignment,
    release,
    run,
    solve,
    teaching,
    write_assignment,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Notebook

STUDENTS = ("student1", "student2", "student3")
# nbgrader's own example course, under a name that no earlier run has.
QUICKSTART = """
import pathlib, shutil, subprocess, tempfile
work = pathlib.Path(tempfile.mkdtemp())
subprocess.run(["nbgrader", "quickstart", "example"], cwd=work, check=True, capture_output=True)
shutil.copytree(work / "example" / "source" / "ps1", "/course/source/{assignment}")
print(sorted(path.name for path in pathlib.Path("/course/source/{assignment}").glob("*.ipynb")))
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

RIGHT = {
    "squares": "def squares(n):\n    if n < 1:\n        raise ValueError('n')\n    return [i ** 2 for i in range(1, n + 1)]",
    "sum_of_squares": "def sum_of_squares(n):\n    return sum(squares(n))",
}
# What each student hands in last, and the points that follow from it without a person.
WORK: dict[str, tuple[dict[str, str], float]] = {
    "student1": (RIGHT, 3.0),
    "student2": ({**RIGHT, "squares": "def squares(n):\n    return [i ** 2 for i in range(1, n + 1)]"}, 2.0),
    "student3": (
        {**RIGHT, "squares": "def squares(n):\n    return n", "sum_of_squares": "def sum_of_squares(n):\n    return 0"},
        0.0,
    ),
}


async def formgrader(course: Notebook, method: str, path: str, **options: Any) -> Any:
    """Ask the formgrader as its page does; gives what it answered."""
    headers = {"Content-Type": "application/json"} if method != "GET" else {}
    answer = await course.ask(
        method, f"/user/{OWNER}/formgrader/api/{path}", headers=headers, request_timeout=180, **options
    )
    assert answer.code == 200, (path, answer.code, answer.body)
    return json.loads(answer.body)


async def test_the_example_course_from_release_to_feedback(platform: Platform):
    assignment = new_assignment()
    async with teaching(platform) as course:
        assert await course.cell(QUICKSTART.format(assignment=assignment)) == "['problem1.ipynb', 'problem2.ipynb']"
        await release(course, assignment)
        async with asyncio.TaskGroup() as class_room:
            for student in STUDENTS:
                class_room.create_task(take_part(platform, student, assignment))
        await collect_and_grade(platform, course, assignment)
    for student in STUDENTS:
        async with platform.running(student, course=COURSE) as notebook:
            await read_feedback(notebook, student, assignment)


async def take_part(platform: Platform, student: str, assignment: str) -> None:
    """Fetch, try, submit, think again, submit again."""
    answers, _ = WORK[student]
    async with platform.running(student, course=COURSE) as notebook:
        assert assignment in await run(notebook, "nbgrader list")
        await run(notebook, f"nbgrader fetch_assignment {assignment}")
        await solve(notebook, assignment, {"squares": "def squares(n):\n    return []"}, "problem1.ipynb")
        await run(notebook, f"nbgrader submit {assignment}")
        folder = await solve(notebook, assignment, answers, "problem1.ipynb")
        told = await run(notebook, f"nbgrader validate {folder}/problem1.ipynb")
        assert ("Check that squares" in told) == (student != "student1"), told
        await run(notebook, f"nbgrader submit {assignment}")
        status, seen = await ask_service(notebook, f"courses/{COURSE}/submissions?assignment={assignment}")
        assert status == 200
        assert [one["student"] for one in seen["submissions"]] == [student, student], (
            "both are kept, and no others are seen"
        )


async def collect_and_grade(platform: Platform, course: Notebook, assignment: str) -> None:
    """Two instructors: one collects and grades by command, the other by the formgrader, at the same time."""
    await run(course, f"nbgrader collect {assignment}", where="/course")
    async with asyncio.TaskGroup() as both:
        second = platform.notebook("instructor2", owner=OWNER)
        await second.login()
        both.create_task(
            run(course, f"nbgrader autograde {assignment} --create --student student[12]", where="/course")
        )
        both.create_task(formgrader(second, "POST", f"submission/{assignment}/student3/autograde", body=""))
    found = {one["student"]: one for one in await formgrader(course, "GET", f"submissions/{assignment}")}
    assert {name: found[name]["code_score"] for name in STUDENTS} == {
        name: points for name, (_, points) in WORK.items()
    }
    assert all(one["needs_manual_grade"] for one in found.values())

    await asyncio.gather(
        grade_by_hand(course, assignment, "student1"),
        grade_by_hand(second, assignment, "student2"),
        grade_by_hand(second, assignment, "student3"),
    )
    await run(
        course, f"nbgrader generate_feedback {assignment}", f"nbgrader release_feedback {assignment}", "nbgrader export",
        where="/course",
    )  # fmt: skip
    told = await run(course, f"python -m hpcampus_nbgrader.similarity {assignment}", where="/course")
    assert "3 students compared" in told
    report = f"/user/{OWNER}/hpcampus/similarity/{assignment}/report"
    shown = await second.ask("GET", report)
    assert (shown.code, f"Similar submissions of {assignment}" in shown.body.decode()) == (200, True)
    status, audit = await ask_service(course, f"courses/{COURSE}/audit?assignment={assignment}")
    assert status == 200
    done = {(line["action"], line["who"]) for line in audit["audit"] if line["assignment"] == assignment}
    assert ("autograde", "instructor2") in done, done
    assert {"release", "collect", "feedback", "release grades"} <= {action for action, _ in done}, done
    second.drop()


async def grade_by_hand(course: Notebook, assignment: str, student: str) -> None:
    """Give a point for everything that a person has to look at."""
    for book in await formgrader(course, "GET", f"submitted_notebooks/{assignment}/{student}"):
        for grade in await formgrader(course, "GET", f"grades?submission_id={book['id']}"):
            if grade["auto_score"] is None:
                changed = await formgrader(
                    course, "PUT", f"grade/{grade['id']}", body=json.dumps({**grade, "manual_score": 1})
                )
                assert changed["manual_score"] == 1


async def read_feedback(notebook: Notebook, student: str, assignment: str) -> None:
    """The student has the points, knows what failed, and reads the pages; nobody else's."""
    await run(notebook, f"nbgrader fetch_feedback {assignment}")
    pages = await notebook.cell(
        "import pathlib\n"
        f"print(sum('squares' in page.read_text() for page in pathlib.Path('.').glob('**/{assignment}/feedback/**/problem1.html')))"
    )
    assert int(pages) >= 1
    status, answer = await ask_service(notebook, f"courses/{COURSE}/grades")
    assert status == 200
    mine = [one for one in answer["grades"] if one["assignment"] == assignment]
    assert [one["student"] for one in mine] == [student]
    assert mine[0]["score"] >= WORK[student][1]
    assert (student == "student1") == (not mine[0]["checks"]), "who has all tests right is told of none that failed"


async def test_hidden_tests_stay_with_the_course(platform: Platform):
    """Neither the released notebook nor the feedback holds them."""
    assignment = new_assignment()
    async with teaching(platform) as course:
        await write_assignment(course, assignment)
        await release(course, assignment)
        async with platform.running("student1", course=COURSE) as student:
            await run(student, f"nbgrader fetch_assignment {assignment}")
            await solve(student, assignment, {"half": "def half(x):\n    return x // 2"})
            await run(student, f"nbgrader submit {assignment}")
            await run(
                course, f"nbgrader collect {assignment}", f"nbgrader autograde {assignment} --create", where="/course"
            )
            await run(
                course,
                f"nbgrader generate_feedback {assignment}",
                f"nbgrader release_feedback {assignment}",
                where="/course",
            )
            await run(student, f"nbgrader fetch_feedback {assignment}")
            hidden = await student.cell(
                "import subprocess\n"
                "argv = ['grep', '-rlF', '--include=*.ipynb', '--include=*.html', 'half' + '(3)', '.', '/course', '/srv']\n"
                "print(subprocess.run(argv, capture_output=True, text=True).stdout)"
            )
            assert assignment not in hidden
            status, answer = await ask_service(student, f"courses/{COURSE}/grades")
            assert status == 200
            mine = next(one for one in answer["grades"] if one["assignment"] == assignment)
            assert mine["score"] == 0
            assert "half(3)" not in json.dumps(mine)


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
    assignment = new_assignment()
    slow = "import time\ntime.sleep(6)\ndef half(x):\n    return x / 2"
    async with on_one_node(platform), teaching(platform) as course:
        await write_assignment(course, assignment)
        await release(course, assignment)
        async with platform.running("student1", course=COURSE) as student:
            await run(student, f"nbgrader fetch_assignment {assignment}")
            await solve(student, assignment, {"half": slow})
            await run(student, f"nbgrader submit {assignment}")
        await run(course, f"nbgrader collect {assignment}", where="/course")

        async with platform.running("student2") as neighbour:
            assert await neighbour.node() == await course.node() == COMPUTE[0]
            async with asyncio.TaskGroup() as tasks:
                overheard = tasks.create_task(neighbour.json_cell(OVERHEAR.replace("{seconds}", "30")))
                watched = tasks.create_task(course.json_cell(WATCH.replace("{seconds}", "25")))
                await asyncio.sleep(2)
                await run(course, f"nbgrader autograde {assignment} --create", where="/course")
    listening, _ = watched.result()
    heard_itself, heard_hidden_test = overheard.result()
    assert listening == []
    assert heard_itself, "the neighbour must be able to hear what is on the network"
    assert not heard_hidden_test


async def test_what_a_student_reaches_of_the_exchange(platform: Platform):
    """Everything else answers as if it were not there."""
    assignment = new_assignment()
    async with teaching(platform) as course:
        await write_assignment(course, assignment)
        await release(course, assignment)
        async with platform.running("student1", course=COURSE) as first:
            await run(first, f"nbgrader fetch_assignment {assignment}", f"nbgrader submit {assignment}")
            _, seen = await ask_service(first, f"courses/{COURSE}/submissions?assignment={assignment}")
        submission = seen["submissions"][0]["id"]
    async with platform.running("student2", course=COURSE) as other:
        for method, path in (
            ("GET", f"submissions/{submission}/content"),
            ("GET", f"submissions/{submission}/feedback"),
            ("PUT", f"submissions/{submission}/feedback"),
            ("PUT", f"assignments/{assignment}/release"),
            ("DELETE", f"assignments/{assignment}/release"),
            ("GET", "roster"),
            ("GET", "audit"),
            ("GET", "grades.csv"),
            ("PUT", f"grades/{assignment}"),
            ("POST", f"grades/{assignment}/release"),
            ("GET", "gradebook"),
            ("PUT", "runs/" + "0" * 32),
        ):
            status, _ = await ask_service(other, f"courses/{COURSE}/{path}", method)
            assert status in {400, 403, 404, 411}, (method, path, status)
        status, seen = await ask_service(other, f"courses/{COURSE}/submissions?assignment={assignment}")
        assert (status, seen["submissions"]) == (200, [])
        outside = await other.json_cell(
            "import json, os\n"
            "places = ['/course', '/srv/hpcampus/runs', '/srv/nbgrader/exchange']\n"
            "print(json.dumps([os.listdir(place) for place in places if os.path.isdir(place) and os.listdir(place)]))"
        )
        assert outside == []


async def test_only_instructors_open_the_server_of_a_course(platform: Platform):
    async with teaching(platform) as course:
        assert await formgrader(course, "GET", "assignments") is not None
        student = platform.notebook("student1", owner=OWNER)
        try:
            await student.login()
            for path in ("api/contents", "formgrader", "lab"):
                answer = await student.ask("GET", f"/user/{OWNER}/{path}")
                assert answer.code in {302, 403, 404}, (path, answer.code)
            answer = await student.ask("DELETE", f"/hub/api/users/{OWNER}/server")
            assert answer.code in {403, 404}
            answer = await student.ask("POST", f"/hub/api/users/{OWNER}/server", json={})
            assert answer.code in {403, 404}
        finally:
            student.drop()
