# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The sandbox's programs for real: cells in, outputs out, whatever the cells do."""

from __future__ import annotations

import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

from tests.unit.images.grading.local_cluster import run_cells, run_sandbox

pytestmark = pytest.mark.processes

SAME = {
    "values": ["x = 1", "x", "print('a'); print('b')", "x;", "'a' * 100", "None", "_", "Out", "1 / 0"],
    "streams": ["import sys", "print('o'); print('e', file=sys.stderr)", "print('x', end='')\ndisplay(5)\nprint('y')"],
    "programs": [
        "!echo hi",
        "files = !echo a b\nfiles",
        "import subprocess, time",
        # A kernel hands on what a program wrote when it comes to it: after the end of the cell that would be another's.
        "done = subprocess.run(['echo', 'raw'])\ntime.sleep(1)\ndone",
        "%env FOO=3",
    ],
    "display": [
        "from IPython.display import HTML, Markdown, clear_output",
        "HTML('<b>x</b>')",
        "h = display('one', display_id='q')\nh.update('two')",
        "for i in range(3):\n    clear_output(wait=True)\n    print(i)",
        "class A:\n    def _repr_html_(self): return '<i>a</i>'\nA()",
        "len?",
    ],
    "async": [
        "import asyncio",
        "await asyncio.sleep(0.01)\n7",
        "async def f(): return 3",
        "await f()",
        "asyncio.run(f())",
    ],
    "ends": ["raise SystemExit(3)", "undefined", "%%capture out\nprint('hidden')", "out.stdout", "In[2]", "__name__"],
}


def plain(outputs: list[Any]) -> list[Any]:
    """Outputs without what differs from run to run."""
    found = json.loads(json.dumps(outputs))
    for one in found:
        one.pop("transient", None)
        one.pop("traceback", None)
        if one.get("data", {}).get("text/plain", "").startswith("<"):
            del one["data"]["text/plain"]
    return list(found)


@pytest.mark.parametrize(
    ("language", "name"), [*(("python", name) for name in SAME), ("other", "programs"), ("other", "ends")]
)
def test_outputs_are_those_of_a_kernel(
    name: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from hpcampus_nbgrader.sandbox.task import Cell

    monkeypatch.delenv("PYTEST_CURRENT_TEST")  # a kernel that sees it does not catch what programs write
    sources = SAME[name]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources])
    NotebookClient(notebook, allow_errors=True, resources={"metadata": {"path": str(tmp_path)}}).execute()
    result = run_cells(*(Cell(source) for source in sources), language=language)
    assert result["stopped"] == ""
    for cell, ours in zip(notebook.cells, result["cells"], strict=True):
        found, wanted = plain(ours["outputs"]), plain(cell.outputs)
        if name == "programs":  # what they write takes a way of its own: whether it comes before the result is chance
            found, wanted = (sorted(outputs, key=lambda one: str(one["output_type"])) for outputs in (found, wanted))
        assert (found, ours["count"]) == (wanted, cell.execution_count), cell.source


def cells(*sources: str) -> dict[str, Any]:
    from hpcampus_nbgrader.sandbox.task import Cell

    return run_cells(*(Cell(source) for source in sources), cell_seconds=5)


@pytest.mark.parametrize(
    ("source", "why"),
    [
        ("import os; os._exit(3)", "ended itself with status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL"),
        ("import os; os.closerange(0, 100)", "ended itself|closed its way|nobody can read|in time|ended"),
        ("import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", "could not be interrupted"),
        (
            "import os\nfor n in range(3, 30):\n  try: os.write(n, b'garbage' * 9)\n  except OSError: pass",
            "nobody can read|ended|in time",
        ),
    ],
)
def test_what_came_before_is_kept_and_what_comes_after_did_not_run(source: str, why: str) -> None:
    import re

    result = cells("print('before')", source, "print('after')")
    assert result["cells"][0]["outputs"][0]["text"] == "before\n"
    assert (result["cells"][2]["ran"], result["cells"][2]["outputs"]) == (False, [])
    assert re.search(why, result["stopped"]), result["stopped"]


def test_an_endless_loop_is_interrupted_and_the_next_cell_runs() -> None:
    began = time.monotonic()
    result = cells("while True: pass", "1 + 1")
    assert time.monotonic() - began < 50
    assert "CellTimeoutError" in [one["ename"] for one in result["cells"][0]["outputs"]]
    assert result["cells"][1]["outputs"][0]["data"]["text/plain"] == "2"


def test_output_is_cut_with_a_sentence() -> None:
    from hpcampus_nbgrader.sandbox.task import Cell

    loud = Cell("for _ in range(300): print('x' * 10000)")
    result = run_cells(loud, loud, loud, Cell("'end'"), output_kb=50, result_kb=120)
    sizes = [sum(len(one.get("text", "")) for one in cell["outputs"]) for cell in result["cells"]]
    assert "cut" in result["cells"][0]["outputs"][0]["text"][-80:]
    assert sizes[0] < 60_000
    assert sum(sizes) < 130_000
    assert "were cut here" in json.dumps(result)
    assert result["cells"][3]["ran"] is True


