# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The submissions, made in code from what a student fetches; and the honest ones beside which they are graded.

The assignment has one answer, ``squares``, and two tests: ``test_values`` (2 points, with a hidden part) and ``test_error`` (1 point).
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Notebook = dict[str, Any]
Change = Callable[[Notebook], None]

ANSWER, VALUES, ERROR = "squares", "test_values", "test_error"
GOOD = "def squares(n):\n    if n < 1:\n        raise ValueError('n')\n    return [i ** 2 for i in range(1, n + 1)]"
BAD = "def squares(n):\n    return []"
FULL = 3.0


@dataclass(frozen=True)
class Attempt:
    """A submission.

    Attributes:
        name: The student who hands it in.
        tried: What it tries, for the table.
        change: Changes the notebook as it was fetched.
        points: What it deserves, or None where any number is right as long as it is flagged.
        links: Links beside the notebook, by name, and where they lead.
    """

    name: str
    tried: str
    change: Change
    points: float | None = 0.0
    links: tuple[tuple[str, str], ...] = ()


def cell_of(notebook: Notebook, name: str) -> dict[str, Any]:
    """The cell of that name."""
    return next(cell for cell in notebook["cells"] if cell["metadata"].get("nbgrader", {}).get("grade_id") == name)


def code_cell(source: str) -> dict[str, Any]:
    """A cell of the student's own."""
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], "execution_count": None}


def answer(source: str) -> Change:
    """Have this text as the answer."""

    def change(notebook: Notebook) -> None:
        cell_of(notebook, ANSWER)["source"] = source

    return change


def without(name: str, source: str = BAD) -> Change:
    """Delete a cell."""

    def change(notebook: Notebook) -> None:
        answer(source)(notebook)
        notebook["cells"].remove(cell_of(notebook, name))

    return change


def renamed(notebook: Notebook) -> None:
    """Give the tests other names."""
    answer(BAD)(notebook)
    for name in (VALUES, ERROR):
        cell_of(notebook, name)["metadata"]["nbgrader"]["grade_id"] = name + "_x"


def doubled(notebook: Notebook) -> None:
    """Have a test twice, the second one without a test in it."""
    answer(BAD)(notebook)
    for name in (VALUES, ERROR):
        another = copy.deepcopy(cell_of(notebook, name))
        another["source"] = "pass"
        notebook["cells"].append(another)


def unmarked(notebook: Notebook) -> None:
    """Say that the tests are no tests."""
    answer(BAD)(notebook)
    for name in (VALUES, ERROR):
        cell_of(notebook, name)["metadata"]["nbgrader"].update(grade=False, locked=False, solution=False)


def as_answer(notebook: Notebook) -> None:
    """Say that the tests are answers, which keep their text."""
    answer(BAD)(notebook)
    for name in (VALUES, ERROR):
        cell_of(notebook, name)["metadata"]["nbgrader"].update(solution=True, locked=False)
        cell_of(notebook, name)["source"] = "pass"


def more_points(notebook: Notebook) -> None:
    """Ask for a hundred points, with a test that is no test, and outputs that were never put out."""
    answer(BAD)(notebook)
    for name in (VALUES, ERROR):
        cell = cell_of(notebook, name)
        cell["metadata"]["nbgrader"]["points"] = 100
        cell["source"] = "100"
        cell["outputs"] = [
            {"output_type": "execute_result", "data": {"text/plain": "100"}, "metadata": {}, "execution_count": 1}
        ]


def text_instead(notebook: Notebook) -> None:
    """Make text of the tests."""
    answer(BAD)(notebook)
    for name in (VALUES, ERROR):
        cell = cell_of(notebook, name)
        cell["cell_type"] = "markdown"
        cell.pop("outputs")
        cell.pop("execution_count")


def old_schema(notebook: Notebook) -> None:
    """Have marks of a version that nbgrader refuses, which ends its whole batch."""
    answer(BAD)(notebook)
    for cell in notebook["cells"]:
        if "nbgrader" in cell["metadata"]:
            cell["metadata"]["nbgrader"]["schema_version"] = 1


def moved(notebook: Notebook) -> None:
    """Have the tests run before there is anything to test, and the answer afterwards."""
    answer(GOOD)(notebook)
    cells = notebook["cells"]
    cells.append(cells.pop(cells.index(cell_of(notebook, ANSWER))))


def is_no_notebook(notebook: Notebook) -> None:
    """Be something else than a notebook."""
    notebook.clear()
    notebook["cells"] = "no cells"


def deep(notebook: Notebook) -> None:
    """Be so deep that a reader gives up."""
    answer(GOOD)(notebook)
    place: dict[str, Any] = notebook["metadata"]
    for _ in range(400):
        place["a"] = {}
        place = place["a"]


def then(source: str, first: str = BAD) -> Change:
    """Have an answer that tests would refuse, and a trick after it."""
    return answer(f"{first}\n{source}")


