# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The questions on a terminal. Ctrl-C always arrives as KeyboardInterrupt."""

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

from hpcampus.answers import Inspector, Problem, check
from hpcampus.questions import QUESTIONS, SECTIONS, Answers, Kind, Question
from hpcampus.screens.progress import say
from hpcampus.setup import LEAVE, WRITE
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable

    from prompt_toolkit.formatted_text import StyleAndTextTuples
    from rich.console import Console

    from hpcampus.host_keys import Comparison


class Terminal:
    """Asks a person on the terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def ask(self, question: Question, present: object, known: Answers, inspector: Inspector | None) -> Any:
        """Ask until the answer is valid."""

        def validate(raw: object) -> str:
            try:
                check(question, raw, known, inspector)
            except ValueError as error:
                return str(error)
            return ""

        match question.kind:
            case Kind.CHOICE:
                return _choose(question, present)
            case Kind.SECRET:
                return _ask_secret(question, known, validate)
            case _:
                default = ", ".join(present) if isinstance(present, list) else str(present or "")
                return question.parse(type_in(question.prompt, validate, default))

    def review(self, values: Answers) -> str:
        """Show all answers and ask what to do."""
        say(self.console, "")
        say(self.console, t("setup.review"), "bold")
        sections = []
        for section in SECTIONS:
            questions = [q for q in QUESTIONS if q.section == section and q.when(values)]
            if questions:
                sections.append(section)
                say(self.console, t("setup.section-title", title=t(f"section.{section}")), "bold")
            for question in questions:
                say(self.console, t("setup.row", prompt=question.prompt, value=_shown(question, values)))
        choices = [questionary.Choice(t("setup.write"), WRITE)]
        choices += [questionary.Choice(t("setup.change", section=t(f"section.{name}")), name) for name in sections]
        choices.append(questionary.Choice(t("setup.leave"), LEAVE))
        return str(questionary.select(t("setup.choose"), choices=choices).unsafe_ask())

    def confirm_key(self, comparison: Comparison) -> bool:
        """Show fingerprints and ask whether they are right."""
        key = "setup.key-changed" if comparison.changed else "setup.key-new"
        say(self.console, t(key, host=comparison.host), "bold red" if comparison.changed else "bold")
        for host_key in comparison.keys:
            say(self.console, t("setup.key-row", kind=host_key.kind, fingerprint=host_key.fingerprint))
        say(self.console, t("setup.key-compare"))
        question = t("setup.key-confirm", host=comparison.host)
        return bool(questionary.confirm(question, default=False).unsafe_ask())

    def notice(self, problem: Problem) -> None:
        """Say that an answer is not valid any more, or does not go together with an earlier one."""
        prompt = t(f"prompt.{problem.key}")
        if problem.earlier:
            earlier = t(f"prompt.{problem.earlier}")
            say(self.console, t("setup.together", prompt=prompt, earlier=earlier, problem=problem.text), "yellow")
        else:
            say(self.console, t("setup.again", prompt=prompt, problem=problem.text), "yellow")


def _choose(question: Question, present: object) -> Any:
    choices = [questionary.Choice(question.choice_text(value), value) for value in question.choices]
    default = present if present in question.choices else None
    return questionary.select(question.prompt, choices=choices, default=default).unsafe_ask()


def type_in(prompt: str, complaint: Callable[[str], str], default: str = "", *, hidden: bool = False) -> str:
    """Let a person type one line until there is no complaint about it.

    The complaint stands above the line, as many rows high as it needs to be read as a whole, until Enter is pressed
    again; prompt_toolkit's own place for it is one row, whatever the message.

    Args:
        prompt: The question.
        complaint: Says what is wrong with the line; empty when nothing is.
        default: What stands in the line at first.
        hidden: Whether stars are shown in place of what is typed.

    Raises:
        KeyboardInterrupt: Ctrl-C, or Ctrl-D in an empty line.
    """
    wrong = ""

    def message() -> StyleAndTextTuples:
        parts: StyleAndTextTuples = []
        for row in _rows(t("setup.wrong", problem=wrong)) if wrong else []:
            parts += [("class:validation-toolbar", row), ("", "\n")]
        return [*parts, ("class:qmark", DEFAULT_QUESTION_PREFIX), ("class:question", f" {prompt} ")]

    keys = KeyBindings()

    @keys.add("enter")
    def _take(event: KeyPressEvent) -> None:
        nonlocal wrong
        wrong = complaint(event.current_buffer.text)
        if not wrong:
            event.current_buffer.validate_and_handle()

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


def _ask_secret(question: Question, known: Answers, complaint: Callable[[str], str]) -> str | None:
    optional = question.optional(known)
    prompt = t("setup.keep-password", prompt=question.prompt) if optional else question.prompt

    def unless_kept(raw: str) -> str:
        return "" if optional and not raw else complaint(raw)

    first = type_in(prompt, unless_kept, hidden=True)
    if not first:
        return None

    def unless_same(raw: str) -> str:
        return "" if raw == first else t("setup.password-differs")

    type_in(t("setup.password-again"), unless_same, hidden=True)
    return first


def _shown(question: Question, values: Answers) -> str:
    value = values.get(question.key)
    if question.kind is Kind.SECRET:
        return t("setup.hidden") if value else t("setup.kept")
    if question.kind is Kind.CHOICE:
        return question.choice_text(str(value))
    return ", ".join(value) if isinstance(value, list) else str(value)
