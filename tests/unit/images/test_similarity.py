# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which submissions are alike, by the real library; and what submissions that try to spoil the report get from it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from html.parser import HTMLParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.images.grading.local_cluster import SOURCE, LocalCluster

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

ANSWER = """def mean(values):
    if not values:
        raise ValueError('no values')
    total = 0
    for value in values:
        total += value
    return total / len(values)

def spread(values):
    middle = mean(values)
    squares = [(value - middle) ** 2 for value in values]
    return (sum(squares) / (len(values) - 1)) ** 0.5"""
OTHER = """import numpy as np

def mean(values):
    return float(np.asarray(values, dtype=float).mean())

def spread(values):
    array = np.asarray(values, dtype=float)
    if array.size < 2:
        return 0.0
    return float(np.std(array, ddof=1))

print(mean([1, 2, 3]), spread([1, 2, 3]), mean(range(100)), spread(range(100)))"""
RENAMED = re.sub("values", "zahlen", re.sub("middle", "m", re.sub("total", "summe", ANSWER))) + "\n# all my own"
LONG = "\n".join(f"assert mean([{number}, {number + 1}]) == {number + 0.5}, 'two that follow'" for number in range(30))
HOSTILE = "<b>x"


def cell(source: Any, name: str = "", *, solution: bool = True) -> dict[str, Any]:
    own = {"grade_id": name, "solution": solution, "locked": not solution, "grade": not solution}
    return {"cell_type": "code", "source": source, "metadata": {"nbgrader": own} if name else {}, "outputs": []}


def notebook(*cells: Any) -> str:
    metadata = {"kernelspec": {"name": "python3", "language": "python"}}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


GIVEN = (
    cell("import math\n" * 20),
    cell("# YOUR CODE HERE\nraise NotImplementedError()", "answer"),
    cell(LONG, "test", solution=False),
)


class Course:
    """A course's directory with an assignment of one notebook."""

    def __init__(self, root: Path) -> None:
        self.root = root
        path = root / "release" / "ps1"
        path.mkdir(parents=True)
        (path / "problem.ipynb").write_text(notebook(*GIVEN))

    def hand_in(self, student: str, answer: Any, *more: dict[str, Any]) -> None:
        """Collect a submission: text of the answer, or bytes of the whole file."""
        path = self.root / "submitted" / student / "ps1"
        path.mkdir(parents=True)
        if not isinstance(answer, bytes):
            answer = notebook(GIVEN[0], cell(answer, "answer"), *more, GIVEN[2]).encode()
        (path / "problem.ipynb").write_bytes(answer)


@pytest.fixture
def course(tmp_path: Path) -> Course:
    return Course(tmp_path)


@pytest.fixture(scope="module")
def modules(load: Callable[[str], ModuleType]) -> dict[str, ModuleType]:
    return {name: load(f"similarity.{name}") for name in ("documents", "compare", "report", "command", "places")}


@pytest.fixture
def compare(modules: dict[str, ModuleType], course: Course) -> Callable[..., Any]:
    def compared(threshold: float = 0.6, **more: Any) -> Any:
        documents = modules["documents"]
        notebooks = documents.released_notebooks(course.root, "ps1")
        comparer = modules["compare"].Comparer(notebooks, **more)
        for one in documents.submitted(course.root, "ps1", notebooks):
            comparer.add(one)
        return comparer.compared(threshold)

    return compared


def pairs(found: Any) -> list[tuple[str, str]]:
    return [(pair.one, pair.other) for pair in found.pairs]


def test_a_renamed_copy_is_found_and_an_own_answer_is_not(course: Course, compare: Any) -> None:
    course.hand_in("alice", ANSWER)
    course.hand_in("bob", RENAMED)
    course.hand_in("carol", OTHER)
    found = compare()
    assert found.students == 3
    assert pairs(found) == [("alice", "bob")]
    assert found.pairs[0].share > 0.95
    assert compare() == found, "another run says the same"


def test_what_was_handed_out_counts_for_nothing(course: Course, compare: Any) -> None:
    course.hand_in("alice", ANSWER)
    course.hand_in("bob", OTHER)
    course.hand_in("carol", GIVEN[1]["source"])
    course.hand_in("dan", "import math\n" * 20 + "x = 1")
    assert not compare(0.1).pairs


