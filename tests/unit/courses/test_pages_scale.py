# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A class of sixty with ten assignments, each handed in twice."""

import secrets
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from hpcampus_courses.store.grades import Check, Score
from hpcampus_courses.store.submissions import Claim
from tests.unit.courses.pages_site import Site, Visitor, course

STUDENTS = [f"student{number:02}" for number in range(60)]
ASSIGNMENTS = [f"ps{number:02}" for number in range(10)]
SECONDS = 0.5
"""For a page, on the server."""


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path, course(students=STUDENTS))
    digest, size = await site.keep(b"work" * 1000)
    for assignment in ASSIGNMENTS:
        await site.release(assignment, "problem1", "problem2")
        for student in STUDENTS:
            for _ in range(2):
                claim = Claim(
                    "physics101", student, student, assignment, secrets.token_hex(16), digest, size, ("problem1",)
                )
                submission, _ = await site.store.submissions.begin(claim, datetime.now(UTC), 1)
                await site.store.submissions.complete(submission.id)
            await site.store.submissions.give_feedback(submission.id, digest, size, datetime.now(UTC), "ida")
        checks = tuple(
            Check(f"test{number}", number % 2, 1, "AssertionError: no" * 20, "Think.") for number in range(10)
        )
        scores = [Score(student, 5, 10, 0, student.endswith("7"), ("a flag",), checks) for student in STUDENTS]
        await site.grade(assignment, *scores)
    yield site
    await site.close()


@pytest.mark.processes
async def test_pages_of_a_large_class_are_quick(site: Site) -> None:
    ida, student = Visitor(site, "ida"), Visitor(site, "student00")
    await ida.open()
    await student.open()
    base = "course/physics101"
    for person, path, words in (
        (ida, base, "60 of 60"),
        (ida, f"{base}/assignment/ps03", "student59"),
        (ida, f"{base}/grades.csv", "student59"),
        (student, base, "5 of 10"),
    ):
        answer = await person.open(path)
        assert words in answer.body.decode(), path
        seconds = []
        for _ in range(5):
            began = time.perf_counter()
            await person.open(path)
            seconds.append(time.perf_counter() - began)
        print(f"{path}: {min(seconds):.3f} s at best, {max(seconds):.3f} s at worst, {len(answer.body) // 1000} kB")
        assert min(seconds) < SECONDS, path
