# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is put back in a notebook, what is suspicious in code, what is taken out of outputs, what becomes of results."""

from __future__ import annotations

import copy
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook


def expected() -> list[Any]:
    from hpcampus_nbgrader.grading.structure import Expected

    return [
        Expected("answer", "code", "# here", "c1", solution=True),
        Expected("test", "code", "assert f() == 1", "c2", grade=True, locked=True, points=2.0),
        Expected("essay", "markdown", "write", "c3", grade=True, solution=True, points=3.0),
    ]


def handed_in() -> Any:
    return new_notebook(cells=[one.cell() for one in expected()])


def test_an_honest_notebook_is_left_alone() -> None:
    from hpcampus_nbgrader.grading.structure import restore

    notebook = handed_in()
    notebook.cells[0].source = "def f(): return 1"
    notebook.cells.insert(1, new_code_cell("print(1)"))
    assert restore(notebook, expected()) == []
    assert [cell.source for cell in notebook.cells][:3] == ["def f(): return 1", "print(1)", "assert f() == 1"]


def test_what_was_changed_is_put_back_and_told() -> None:
    from hpcampus_nbgrader.grading.structure import restore

    for change, told in (
        (lambda n: n.cells.pop(1), "test test was missing"),
        (lambda n: n.cells[1].metadata.nbgrader.update(grade=False), "other marks (grade)"),
        (lambda n: n.cells[1].metadata.nbgrader.update(points=100), "points"),
        (lambda n: n.cells[1].metadata.nbgrader.update(points=True), "points"),
        (lambda n: n.cells[1].metadata.nbgrader.update(solution=True, locked=False), "solution, locked"),
        (lambda n: n.cells[1].metadata.nbgrader.update(grade_id="other"), "is not part of the assignment"),
        (lambda n: n.cells.append(copy.deepcopy(n.cells[1])), "there 2 times"),
        (lambda n: n.cells.__setitem__(1, new_markdown_cell("x", metadata=n.cells[1].metadata)), "was no code cell"),
        (lambda n: n.cells.reverse(), "another order"),
        (lambda n: n.cells.clear(), "essay was missing"),
    ):
        notebook = handed_in()
        change(notebook)
        found = " ".join(restore(notebook, expected()))
        assert told in found, (told, found)
        marks = [cell.metadata.nbgrader for cell in notebook.cells if "nbgrader" in cell.metadata]
        assert sorted(one["grade_id"] for one in marks) == ["answer", "essay", "test"], told
        test = next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade_id") == "test")
        assert (test.source, test.cell_type, test.metadata.nbgrader.points) == ("assert f() == 1", "code", 2.0)
        assert (test.metadata.nbgrader.grade, test.metadata.nbgrader.locked) == (True, True)


@given(
    marks=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda x: st.lists(x) | st.dictionaries(st.sampled_from(["grade_id", "grade", "points", "x"]), x),
    )
)
def test_marks_of_any_form_break_nothing(marks: Any) -> None:
    from hpcampus_nbgrader.grading.structure import restore

    notebook = handed_in()
    notebook.cells[1].metadata["nbgrader"] = marks
    restore(notebook, expected())
    assert restore(notebook, expected()) == []


@pytest.mark.parametrize(
    "source",
    [
        "get_ipython().ast_transformers.append(1)",
        "class A:\n    def __eq__(self, other): return True",
        "import inspect",
        "from ctypes import CDLL",
        "import sys; sys.modules['numpy'] = 1",
        "open('/proc/self/maps')",
        "import os; os._exit(0)",
        "from os import _exit",
        "len = 3",
        "def isinstance(*a): return True",
        "print(In[-1])",
        "import builtins; builtins.len = max",
        "%%time\nimport gc",
        "A.__eq__ = lambda s, o: True",
        "sys._getframe(1)",
    ],
)
def test_suspicious_code_is_told(source: str) -> None:
    from hpcampus_nbgrader.grading.suspicion import suspicions

    assert suspicions([(3, source)])[0].startswith("Cell 3, line ")


def test_ordinary_code_is_not() -> None:
    from hpcampus_nbgrader.grading.suspicion import suspicions

    good = "import os, sys, numpy as np\nfrom IPython.display import HTML\n%matplotlib inline\ndef squares(n):\n    total = sum(range(n))\n"
    good += "    print('In', total, file=sys.stderr)\n    return os.path.join('a', str(total))\n"
    good += "class A:\n    def __init__(self): self.x = 1"
    assert suspicions([(1, good), (2, "not python at all(")]) == []