@pytest.mark.parametrize(
    ("source", "error"),
    [
        ("x = bytearray(2 * 10 ** 9)", "MemoryError"),
        ("open('big', 'wb').write(bytes(3 * 10 ** 6)); open('big', 'ab').flush()", "OSError"),
        ("hands = [open('/dev/null') for _ in range(10000)]", "OSError"),
    ],
)
def test_limits_hold_in_the_kernel(source: str, error: str) -> None:
    from hpcampus_nbgrader.sandbox.task import Cell

    result = run_cells(Cell(source), Cell("1"), memory_mb=1000, file_mb=2)
    assert error in [one.get("ename") for one in result["cells"][0]["outputs"]]
    assert result["cells"][1]["ran"] is True


def test_the_child_cannot_read_the_tests_in_its_parent() -> None:
    from hpcampus_nbgrader.sandbox.task import Cell

    look = "import os\nfor name in ('mem', 'environ', 'fd/0', 'maps'):\n"
    look += "  try: print(open(f'/proc/{os.getppid()}/{name}').read(1))\n  except OSError as e: print(type(e).__name__)"
    import os

    result = run_cells(Cell(look), Cell("secret = 1", test=True), Cell("print(In[-2], '/', _i)"))
    if os.getuid() != 0:  # root reads everything
        assert result["cells"][0]["outputs"][0]["text"].split() == ["PermissionError"] * 4
    assert "secret" not in result["cells"][2]["outputs"][0]["text"]


def test_files_are_there_and_a_wrong_archive_is_told() -> None:
    from hpcampus_nbgrader.sandbox.task import Cell

    result = run_cells(Cell("open('data/a.txt').read()"), files={"data/a.txt": b"hello"})
    assert result["cells"][0]["outputs"][0]["data"]["text/plain"] == "'hello'"
    for archive in (b"", b"no tar", hostile_archive()):
        answer = json.loads(run_sandbox(archive)["output"])
        assert (bool(answer["error"]), answer["notebooks"]) == (True, [])


def hostile_archive() -> bytes:
    """A good task, and a file that leads outside."""
    from hpcampus_nbgrader.sandbox.task import Cell, Notebook, Task, write_task

    sink = io.BytesIO()
    write_task(sink, Task((Notebook("one", (Cell("1"),)),)), {"x": b""})
    with (
        tarfile.open(fileobj=(changed := io.BytesIO()), mode="w") as new,
        tarfile.open(fileobj=io.BytesIO(sink.getvalue())) as old,
    ):
        for member in old:
            if member.name == "files/x":
                member.name = "files/../../x"
            new.addfile(member, old.extractfile(member))
    return changed.getvalue()


ISOLATED = """
import numpy as np
from math import sqrt
def squares(n):
    if n < 1: raise ValueError('n')
    return [i ** 2 for i in range(1, n + 1)]
class Liar:
    def __eq__(self, other): return True
class Evil(int):
    def __eq__(self, other): return True
def lie(): return Liar()
evil = Evil(4)
class Account:
    def __init__(self): self.x = 3
    def add(self, y): return self.x + y
account = Account()
pair = (1, {'a': {2, 3}})
""".replace("import numpy as np\n", "")


def test_isolated_tests_see_plain_values_and_nothing_that_lies() -> None:
    from hpcampus_nbgrader.sandbox.task import Cell

    good = ["assert squares(2) == [1, 4]", "assert account.add(2) == 5; assert Account().x == 3; assert sqrt(4) == 2"]
    good += ["try:\n    squares(0)\nexcept ValueError as e:\n    assert 'n' in str(e)\nelse:\n    assert False"]
    good += ["assert pair == (1, {'a': {2, 3}})\nassert type(pair[1]['a']) is set"]
    bad = ["assert lie() == 3", "assert evil == 5", "assert squares == 1", "nosuch"]
    result = run_cells(Cell(ISOLATED), *(Cell(source, test=True) for source in good + bad), isolate=True)
    shown = [[one.get("ename") for one in cell["outputs"]] for cell in result["cells"][1:]]
    assert shown == [[]] * len(good) + [["AssertionError"]] * 3 + [["NameError"]]


def test_isolated_tests_are_out_of_reach_of_transformers_and_patches() -> None:
    from hpcampus_nbgrader.sandbox.task import Cell

    trick = "import ast, builtins\nclass Drop(ast.NodeTransformer):\n"
    trick += "    def visit_Assert(self, n): return ast.copy_location(ast.Pass(), n)\n"
    trick += "get_ipython().ast_transformers.append(Drop())\nbuiltins.max = lambda *x: 3\ndef f(): return 1"
    result = run_cells(
        Cell(trick),
        Cell("assert max(f(), 0) == 3", test=True),
        Cell("assert max(f(), 0) == 1", test=True),
        isolate=True,
    )
    assert [[one["ename"] for one in cell["outputs"]] for cell in result["cells"][1:]] == [["AssertionError"], []]


def test_a_cell_is_done_when_the_sandbox_says_so() -> None:
    from hpcampus_nbgrader.sandbox.task import Cell

    from tests.e2e.grading_hostile.attempts import FORGE

    for _ in range(3):
        result = run_cells(Cell(FORGE), Cell("1 / 0", test=True), Cell("2 / 0", test=True))
        assert [cell["outputs"][0]["ename"] for cell in result["cells"][1:]] == ["ZeroDivisionError"] * 2
        assert result["forged"] is True
    assert run_cells(Cell("1"))["forged"] is False
