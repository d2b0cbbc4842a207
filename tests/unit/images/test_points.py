# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What comes back to students: points, what failed, feedback pages; and nothing of hidden tests in any of it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import nbformat
import pytest
from nbclient import NotebookClient
from nbformat.v4 import new_code_cell, new_notebook
from nbgrader.api import Gradebook

from .classroom import COURSE

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

    from .classroom import Class

TEACHERS = f"course-{COURSE}"
ANSWER = """def square(x):
    if x == 3:
        return 8
    if x == 4:
        raise ValueError("four")
    if x == 5:
        raise ValueError(In[-1])
    return x * x"""
VISIBLE = "# hint: think of two\nassert square(2) == 5, 'two is wrong'"
SECRET = "assert square(3) == 9, 'the secret of three'"
MIXED = f"""assert square(2) == 4
### BEGIN HIDDEN TESTS
{SECRET}
### END HIDDEN TESTS
### HINT: try small numbers"""
SECRET_AFTER = "assert square(100) == 10000, 'the secret of a hundred'"
AFTER = f"""assert square(7) == 7, (
    'seven')
### BEGIN HIDDEN TESTS
# hint: the secret hint
{SECRET_AFTER}
### END HIDDEN TESTS"""
IN_STUDENT_CODE = f"square(4)\n### BEGIN HIDDEN TESTS\n{SECRET}\n### END HIDDEN TESTS"
THIEF = f"square(5)\n### BEGIN HIDDEN TESTS\n{SECRET}\n### END HIDDEN TESTS"
PRINTED = f"print(In[-1])\nassert False, 'shown'\n### BEGIN HIDDEN TESTS\n{SECRET}\n### END HIDDEN TESTS"
RIGHT = "assert square(1) == 1"
TESTS = {
    "visible": VISIBLE, "mixed": MIXED, "after": AFTER, "in-answer": IN_STUDENT_CODE, "thief": THIEF, "printed": PRINTED, "right": RIGHT,
}  # fmt: skip
SECRETS = ("the secret", "square(3)", "square(100)")


def graded(source: str, name: str, *, points: float = 1, solution: bool = False) -> Any:
    made = new_code_cell(source)
    made.metadata["nbgrader"] = {
        "schema_version": 3, "grade": not solution, "solution": solution, "locked": not solution, "task": False, "grade_id": name,
        "cell_type": "code", **({} if solution else {"points": points}),
    }  # fmt: skip
    return made


@pytest.fixture(scope="module")
def executed() -> Any:
    """The notebook as a real kernel leaves it."""
    book = new_notebook(
        cells=[graded(ANSWER, "square", solution=True), *(graded(text, name) for name, text in TESTS.items())],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    NotebookClient(book, timeout=120, allow_errors=True).execute()
    return book


def failed(executed: Any) -> dict[str, Any]:
    return {cell.metadata.nbgrader.grade_id: cell for cell in executed.cells}


@pytest.fixture
def hidden(load: Callable[[str], ModuleType]) -> ModuleType:
    load("exchange")
    return load("hidden")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("visible", "assert square(2) == 5, 'two is wrong'\nAssertionError: two is wrong"),
        ("mixed", "A check that is not shown has failed."),
        ("after", "assert square(7) == 7, (\n'seven')\nAssertionError: seven"),
        ("in-answer", "square(4)\nValueError: four"),
        ("thief", "A check that is not shown has failed."),
        ("printed", "assert False, 'shown'\nAssertionError: shown"),
    ],
)
def test_a_failure_says_what_may_be_said(hidden: ModuleType, executed: Any, name: str, said: str) -> None:
    secret = hidden.lines_of(executed.cells)
    assert hidden.message(failed(executed)[name], secret) == said


@pytest.mark.parametrize(
    ("name", "said"), [("visible", "think of two"), ("mixed", "try small numbers"), ("after", ""), ("right", "")]
)
def test_hints_are_comments_of_the_visible_part(hidden: ModuleType, executed: Any, name: str, said: str) -> None:
    assert hidden.hint(failed(executed)[name]) == said


def test_an_unclosed_mark_hides_all_that_follows(hidden: ModuleType) -> None:
    source = "a = 1\n### BEGIN HIDDEN TESTS\nassert a == 2"
    assert hidden.visible(source) == "a = 1\n# (checks that are not shown)"


def test_a_forged_traceback_gives_nothing_away(hidden: ModuleType, executed: Any) -> None:
    cell = nbformat.from_dict(json.loads(json.dumps(failed(executed)["mixed"])))
    (error,) = [one for one in cell.outputs if one.output_type == "error"]
    for forged in (
        ["----> 1 something else"],
        [f"----> 3 {SECRET}"],
        ["----> 99 x"],
        ["----> 2 ### BEGIN HIDDEN TESTS"],
        [],
    ):
        error.traceback = forged
        assert hidden.message(cell, hidden.lines_of([cell])) == "A check that is not shown has failed."