def test_hidden_tests_are_taken_out_of_outputs() -> None:
    from hpcampus_nbgrader.grading.hidden import REPLACEMENT, hidden_lines, redact

    hidden = hidden_lines(
        ["assert f(1) == 1\n### BEGIN HIDDEN TESTS\nassert f(12345) == 7\nx\n### END HIDDEN TESTS\nopen_line = 1"]
    )
    assert hidden == {"assert f(12345) == 7"}
    for shown in (
        "assert f(12345) == 7",
        "\x1b[31massert\x1b[39m f(\x1b[32m12345\x1b[39m) == 7",
        repr("a\nassert f(12345) == 7"),
    ):
        output = {"output_type": "stream", "name": "stdout", "text": f"before\n{shown}\nafter"}
        assert redact(output, hidden)
        assert output["text"].split("\n") == ["before", REPLACEMENT, "after"]
    assert not redact({"output_type": "stream", "name": "stdout", "text": "assert f(1) == 1\nx"}, hidden)


@pytest.mark.parametrize(
    "answer",
    [
        {"status": 0, "output": ""},
        {"status": 0, "output": "[" * 100_000},
        {"status": 0, "output": "[]"},
        {"status": 0, "output": '{"notebooks": 3}'},
        {"status": 0, "output": '{"notebooks": [{"name": "p", "cells": [1, 2, 3]}]}'},
        {"status": 0, "output": '{"notebooks": [{"name": "p", "cells": [{"ran": true, "outputs": 3}]}]}'},
        {"status": -9, "reason": "it took too long", "output": '{"notebooks": []}'},
    ],
)
def test_a_result_of_any_form_is_no_points_and_a_reason(answer: dict[str, Any]) -> None:
    from hpcampus_nbgrader.grading.plan import Plan, apply
    from hpcampus_nbgrader.grading.runs import result_of
    from nbgrader.utils import determine_grade

    plan = Plan({"p": handed_in()}, {})
    flags = apply(plan, result_of(answer), "word")
    assert flags[0].kind == "not-run"
    assert determine_grade(plan.notebooks["p"].cells[1]) == (0, 2.0)


def test_a_result_is_read_from_a_plain_file_only(tmp_path: Path) -> None:
    from hpcampus_nbgrader.grading.runs import read_json

    (tmp_path / "a.json").write_text('{"a": 1}')
    (tmp_path / "b.json").symlink_to(tmp_path / "a.json")
    os.mkfifo(tmp_path / "c.json")
    (tmp_path / "d.json").write_text("[1]")
    assert read_json(tmp_path / "a.json") == {"a": 1}
    assert [read_json(tmp_path / f"{name}.json") for name in "bcde"] == [None] * 4


def test_the_same_submission_has_the_same_digest_and_another_has_another(tmp_path: Path) -> None:
    from hpcampus_nbgrader.grading.plan import Plan
    from hpcampus_nbgrader.sandbox.task import Limits

    data = tmp_path / "data"
    data.write_text("1")
    files = {"data": str(data)}
    first = Plan({"p": handed_in()}, files).digest("1")
    assert first == Plan({"p": handed_in()}, files).digest("1")
    other = handed_in()
    other.cells[0].source = "x"
    others = {
        Plan({"p": other}, files).digest("1"),
        Plan({"p": handed_in()}, files).digest("2"),
        Plan({"p": handed_in()}, {}).digest("1"),
    }
    others |= {Plan({"p": handed_in()}, files, limits=Limits(cell_seconds=1)).digest("1")}
    data.write_text("2")
    others |= {Plan({"p": handed_in()}, files).digest("1")}
    assert len(others | {first}) == 6


def test_flags_are_kept_and_read_again(tmp_path: Path) -> None:
    from hpcampus_nbgrader.grading.flags import Flag, path_of, read_flags, write_flags

    assert read_flags(tmp_path, "ps1", "ada") == []
    write_flags(tmp_path, "ps1", "ada", [Flag("p", "code", "text")])
    assert read_flags(tmp_path, "ps1", "ada") == [Flag("p", "code", "text")]
    path_of(tmp_path, "ps1", "ada").write_text(json.dumps([1]))
    assert read_flags(tmp_path, "ps1", "ada") == []
