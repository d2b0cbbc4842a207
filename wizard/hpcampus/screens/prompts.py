# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The questions on a terminal. Ctrl-C always arrives as KeyboardInterrupt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import questionary

from hpcampus.answers import Inspector, Problem, check
from hpcampus.questions import QUESTIONS, SECTIONS, Answers, Kind, Question
from hpcampus.screens.progress import say
from hpcampus.setup import LEAVE, WRITE
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.console import Console

    from hpcampus.host_keys import Comparison


class Terminal:
    """Asks a person on the terminal."""

    def __init__(self, console: Console) -> None:
        self.console = console

    def ask(self, question: Question, present: object, known: Answers, inspector: Inspector | None) -> Any:
        """Ask until the answer is valid."""

        def validate(raw: object) -> bool | str:
            try:
                check(question, raw, known, inspector)
            except ValueError as error:
                return str(error)
            return True

        match question.kind:
            case Kind.CHOICE:
                return _choose(question, present)
            case Kind.SECRET:
                return _ask_secret(question, known, validate)
            case _:
                default = ", ".join(present) if isinstance(present, list) else str(present or "")
                raw = questionary.text(question.prompt, default=default, validate=validate).unsafe_ask()
                return question.parse(raw)

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


def _ask_secret(question: Question, known: Answers, validate: Callable[[object], bool | str]) -> str | None:
    optional = question.optional(known)
    prompt = t("setup.keep-password", prompt=question.prompt) if optional else question.prompt

    def valid_or_empty(raw: str) -> bool | str:
        return True if optional and not raw else validate(raw)

    first = questionary.password(prompt, validate=valid_or_empty).unsafe_ask()
    if not first:
        return None

    def same(raw: str) -> bool | str:
        return True if raw == first else t("setup.password-differs")

    questionary.password(t("setup.password-again"), validate=same).unsafe_ask()
    return str(first)


def _shown(question: Question, values: Answers) -> str:
    value = values.get(question.key)
    if question.kind is Kind.SECRET:
        return t("setup.hidden") if value else t("setup.kept")
    if question.kind is Kind.CHOICE:
        return question.choice_text(str(value))
    return ", ".join(value) if isinstance(value, list) else str(value)