def test_a_copy_in_a_cell_of_ones_own_or_without_its_marks_is_found(course: Course, compare: Any) -> None:
    course.hand_in("alice", ANSWER)
    course.hand_in("bob", "pass", cell(RENAMED))
    course.hand_in("carol", "pass", cell(RENAMED.splitlines(keepends=True), "another name"))
    assert sorted(pairs(compare())) == [("alice", "bob"), ("alice", "carol"), ("bob", "carol")]


def test_a_copy_inside_of_much_more_is_found_by_the_share_of_the_shorter_one(course: Course, compare: Any) -> None:
    course.hand_in("alice", ANSWER)
    course.hand_in("bob", "\n".join([*[f"v{n} = v{n}[{n}] @ {n} - f{n}(a, {n})" for n in range(60)], ANSWER]))
    (pair,) = compare().pairs
    assert pair.shares[0] > 0.9
    assert pair.shares[1] < 0.5


def test_short_answers_are_alike_by_themselves(course: Course, compare: Any) -> None:
    course.hand_in("alice", "def square(x):\n    return x * x")
    course.hand_in("bob", "def square(x):\n    return x * x")
    assert not compare(0.1).pairs


SPOILERS: dict[str, Any] = {
    "binary": b"\0\xff" * 5000,
    "brackets": b"[" * 10_000_000,
    "no-cells": b'{"cells": 5}',
    "a-list": b"[]",
    "empty": b"",
    "odd-cells": notebook(1, None, {"cell_type": "code", "source": 5}, {"cell_type": "code", "metadata": []}).encode(),
    "odd-names": notebook(cell("x = 1", "a") | {"metadata": {"nbgrader": {"grade_id": ["x"]}}}).encode(),
    "a-million": "x = 1 + y\n" * 1_000_000,
    "one-sign": "a" * 1_000_000,
    "parentheses": "(" * 300_000,
    "quotes": "'\\" * 200_000,
    "f-strings": "f'{" * 100_000,
    "half-a-sign": "x = '\ud800'\n" * 50,
}


def test_what_tries_to_spoil_the_report_costs_limited_time_and_no_other_pair(
    course: Course, compare: Any, modules: dict[str, ModuleType]
) -> None:
    for name, content in SPOILERS.items():
        course.hand_in(name, content)
    (course.root / "submitted/big/ps1").mkdir(parents=True)
    with (course.root / "submitted/big/ps1/problem.ipynb").open("wb") as file:
        file.truncate(1 << 30)
    for name, target in (("link", course.root / "submitted/alice/ps1/problem.ipynb"), ("pipe", None)):
        path = course.root / "submitted" / name / "ps1" / "problem.ipynb"
        path.parent.mkdir(parents=True)
        path.symlink_to(target) if target else os.mkfifo(path)
    (course.root / "submitted/whole").symlink_to(course.root / "submitted/alice")
    course.hand_in("alice", ANSWER)
    course.hand_in("bob", RENAMED)
    began = time.process_time()
    found = compare()
    assert time.process_time() - began < 30
    assert ("alice", "bob") in pairs(found)
    assert {one.student for one in found.unread} >= {
        "binary", "brackets", "no-cells", "a-list", "empty", "big", "link", "pipe",
    }  # fmt: skip
    assert {one for one, _ in found.cut} >= {"a-million", "parentheses"}
    assert "whole" not in {name for pair in pairs(found) for name in pair}
    page = modules["report"].page("ps1", found, 0.6, lambda _: ("", ""), "now")
    assert "Not compared" in page
    assert "in part" in page


def test_a_document_that_takes_too_long_is_left_out(
    course: Course, compare: Any, modules: dict[str, ModuleType], monkeypatch: pytest.MonkeyPatch
) -> None:
    course.hand_in("alice", ANSWER)
    course.hand_in("bob", RENAMED)
    course.hand_in("eve", "while_forever = 1\n" * 40)
    real = modules["compare"].CodeFingerprint

    def slow(*arguments: Any, fp: Any, **more: Any) -> Any:
        code = fp.read()
        while "while_forever" in code:
            pass
        fp.seek(0)
        return real(*arguments, fp=fp, **more)

    monkeypatch.setattr(modules["compare"], "CodeFingerprint", slow)
    found = compare(seconds_each=0.3)
    assert [(one.student, "too long" in one.reason) for one in found.unread] == [("eve", True)]
    assert pairs(found) == [("alice", "bob")]


