# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The questions on a terminal that can be drawn on. Ctrl-C always arrives as KeyboardInterrupt."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Any

import questionary
from prompt_toolkit.application import get_app
from prompt_toolkit.document import Document
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.lexers import SimpleLexer
from prompt_toolkit.shortcuts import PromptSession
from questionary.constants import DEFAULT_QUESTION_PREFIX
from questionary.styles import merge_styles_default

from hpcampus.screens.confirm import yes_or_no
from hpcampus.screens.dialogue import Dialogue
from hpcampus.screens.progress import tell
from hpcampus.setup.asker import Back
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from prompt_toolkit.formatted_text import StyleAndTextTuples

# Plain characters, whatever the terminal can show.
POINTER = ">"
BACK_LINE, HELP_LINE = "<", "?"


class Terminal(Dialogue):
    """Asks a person on a terminal, with the arrow keys."""

    def select(
        self, title: str, choices: Sequence[tuple[Any, str]], present: object = None, explanation: str = ""
    ) -> Any:
        """Let a person choose with the arrow keys; Esc goes back, a question mark explains."""
        shown = [questionary.Choice(text, value) for value, text in choices]
        default = next((choice for choice in shown if choice.value == present), None)
        while True:
            question = questionary.select(
                title,
                choices=shown,
                default=default,
                pointer=POINTER,
                instruction=t("setup.keys" if explanation else "setup.keys-short"),
            )
            keys = question.application.key_bindings
            if not isinstance(keys, KeyBindings):
                raise TypeError(type(keys))

            @keys.add("escape", eager=True)
            def _back(event: KeyPressEvent) -> None:
                event.app.exit(exception=Back())

            @keys.add(HELP_LINE)
            def _explain(event: KeyPressEvent) -> None:
                event.app.exit(result=HELP_LINE)

            chosen = question.unsafe_ask()
            if chosen != HELP_LINE:
                return chosen
            self._explain(explanation)

    def type(
        self,
        prompt: str,
        complaint: Callable[[str], str],
        present: str = "",
        explanation: str = "",
        *,
        hidden: bool = False,
    ) -> str:
        """Let a person type one line; Esc or < goes back, a question mark explains."""
        return type_in(prompt, complaint, present, explanation=explanation, hidden=hidden, may_go_back=True)

    def confirm(self, question: str, *, default: bool) -> bool:
        """Ask for yes or no."""
        return yes_or_no(question, default=default)

    def waiting(self, key: str) -> AbstractContextManager[object]:
        """Say the text of a key in a line that goes with the block."""
        return self.console.status(t(key), spinner="line")

    def _explain(self, explanation: str) -> None:
        tell(self.console, explanation or t("setup.no-help"), "cyan")


def type_in(
    prompt: str,
    complaint: Callable[[str], str],
    default: str = "",
    *,
    explanation: str = "",
    hidden: bool = False,
    may_go_back: bool = False,
) -> str:
    """Let a person type one line until there is no complaint about it.

    The complaint stands above the line, as many rows high as it needs to be read as a whole, until Enter is pressed
    again; prompt_toolkit's own place for it is one row, whatever the message.

    Args:
        prompt: The question.
        complaint: Says what is wrong with the line; empty when nothing is.
        default: What stands in the line at first.
        explanation: What a question mark shows.
        hidden: Whether stars are shown in place of what is typed.
        may_go_back: Whether Esc, or < as the whole line, goes back.

    Raises:
        KeyboardInterrupt: Ctrl-C, or Ctrl-D in an empty line.
        Back: The person wants to go back.
    """
    above, style = "", ""

    def message() -> StyleAndTextTuples:
        parts: StyleAndTextTuples = []
        for row in _rows(above) if above else []:
            parts += [(style, row), ("", "\n")]
        return [*parts, ("class:qmark", DEFAULT_QUESTION_PREFIX), ("class:question", f" {prompt} ")]

    keys = KeyBindings()

    @keys.add("enter")
    def _take(event: KeyPressEvent) -> None:
        nonlocal above, style
        typed = event.current_buffer.text
        if typed.strip() == BACK_LINE and may_go_back:
            event.app.exit(exception=Back())
            return
        if typed.strip() == HELP_LINE:
            above, style = explanation or t("setup.no-help"), "class:instruction"
            event.current_buffer.reset(Document(default))
            return
        wrong = complaint(typed)
        above, style = t("setup.wrong", problem=wrong) if wrong else "", "class:validation-toolbar"
        if not wrong:
            event.current_buffer.validate_and_handle()

    if may_go_back:

        @keys.add("escape")
        def _back(event: KeyPressEvent) -> None:
            event.app.exit(exception=Back())

    session: PromptSession[str] = PromptSession(
        message,
        is_password=hidden,
        key_bindings=keys,
        lexer=SimpleLexer("class:answer"),
        style=merge_styles_default([]),
    )
    session.default_buffer.reset(Document(default))
    try:
        return session.app.run()
    except EOFError:
        raise KeyboardInterrupt from None


def _rows(text: str) -> list[str]:
    """Wrap a text for the terminal as it is now; of what is too long even so, beginning and end are kept."""
    size = get_app().output.get_size()
    rows = textwrap.wrap(text, max(20, size.columns - 1), break_on_hyphens=False)
    half = max(1, (size.rows - 4) // 2)
    return rows if len(rows) <= 2 * half else [*rows[:half], *rows[-half:]]
