# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What in a submission's code a person should look at: it can change how tests run, or find out what they are.

A hint and no proof: an honest answer can have such code, and who knows this list can write around it.
"""

from __future__ import annotations

import ast
import builtins
from typing import TYPE_CHECKING

from IPython.core.inputtransformer2 import TransformerManager

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

NAMES = {
    "get_ipython": "reaches into the program that runs the notebook",
    "ast_transformers": "changes code before it runs",
    "input_transformers_post": "changes code before it runs",
    "input_transformers_cleanup": "changes code before it runs",
    "user_ns": "reaches into the program that runs the notebook",
    "run_cell": "reaches into the program that runs the notebook",
    "_getframe": "looks at the code that calls it",
    "currentframe": "looks at the code that calls it",
    "f_back": "looks at the code that calls it",
    "tb_frame": "looks at the code that calls it",
    "settrace": "watches or changes other code",
    "setprofile": "watches or changes other code",
    "get_objects": "looks for objects of other code",
    "get_referrers": "looks for objects of other code",
    "_exit": "ends the process",
    "__builtins__": "changes what Python's own functions do",
}
MODULES = {
    "inspect": "looks at other code",
    "ctypes": "can change anything in the process",
    "gc": "looks for objects of other code",
    "builtins": "changes what Python's own functions do",
    "IPython": "reaches into the program that runs the notebook",
    "hpcampus_nbgrader": "reaches into the program that runs the notebook",
    "linecache": "looks at other code",
    "traceback": "looks at the code that calls it",
    "socket": "talks to other programs",
    "signal": "ends or keeps alive processes",
}
HARMLESS = frozenset({"IPython.display", "IPython.core.display"})
METHODS = frozenset(
    {"__eq__", "__ne__", "__lt__", "__le__", "__gt__", "__ge__", "__bool__", "__instancecheck__", "__array_ufunc__"}
)
HISTORY = frozenset({"In", "_ih", "_i", "_ii", "_iii"})
PATHS = ("/proc", "/dev/", "/etc/", "/sys/")
_BUILTINS = frozenset(name for name in dir(builtins) if not name.startswith("_"))
_FLAGS_MAX = 20


def suspicions(cells: Iterable[tuple[int, str]]) -> list[str]:
    """What to look at in the code of a student.

    Args:
        cells: Number (from 1, as a person counts) and source of each code cell that is the student's.

    Returns:
        One sentence for each finding, at most 20.
    """
    found: dict[str, None] = {}
    manager = TransformerManager()
    for number, source in cells:
        try:
            tree = ast.parse(manager.transform_cell(_without_cell_magic(source)))
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # it does not run either
        for line, text in _findings(tree):
            if not text.startswith("get_ipython") or "get_ipython" in source:  # magics become calls of it
                found.setdefault(f"Cell {number}, line {line}: {text}.")
    return list(found)[:_FLAGS_MAX]


def _without_cell_magic(source: str) -> str:
    """The code below a magic of the whole cell, such as ``%%time``, with its lines where they are."""
    first, newline, rest = source.partition("\n")
    return newline + rest if first.startswith("%%") else source


def _findings(tree: ast.AST) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        line = getattr(node, "lineno", 0)
        if isinstance(node, ast.Name):
            yield from ((line, text) for text in _name(node))
        elif isinstance(node, ast.Attribute):
            yield from ((line, text) for text in _attribute(node))
        elif isinstance(node, ast.Import | ast.ImportFrom):
            yield from ((line, text) for text in _import(node))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name in METHODS:
                yield line, f"{node.name} decides how objects compare"
            if node.name in _BUILTINS:
                yield line, f"{node.name} is defined anew"
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(PATHS):
            yield line, f"{node.value[:40]!r} is a place outside the assignment"


def _name(node: ast.Name) -> Iterator[str]:
    if node.id in NAMES:
        yield f"{node.id} {NAMES[node.id]}"
    if node.id in HISTORY and isinstance(node.ctx, ast.Load):
        yield f"{node.id} holds the code of other cells"
    if node.id in _BUILTINS and isinstance(node.ctx, ast.Store):
        yield f"{node.id} is defined anew"


def _attribute(node: ast.Attribute) -> Iterator[str]:
    if node.attr in NAMES:
        yield f"{node.attr} {NAMES[node.attr]}"
    if node.attr == "modules" and isinstance(node.value, ast.Name) and node.value.id == "sys":
        yield "sys.modules changes what an import gives"
    if node.attr in METHODS and isinstance(node.ctx, ast.Store):
        yield f"{node.attr} decides how objects compare"


def _import(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [alias.name for alias in node.names]
    for name in names:
        top = name.split(".")[0]
        if top in MODULES and name not in HARMLESS:
            yield f"{name} {MODULES[top]}"
    if isinstance(node, ast.ImportFrom):
        for alias in node.names:
            if alias.name in NAMES:
                yield f"{alias.name} {NAMES[alias.name]}"