class Tags(HTMLParser):
    """What a browser would make of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {f"{name}={value}" for name, value in attrs}


def test_the_page_shows_what_students_wrote_and_runs_nothing_of_it(
    course: Course, modules: dict[str, ModuleType]
) -> None:
    evil = f"{ANSWER}\n# </pre><script>steal()</script>\nx = '\u202e\x1b[2J<img src=x onerror=steal()>'\n"
    course.hand_in(HOSTILE, evil)
    course.hand_in('"onload="steal()', evil)
    command = modules["command"]
    notebooks = modules["documents"].released_notebooks(course.root, "ps1")
    told = command.write_report(course.root, "ps1", notebooks, 0.6)
    report = modules["places"].report_path(course.root, "ps1")
    page = report.read_text(encoding="utf-8")
    tags = Tags()
    tags.feed(page)
    assert tags.tags <= {
        "html", "head", "meta", "title", "style", "body", "h1", "h2", "p", "table", "thead", "tbody", "tr", "th", "td", "a", "details",
        "summary", "div", "pre", "mark",
    }  # fmt: skip
    assert {one for one in tags.attributes if one.startswith(("href=", "src=", "on"))} == {"href=#pair-1"}
    assert "&lt;script&gt;steal()&lt;/script&gt;" in page
    assert "no proof" in page
    assert "&lt;b&gt;x" in page
    for sign in ("\u202e", "\x1b"):
        assert sign not in page
        assert sign not in told
    assert "default-src 'none'" in page
    assert report.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in report.parent.iterdir()] == ["ps1.html"]


def test_a_class_of_sixty_takes_seconds(course: Course, compare: Any) -> None:
    lines = ["{} = {} + {}", "{}({}, {})", "if {} > {}: {} = 1", "{} = [{} for {} in q]", "print({}, {}, {})"]
    for number in range(60):
        chosen = (lines[(number * line + line * line // 3) % 5] for line in range(120))
        course.hand_in(f"s{number}", "\n".join(line.format(*"abc") for line in chosen))
    began = time.process_time()
    assert compare().students == 60
    assert time.process_time() - began < 20


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[LocalCluster]:
    found = LocalCluster(tmp_path / "runs")
    yield found
    found.close()


def run(course: Course, cluster: LocalCluster, *arguments: str) -> subprocess.CompletedProcess[str]:
    env = {
        **os.environ, "PYTHONPATH": str(SOURCE), "JUPYTERHUB_API_URL": cluster.url, "JUPYTERHUB_API_TOKEN": "token",
        "HPCAMPUS_COURSE": "py1", "HPCAMPUS_COURSE_ROLE": "course",
    }  # fmt: skip
    argv = [sys.executable, "-m", "hpcampus_nbgrader.similarity", f"--course={course.root}", *arguments]
    return subprocess.run(argv, env=env, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.processes
def test_the_command_asks_whether_the_course_wants_it(course: Course, cluster: LocalCluster) -> None:
    course.hand_in("alice", ANSWER)
    course.hand_in("bob", RENAMED)
    off = run(course, cluster, "ps1")
    assert (off.returncode, off.stdout) == (1, "")
    assert "grading: {similarity: true}" in off.stderr
    assert not (course.root / "similarity").exists()
    cluster.terms["similarity"] = True
    done = run(course, cluster, "ps1")
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"2 students compared; 1 pair has 60%.*\n +\d+%  problem: alice \(\d+%\), bob \(\d+%\)", done.stdout
    )
    assert "no proof" in done.stdout
    assert "1 pair" in run(course, cluster, "ps1", "--threshold", "0.95").stdout
    for name in ("..", "../submitted"):
        none = run(course, cluster, "--", name)
        assert none.returncode == 1
        assert none.stderr == f"Nothing of {name} has been collected.\n"
    assert run(course, cluster, "ps1", "--threshold", "2").returncode == 2


@pytest.mark.processes
def test_without_the_released_version_there_is_nothing_to_leave_out(course: Course, cluster: LocalCluster) -> None:
    cluster.terms["similarity"] = True
    course.hand_in("alice", ANSWER)
    (course.root / "release/ps1/problem.ipynb").unlink()
    done = run(course, cluster, "ps1")
    assert done.returncode == 1
    assert "generate the assignment first" in done.stderr
