# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How the help teaches: commands in groups by what a person wants, examples with every command, one language."""

from __future__ import annotations

import gettext
import sys
from typing import TYPE_CHECKING

import click

from hpcampus.cli.examples import EXAMPLES
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence


class TeachingGroup(click.Group):
    """The command itself, whose help shows every command that can be typed, in groups."""

    def __init__(self, *args: object, **settings: object) -> None:
        super().__init__(*args, **settings)  # type: ignore[arg-type]
        self.wants: dict[str, Sequence[click.Command]] = {}

    def offer(self, want: str, commands: Sequence[click.Command]) -> None:
        """Add commands below the heading `help.group.<want>`, each with its examples."""
        self.wants[want] = commands
        for command in commands:
            self.add_command(command)
            for path, found in leaves(command):
                found.epilog = _examples(path)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands first, then the few options."""
        for want, commands in self.wants.items():
            rows = [
                (f"{ctx.command_path} {path}", leaf.get_short_help_str(200))
                for command in commands
                for path, leaf in leaves(command)
                if not isinstance(leaf, click.Group)
            ]
            with formatter.section(t(f"help.group.{want}")):
                formatter.write_dl(rows, col_max=34)
        click.Command.format_options(self, ctx, formatter)


def leaves(command: click.Command) -> Iterator[tuple[str, click.Command]]:
    """Give a command and all below it, each with what is typed for it after `hpcampus`."""
    name = command.name or ""
    yield name, command
    if isinstance(command, click.Group):
        for child in command.commands.values():
            yield from ((f"{name} {path}", leaf) for path, leaf in leaves(child))


def _examples(path: str) -> str:
    lines = "\n".join(f"  hpcampus {example}".rstrip() for example in EXAMPLES.get(path, ()))
    return f"\b\n{t('help.examples')}\n{lines}" if lines else ""


def speak(words: Mapping[str, str]) -> None:
    """Give the library that reads the command line the words of another language.

    It looks its words up with gettext, whose catalogues are binary files found by variables of the environment, which
    every program that is started from here would inherit.
    """

    def one(text: str) -> str:
        return words.get(text, text)

    def some(single: str, plural: str, count: int) -> str:
        return one(single if count == 1 else plural)

    replaced = {gettext.gettext: one, gettext.ngettext: some}
    for module in [module for name, module in sys.modules.items() if name.startswith("click.") and words]:
        for name, value in list(vars(module).items()):
            if callable(value) and value in (gettext.gettext, gettext.ngettext):
                setattr(module, name, replaced[value])