FORGE = """
import json, os, struct
def send(message):
    body = json.dumps(message).encode()
    for number in range(3, 40):
        try:
            os.write(number, struct.pack('>I', len(body)) + body)
        except OSError:
            pass
for number in range(20):
    send({'done': number, 'count': number})
"""
KILL = """
import os, signal
for pid in (os.getppid(), 1, -1):
    try:
        os.kill(pid, signal.SIGKILL)
    except OSError:
        pass
"""
RESULT_FILE = """
for name in ('0.json', '../0.json', '/srv/hpcampus/runs/0.json'):
    try:
        open(name, 'w').write('{}')
    except OSError:
        pass
"""
EQUAL = """
class Equal:
    def __eq__(self, other): return True
    def __ne__(self, other): return False
def squares(n):
    if n < 1: raise ValueError('n')
    return Equal()
"""
NO_ASSERTS = """
import ast
class Drop(ast.NodeTransformer):
    def visit_Assert(self, node): return ast.copy_location(ast.Pass(), node)
    def visit_Raise(self, node): return ast.copy_location(ast.Pass(), node)
get_ipython().ast_transformers.append(Drop())
"""
PEEK = """
import inspect
def squares(n):
    found = []
    frame = inspect.currentframe()
    while frame:
        found += [getattr(frame.f_code, 'co_filename', '')]
        frame = frame.f_back
    import linecache
    print([''.join(lines[2]) for name, lines in linecache.cache.items() if 'ipython' in name])
    return [i ** 2 for i in range(1, n + 1)]
"""
LOOK_AROUND = """
import glob, os
found = []
places = '/course/* /srv/*/* /srv/*/runs/* /home/* /shared/* /root/* /tmp/* /proc/1/environ /proc/1/mem /proc/1/fd/*'
for pattern in places.split():
    for name in glob.glob(pattern):
        try:
            found.append((name, open(name, 'rb').read(200) if os.path.isfile(name) else os.listdir(name)))
        except OSError:
            pass
secret = [one for one in found if b'HIDDEN' in repr(one).encode() or 'gradebook' in repr(one)]
print('FOUND', secret) if secret else print('NOTHING')
print('ENV', [name for name in os.environ if 'TOKEN' in name or 'JUPYTER' in name])
"""

HONEST = (
    Attempt("honest-full", "an honest answer, right", answer(GOOD), FULL),
    Attempt("honest-half", "an honest answer that forgets the error", answer(GOOD.replace("n < 1", "False")), 2.0),
    Attempt("honest-none", "an honest answer that is wrong", answer(BAD), 0.0),
)
ATTEMPTS = (
    Attempt("fork-bomb", "a fork bomb", then("import os\nwhile True:\n    os.fork()", GOOD), None),
    # Interrupted, it costs no points, for the answer before it is right; a busy node may be too slow for that, which is flagged.
    Attempt("endless", "an endless loop", then("while True: pass", GOOD), FULL),
    Attempt(
        "stubborn",
        "an endless loop that takes no interrupt",
        then("import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True: pass", GOOD),
        None,
    ),
    Attempt("memory", "100 GB of memory", then("hog = [bytearray(10 ** 9) for _ in range(100)]", GOOD), FULL),
    Attempt(
        "disk",
        "100 GB of files",
        then("with open('big', 'wb') as sink:\n    for _ in range(10 ** 5): sink.write(bytes(10 ** 6))", GOOD),
        FULL,
    ),
    Attempt("gigabyte", "a gigabyte of output", then("for _ in range(1000): print('x' * 10 ** 6)", GOOD), None),
    Attempt(
        "kill-parent",
        "killing every process, its parent first",
        then(
            "import os, signal\nfor pid in (os.getppid(), 1, -1):\n    try: os.kill(pid, signal.SIGKILL)\n    except OSError: pass"
        ),
        None,
    ),
    Attempt("exit", "ending the process at once", then("import os; os._exit(0)"), None),
    Attempt("close", "closing every file descriptor", then("import os; os.closerange(0, 100)"), None),
    Attempt("read", "reading tests, other submissions, gradebook, tokens", then(LOOK_AROUND), 0.0),
    Attempt("write", "writing outside", then("open('/etc/passwd', 'a').write('x')"), 0.0),
    Attempt("network", "the network", then("import socket; socket.create_connection(('1.1.1.1', 80), 3)"), 0.0),
    Attempt(
        "loopback", "services of the node", then("import socket; socket.create_connection(('127.0.0.1', 6818), 3)"), 0.0
    ),
    Attempt("deleted", "deleting a test", without(VALUES), 0.0),
    Attempt("deleted-answer", "deleting the answer", without(ANSWER), 0.0),
    Attempt("renamed", "renaming the tests", renamed, 0.0),
    Attempt("doubled", "having the tests twice", doubled, 0.0),
    Attempt("unmarked", "saying that tests are none", unmarked, 0.0),
    Attempt("as-answer", "saying that tests are answers", as_answer, 0.0),
    Attempt("more-points", "faked points, tests and outputs", more_points, 0.0),
    Attempt("text-instead", "making text of the tests", text_instead, 0.0),
    Attempt("old-schema", "marks of an old version, which end nbgrader's batch", old_schema, 0.0),
    Attempt("moved", "tests before the answer", moved, None),
    Attempt("no-notebook", "a file that is no notebook", is_no_notebook, 0.0),
    Attempt("deep", "a notebook 400 levels deep", deep, FULL),
    Attempt("no-asserts", "taking the assertions out of the tests", then(NO_ASSERTS), None),
    Attempt("equal", "objects that equal everything", answer(EQUAL), None),
    Attempt("forge", "forged messages to the parent", then(FORGE), 0.0),
    Attempt("peek", "printing the tests while they run", answer(PEEK), None),
    Attempt(
        "result-file",
        "a forged result file",
        then(RESULT_FILE),
        0.0,
    ),
    Attempt(
        "link",
        "a link to the gradebook beside the notebook",
        answer(GOOD),
        None,
        (("data.db", "/course/gradebook.db"),),
    ),
)
