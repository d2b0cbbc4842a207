# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every text that is used exists and every text that exists is used; errors name what, why and what to do."""

from __future__ import annotations

import ast
import string
from typing import Any

import pytest

from hpcampus import errors
from hpcampus.causes import CAUSES
from hpcampus.errors import ExitCode, HpcampusError
from hpcampus.runs import Ending
from hpcampus.texts.en import ERRORS, TEXTS
from tests.unit.wizard.conftest import QUESTIONS, ROOT

SOURCES = [path for path in (ROOT / "wizard/hpcampus").rglob("*.py") if "lab" not in path.relative_to(ROOT).parts]


def subclasses(kind: Any) -> Any:
    return {kind.__name__} | {name for child in kind.__subclasses__() for name in subclasses(child)}


def used() -> Any:
    """Find the keys that the code names: every string constant, and the prefixes of those put together."""
    constants: set[str] = set()
    prefixes: set[Any] = set()
    raised: dict[Any, set[tuple[str, ...]]] = {}
    names = subclasses(HpcampusError)
    for path in SOURCES:
        if "texts" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                constants.add(node.value)
            elif isinstance(node, ast.JoinedStr) and isinstance(node.values[0], ast.Constant):
                prefixes.add(node.values[0].value)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                for key in ast.walk(node.args[0]):
                    if isinstance(key, ast.Constant):
                        raised.setdefault(key.value, set()).add(tuple(sorted(k.arg or "**" for k in node.keywords)))
    return constants, prefixes, raised


CONSTANTS, PREFIXES, RAISED = used()


def placeholders(*texts: Any) -> Any:
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("key", sorted(TEXTS))
def test_no_text_is_left_over(key: Any) -> None:
    dynamic = [prefix for prefix in PREFIXES if prefix.endswith(".") and "." in prefix]
    assert (
        key in CONSTANTS or any(key.startswith(prefix) for prefix in dynamic) or key.removeprefix("wrong.") in CONSTANTS
    )


def test_no_error_is_missing_or_left_over() -> None:
    assert {key for key in RAISED if isinstance(key, str) and key} == set(ERRORS)


@pytest.mark.parametrize("key", sorted(ERRORS))
def test_errors_fill_their_placeholders(key: Any) -> None:
    what, why, cure = ERRORS[key]
    assert what
    for given in RAISED[key]:
        if "**" not in given:
            assert placeholders(what, why, cure) <= set(given)


def test_everything_put_together_exists() -> None:
    wanted = {f"prompt.{question.key}" for question in QUESTIONS}
    wanted |= {f"choice.{question.key}.{value}" for question in QUESTIONS for value in question.choices}
    wanted |= {f"section.{section}" for section in QUESTIONS.sections}
    wanted |= {f"{kind}.{cause.name}" for kind in ("cause", "cure") for cause in CAUSES}
    states = ("done", "changed", "failed", "stopped", "skipped", "interrupted", "running", "never")
    wanted |= {f"status.{state}" for state in states}
    wanted |= {f"logs.ending.{ending}" for ending in Ending}
    wanted |= {f"failure.{choice}" for choice in ("retry", "skip", "shell", "log", "quit")}
    wanted |= {f"menu.{choice}" for choice in ("all", "changed", "from", "one", "check", "prove", "quit")}
    wanted |= {f"demo.role.{role}" for role in ("admin", "instructor", "student")}
    wanted |= {f"demo.state.{state}" for state in ("running", "stopped", "missing")}
    assert wanted <= set(TEXTS)


def test_one_class_for_each_exit_code() -> None:
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, HpcampusError)]
    codes = [kind.exit_code for kind in kinds]
    assert len(set(codes)) == len(codes)
    assert set(codes) | {ExitCode.OK} == set(ExitCode)


@pytest.mark.parametrize("code", ExitCode)
def test_help_lists_every_exit_code(code: Any) -> None:
    assert f"{code.value} " in TEXTS["help.exit-codes"]