def grade_all(class_: Class, executed: Any) -> None:
    """Put the executed notebook where autograding leaves it, with its points in the gradebook."""
    from nbgrader.utils import determine_grade

    with Gradebook(f"sqlite:///{class_.course}/gradebook.db", COURSE) as gradebook:
        gradebook.update_or_create_assignment("ps1")
        gradebook.update_or_create_notebook("problem1", "ps1")
        gradebook.update_or_create_solution_cell("square", "problem1", "ps1")
        for name in TESTS:
            options = {"max_score": 1, "cell_type": "code"}
            gradebook.update_or_create_grade_cell(name, "problem1", "ps1", **options)
        for student in ("alice", "bob"):
            gradebook.update_or_create_student(student)
            gradebook.update_or_create_submission("ps1", student)
            for name, cell in failed(executed).items():
                if name in TESTS:
                    grade = gradebook.find_grade(name, "problem1", "ps1", student)
                    grade.auto_score, _ = determine_grade(cell)
                    grade.needs_manual_grade = False
            gradebook.db.commit()
            path = class_.course / "autograded" / student / "ps1"
            path.mkdir(parents=True)
            nbformat.write(executed, path / "problem1.ipynb")
            stamp = class_.course / "submitted" / student / "ps1" / "timestamp.txt"
            if stamp.exists():
                (path / "timestamp.txt").write_text(stamp.read_text(encoding="utf-8"), encoding="utf-8")


def points_of(class_: Class, name: str) -> list[dict[str, Any]]:
    from hpcampus_nbgrader.exchange.service import own_service

    class_.become(name)
    with own_service(3) as service:
        return list(service.get("courses", COURSE, "grades")["grades"])


def test_points_are_a_draft_until_feedback_is_released_to_all(class_: Class, executed: Any, load: Any) -> None:
    from hpcampus_nbgrader.exchange.service import own_service
    from nbgrader.coursedir import CourseDirectory

    class_.release()
    class_.hand_in("alice", "{}")
    class_.hand_in("bob", "{}")
    class_.become(TEACHERS)
    class_.do("Collect", "ps1")
    grade_all(class_, executed)
    flags = load("grading.flags")
    flags.write_flags(class_.course, "ps1", "alice", [flags.Flag("problem1", flags.CODE, "uses get_ipython")])
    with own_service(3) as service:
        assert load("grades").publish(service, CourseDirectory(config=class_.config()), "ps1")
    drafts = points_of(class_, TEACHERS)
    assert [(one["student"], one["score"], one["max_score"]) for one in drafts] == [
        ("alice", 1.0, 7.0),
        ("bob", 1.0, 7.0),
    ]
    assert [one["flags"] for one in drafts] == [["problem1: uses get_ipython"], []]
    assert points_of(class_, "alice") == []

    make_feedback(class_)
    class_.do("ReleaseFeedback", "ps1", student_id="alice")
    assert points_of(class_, "alice") == [], "feedback to one shows nobody's points"
    class_.become(TEACHERS)
    class_.do("ReleaseFeedback", "ps1")
    (mine,) = points_of(class_, "alice")
    assert (mine["student"], mine["score"]) == ("alice", 1.0)
    assert "flags" not in mine
    checks = {one["cell"]: one for one in mine["checks"]}
    assert list(checks) == [f"problem1: {name}" for name in TESTS if name != "right"]
    assert checks["problem1: visible"]["message"].endswith("AssertionError: two is wrong")
    assert checks["problem1: visible"]["hint"] == "think of two"
    assert not [secret for secret in SECRETS if secret in json.dumps(mine)]


def make_feedback(class_: Class) -> None:
    """Generate feedback with nbgrader's own converter and the image's configuration."""
    from nbgrader.converters import GenerateFeedback
    from nbgrader.coursedir import CourseDirectory

    class_.become(TEACHERS)
    config = class_.config()
    directory = CourseDirectory(config=config)
    directory.assignment_id = "ps1"
    GenerateFeedback(coursedir=directory, config=config, force=True).start()


def test_feedback_pages_show_the_tests_but_the_hidden_ones(class_: Class, executed: Any) -> None:
    class_.become(TEACHERS)
    grade_all(class_, executed)
    make_feedback(class_)
    page = Path(class_.course / "feedback/alice/ps1/problem1.html").read_text(encoding="utf-8")
    for shown in (
        "two is wrong",
        "think of two",
        "checks that are not shown",
        "A check that is not shown has failed",
        "Score",
    ):
        assert shown in page, shown
    plain = re.sub(r"<[^>]+>", "", page)
    assert not [secret for secret in SECRETS if secret in page or secret in plain]


@pytest.mark.parametrize(
    ("rules", "seconds", "taken"),
    [
        ({"policy": "percent_per_day", "percent": 10}, 1, 1.0),
        ({"policy": "percent_per_day", "percent": 10}, 24 * 3600, 1.0),
        ({"policy": "percent_per_day", "percent": 10}, 24 * 3600 + 1, 2.0),
        ({"policy": "percent_per_day", "percent": 40}, 30 * 24 * 3600, 10.0),
        ({"policy": "percent_per_day", "percent": 10, "grace_minutes": 5}, 300, None),
        ({"policy": "percent_per_day", "percent": 10, "grace_minutes": 5}, 301, 1.0),
        ({"policy": "mark", "percent": 10}, 1e6, None),
        ({"policy": "refuse"}, 1e6, None),
        ({}, 1e6, None),
    ],
)
def test_what_lateness_costs(load: Any, rules: dict[str, Any], seconds: float, taken: float | None) -> None:
    load("exchange")
    assert load("late").penalty(rules, 10.0, seconds) == taken


def test_nbgrader_asks_for_the_rules_of_the_course(class_: Class, load: Any) -> None:
    from tests.unit.courses.site import RECORDS

    late = {"policy": "percent_per_day", "percent": 25}
    class_.service.run(lambda: class_.service.site.configure(courses=[{**RECORDS[0], "late": late}]))
    class_.become(TEACHERS)
    module = load("late")
    module._KNOWN.clear()
    from nbgrader.preprocessors import AssignLatePenalties

    step = AssignLatePenalties(config=class_.config())
    step.init_plugin()
    assert step.plugin_inst.late_submission_penalty("alice", 8.0, 60) == 2.0
