# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One choice out of several: a menu with arrow keys, or numbers where lines are all there is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import questionary

from hpcampus.screens.progress import say
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

POINTER = ">"


def choose(console: Console, question: str, choices: Sequence[tuple[str, str]], *, plain: bool = False) -> str:
    """Let a person choose.

    Args:
        console: The terminal.
        question: What is asked.
        choices: For each its value and its text.
        plain: Whether to number the choices and to read a number.

    Returns:
        The value that was chosen.

    Raises:
        KeyboardInterrupt: Ctrl-C, or the end of the input.
    """
    if plain or console.is_dumb_terminal:
        return _choose_by_number(console, question, choices)
    titles = [questionary.Choice(title, value) for value, title in choices]
    asked = questionary.select(
        question,
        choices=titles,
        pointer=POINTER,
        instruction=t("menu.instruction"),
        use_jk_keys=False,
        use_search_filter=False,
    )
    return str(asked.unsafe_ask())


def _choose_by_number(console: Console, question: str, choices: Sequence[tuple[str, str]]) -> str:
    say(console, question)
    for number, (_, title) in enumerate(choices, start=1):
        say(console, t("menu.numbered", number=number, title=title))
    while True:
        typed = read_line(t("menu.number", count=len(choices)))
        if typed.isdecimal() and 1 <= int(typed) <= len(choices):
            return choices[int(typed) - 1][0]


def agree(console: Console, question: str, *, plain: bool = False) -> bool:
    """Ask whether to do something; Enter alone is a no."""
    if plain or console.is_dumb_terminal:
        return read_line(t("menu.agree", question=question)).lower() == t("menu.yes")
    return bool(questionary.confirm(question, default=False).unsafe_ask())


def read_line(prompt: str) -> str:
    """Read one line; its end is that of the input as well.

    Raises:
        KeyboardInterrupt: Ctrl-C, or the end of the input.
    """
    try:
        return input(prompt).strip()
    except EOFError:
        raise KeyboardInterrupt from None
