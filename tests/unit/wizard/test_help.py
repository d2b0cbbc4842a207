# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The help teaches: every command stands below what a person wants, with examples that can be typed, and all exit codes."""

from __future__ import annotations

import re
import shlex
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from hpcampus import cli
from hpcampus.answers import Layer, resolve
from hpcampus.cli.examples import EXAMPLES
from hpcampus.cli.teaching import leaves
from hpcampus.errors import ExitCode
from hpcampus.questions import load_questions
from hpcampus.texts import de, en
from tests.unit.wizard.conftest import ROOT

COMMANDS = {path: found for command in cli.cli.commands.values() for path, found in leaves(command)}
PAGE = (ROOT / "docs/wizard.md").read_text()


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert cli.run([*arguments, "--help"]) == 0
    return capsys.readouterr().out


def codes(text: str) -> set[int]:
    return {int(code) for code in re.findall(r"(?:^|\s{2,})(\d+)(?= )", text, re.MULTILINE)}


@pytest.mark.parametrize("path", COMMANDS)
def test_every_command_shows_examples(path: Any, capsys: pytest.CaptureFixture[str]) -> None:
    page = shown(capsys, *path.split())
    _, _, examples = page.partition("Examples:")
    lines = [line.strip() for line in examples.strip().splitlines()]
    assert lines == [f"hpcampus {example}" for example in EXAMPLES[path]]
    assert any(line.startswith(f"hpcampus {path}") for line in lines)


def test_no_example_is_left_over() -> None:
    assert set(EXAMPLES) == set(COMMANDS)


@pytest.mark.parametrize("example", sorted({example for examples in EXAMPLES.values() for example in examples}))
def test_every_example_can_be_typed(example: Any) -> None:
    assert parsed(example).command.name in example.split()


@pytest.mark.parametrize("wrong", ["apply --nonsense", "open --page nowhere", "completion", "steps more", "nothing"])
def test_an_example_that_cannot_be_typed_would_be_found(wrong: Any) -> None:
    with pytest.raises(click.UsageError):
        parsed(wrong)


def parsed(example: str) -> click.Context:
    """Read a command line down to the command that it names, and run nothing."""
    command: click.Command = cli.cli
    words, context = shlex.split(example), None
    while isinstance(command, click.Group):
        context = command.make_context(command.name, words, parent=context)
        _, found, words = command.resolve_command(context, [*context._protected_args, *context.args])
        assert found is not None
        command = found
    return command.make_context(command.name, words, parent=context)


def test_the_help_shows_every_command_below_what_a_person_wants(capsys: pytest.CaptureFixture[str]) -> None:
    page = shown(capsys)
    for path, command in COMMANDS.items():
        assert (f"\n  hpcampus {path}  " in page) == (not isinstance(command, click.Group)), path
    places = [page.index("\n" + en.TEXTS[f"help.group.{want}"] + ":\n") for want in cli.cli.wants]
    assert [*places, page.index("Options:")] == sorted([*places, page.index("Options:")])
    assert sum(len(commands) for commands in cli.cli.wants.values()) == len(cli.cli.commands)


@pytest.mark.parametrize("texts", [en.TEXTS, de.TEXTS], ids=["en", "de"])
def test_the_help_lists_exactly_the_exit_codes(texts: Any) -> None:
    assert codes(texts["help.exit-codes"]) == set(ExitCode)


def test_the_exit_codes_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert codes(shown(capsys).partition("Exit codes:")[2]) == set(ExitCode)


def test_the_page_lists_exactly_the_exit_codes() -> None:
    table = PAGE.partition("## Exit codes")[2].partition("\n## ")[0]
    assert {int(code) for code in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)} == set(ExitCode)


@pytest.mark.parametrize("path", [path for path, found in COMMANDS.items() if not isinstance(found, click.Group)])
def test_the_page_names_every_command(path: Any) -> None:
    assert re.search(rf"^\| `hpcampus {path}[` ]", PAGE, re.MULTILINE)


def test_the_page_names_no_command_that_does_not_exist() -> None:
    named = re.findall(
        r"hpcampus ((?:demo|[a-z]+)(?: [a-z]+)?)", "\n".join(re.findall(r"^\| `(hpcampus [^`]*)`", PAGE, re.MULTILINE))
    )
    assert named
    assert [name for name in named if name not in COMMANDS and name.split()[0] not in COMMANDS] == []


def test_the_answers_on_the_page_are_enough() -> None:
    (block,) = re.findall(r"```\n# answers\.yml.*?\n(.*?)```", PAGE, re.DOTALL)
    answers = YAML(typ="safe").load(block)
    resolved = resolve(
        load_questions(ROOT), [Layer("page", answers), Layer("file", {"admin_password": "not-a-real-one"})], {}
    )
    assert [str(problem) for problem in resolved.problems] == []
