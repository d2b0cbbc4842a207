# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A whole term: a class does ten assignments, from release to the points that each student sees. Needs the demo: `make demo`."""

from __future__ import annotations

import asyncio
import json
import time
from collections import defaultdict
from typing import TYPE_CHECKING

from tests.bench.crowd import Courses, crowd, packed, unpacked
from tests.e2e.conftest import find_platform
from tests.e2e.teaching import new_assignment, release, run, teaching, write_assignment

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Notebook

ASSIGNMENTS = 10
ANSWERS = (("x / 2", 2.0), ("x // 2", 0.0), ("3 / x", 0.0))
"""What students hand in, in turn, and the points for it."""
STEPS = (
    ("collect", "nbgrader collect {}"),
    ("autograde", "nbgrader autograde {} --create"),
    ("feedback", "nbgrader generate_feedback {}"),
    ("hand back", "nbgrader release_feedback {}"),
)


def measure(students: int) -> None:
    """Let so many students do ten assignments, tell how long each step took in all, and whose points are wrong."""
    asyncio.run(_measure(find_platform(), [f"term{number:03}" for number in range(students)]))


async def _measure(platform: Platform, names: list[str]) -> None:
    assignments = [new_assignment() for _ in range(ASSIGNMENTS)]
    spent = defaultdict[str, float](float)
    async with crowd(platform, names) as people, teaching(platform) as course:
        for round_, assignment in enumerate(assignments):
            await _one(course, people, assignment, {name: _answer(n, round_)[0] for n, name in enumerate(names)}, spent)
            print(f"{round_ + 1} of {ASSIGNMENTS} assignments are done", flush=True)
        right = 0
        for number, name in enumerate(names):
            seen = await _points(people[name])
            right += {one: seen.get(one) for one in assignments} == {
                one: _answer(number, round_)[1] for round_, one in enumerate(assignments)
            }
    print(f"{right} of {len(names)} students see the points that they deserve, of all {ASSIGNMENTS} assignments")
    works = len(names) * ASSIGNMENTS
    for step, seconds in spent.items():
        print(f"{step}: {seconds:.1f} s in all, {seconds / works:.2f} s for each of {works} submissions")


async def _one(
    course: Notebook, people: dict[str, Courses], assignment: str, answers: dict[str, str], spent: dict[str, float]
) -> None:
    """One assignment from its release to the points."""
    began = time.monotonic()
    await write_assignment(course, assignment)
    await release(course, assignment)
    spent["release"] += time.monotonic() - began
    began = time.monotonic()
    await asyncio.gather(*(_take_part(people[name], assignment, answer) for name, answer in answers.items()))
    spent["fetch and submit"] += time.monotonic() - began
    for step, command in STEPS:
        began = time.monotonic()
        await run(course, command.format(assignment), where="/course")
        spent[step] += time.monotonic() - began


async def _take_part(student: Courses, assignment: str, answer: str) -> None:
    """Fetch, solve and hand in."""
    book = json.loads(unpacked(await student.fetch("GET", f"assignments/{assignment}/release")))
    for cell in book["cells"]:
        if cell["metadata"]["nbgrader"]["solution"]:
            cell["source"] = f"def half(x):\n    return {answer}"
    await student.hand_in(assignment, packed(json.dumps(book).encode()))


async def _points(student: Courses) -> dict[str, float]:
    """What a student sees; nobody else's may be in it, nor an assignment twice."""
    grades = (await student.ask("GET", "grades"))["grades"]
    found = {one["assignment"]: one["score"] for one in grades}
    assert len(found) == len(grades)
    assert len({one["student"] for one in grades}) == 1
    return found


def _answer(number: int, round_: int) -> tuple[str, float]:
    return ANSWERS[(number + round_) % len(ANSWERS)]
