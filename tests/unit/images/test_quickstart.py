# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's own example course, whole: three students, a second try, points, feedback and its return."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import nbformat
import nbgrader
from nbgrader.api import Gradebook

from .classroom import COURSE, Class

TEACHERS = f"course-{COURSE}"
EXAMPLE = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "source"
SQUARES = """def squares(n):
    if n < 1:
        raise ValueError("n must be greater than or equal to 1")
    return [i ** 2 for i in range(1, n + 1)]"""
SUM = "def sum_of_squares(n):\n    return sum(squares(n))"


def convert(class_: Class, kind: Any, **config_of: Any) -> None:
    """Run one of nbgrader's converters as its command does."""
    from nbgrader.coursedir import CourseDirectory

    class_.become(TEACHERS)
    config = class_.config()
    directory = CourseDirectory(config=config)
    directory.assignment_id = "ps1"
    made = kind(coursedir=directory, config=config)
    for name, value in config_of.items():
        setattr(made, name, value)
    made.start()


def solve(path: Path, *answers: str) -> None:
    """Put answers into the cells of the first notebook that are for functions of these names."""
    book = nbformat.read(path, as_version=4)
    for answer in answers:
        head = answer.partition("(")[0] + "("
        for cell in book.cells:
            if cell.cell_type == "code" and cell.source.startswith(head):
                cell.source = answer
    nbformat.write(book, path)


def hand_in(class_: Class, name: str, *answers: str) -> None:
    home = class_.become(name)
    path = home / COURSE / "ps1"
    if not path.exists():
        class_.do("FetchAssignment", "ps1")
    solve(path / "problem1.ipynb", *answers)
    class_.do("Submit", "ps1")


def test_the_example_course_goes_all_its_way(class_: Class) -> None:
    from nbgrader.converters import GenerateAssignment, GenerateFeedback
    from nbgrader.converters.autograde import Autograde

    site = class_.service.site
    shutil.copytree(EXAMPLE, class_.course / "source")
    convert(class_, GenerateAssignment)
    class_.do("ReleaseAssignment", "ps1")
    hand_in(class_, "alice", SQUARES)
    hand_in(class_, "bob")
    hand_in(class_, "Zoë Müller", SQUARES, SUM)
    class_.service.run(lambda: site.set_time("2026-11-26T11:00:00+00:00"))
    hand_in(class_, "alice", SQUARES, SUM)

    class_.become(TEACHERS)
    class_.do("Collect", "ps1")
    convert(class_, Autograde, create_student=True)
    with Gradebook(f"sqlite:///{class_.course}/gradebook.db", COURSE) as gradebook:
        points = {one.student.id: one.score for one in gradebook.assignment_submissions("ps1")}
    assert len(points) == 3
    zoe = next(name for name in points if name not in {"alice", "bob"})
    assert points["alice"] == points[zoe] > points["bob"]

    convert(class_, GenerateFeedback)
    class_.do("ReleaseFeedback", "ps1")
    home = class_.become("alice")
    class_.do("FetchFeedback", "ps1")
    pages = sorted(str(path.relative_to(home)) for path in home.rglob("*.html"))
    stamp = "2026-11-26 11:00:00.000000 UTC"
    assert pages == [f"{COURSE}/ps1/feedback/{stamp}/problem{number}.html" for number in (1, 2)]
    (group,) = class_.do("List", cached=True)
    assert [one["has_local_feedback"] for one in group["submissions"]] == [False, True]

    from hpcampus_nbgrader.exchange.service import own_service

    class_.become("bob")
    with own_service(3) as service:
        (mine,) = service.get("courses", COURSE, "grades")["grades"]
    assert mine["score"] == points["bob"]
    assert any("NotImplementedError" in check["message"] for check in mine["checks"])
    assert mine["needs_manual"]
