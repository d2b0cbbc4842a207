# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How setup talks, whatever it talks through: a terminal that is drawn on, or plain lines for whoever has them read out."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any

from hpcampus.answers import check
from hpcampus.probes import Level
from hpcampus.questions import Kind
from hpcampus.screens.progress import say, tell
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from contextlib import AbstractContextManager

    from rich.console import Console

    from hpcampus.answers import Inspector, Problem
    from hpcampus.errors import HpcampusError
    from hpcampus.host_keys import Comparison
    from hpcampus.probes import Line, Option
    from hpcampus.questions import Answers, Question
    from hpcampus.setup.asker import Menu, Row
    from hpcampus.specs import Variable

STYLES = {Level.OK: "green", Level.NOTE: "", Level.PROBLEM: "yellow"}
MOST_MATCHES = 15
OTHER = object()


class Dialogue(ABC):
    """Everything but the drawing."""

    def __init__(self, console: Console) -> None:
        self.console = console

    @abstractmethod
    def select(
        self, title: str, choices: Sequence[tuple[Any, str]], present: object = None, explanation: str = ""
    ) -> Any:
        """Let a person choose one of the values, each with its text.

        Raises:
            Back: The person wants to go back.
        """

    @abstractmethod
    def type(
        self,
        prompt: str,
        complaint: Callable[[str], str],
        present: str = "",
        explanation: str = "",
        *,
        hidden: bool = False,
    ) -> str:
        """Let a person type one line until there is no complaint about it.

        Raises:
            Back: The person wants to go back.
        """

    @abstractmethod
    def confirm(self, question: str, *, default: bool) -> bool:
        """Ask for yes or no."""

    def ask(
        self,
        question: Question,
        present: object,
        known: Answers,
        inspector: Inspector | None,
        options: Sequence[Option] = (),
    ) -> Any:
        """Ask until the answer is valid."""

        def complaint(raw: object) -> str:
            try:
                check(question, raw, known, inspector)
            except ValueError as error:
                return str(error)
            return ""

        if question.kind is Kind.CHOICE:
            choices = [(value, question.choice_text(value)) for value in question.choices]
            return self.select(question.prompt, choices, present, question.help)
        if question.kind is Kind.SECRET:
            return self._ask_secret(question, known, complaint)
        offered = [(option.value, option.text) for option in options]
        if offered:
            chosen = self.select(question.prompt, [*offered, (OTHER, t("setup.other-value"))], present, question.help)
            if chosen is not OTHER and not complaint(chosen):
                return question.parse(chosen)
        default = ", ".join(present) if isinstance(present, list) else "" if present is None else str(present)
        return question.parse(self.type(question.prompt, complaint, default, question.help))

    def _ask_secret(self, question: Question, known: Answers, complaint: Callable[[str], str]) -> str | None:
        optional = question.optional(known)
        prompt = t("setup.keep-password", prompt=question.prompt) if optional else question.prompt

        def unless_kept(raw: str) -> str:
            return "" if optional and not raw else complaint(raw)

        first = self.type(prompt, unless_kept, hidden=True)
        if not first:
            return None

        def unless_same(raw: str) -> str:
            return "" if raw == first else t("setup.password-differs")

        self.type(t("setup.password-again"), unless_same, hidden=True)
        return first

    def choose(self, menu: Menu) -> str:
        """Show a menu and give the key of what was chosen."""
        width = max((len(row.label) for row in menu.rows), default=0)
        choices = [(row.key, self._row(row, width)) for row in menu.rows]
        choices += [(action.key, action.label) for action in menu.actions]
        say(self.console, "")
        return str(self.select(menu.title, choices, menu.actions[0].key))

    def _row(self, row: Row, width: int) -> str:
        """Write a row in one line of the terminal."""
        text = t("setup.row", label=row.label.ljust(min(width, 44)), value=row.value).rstrip()
        if row.complaint:
            text = t("setup.row-complaint", row=text, complaint=row.complaint)
        room = max(20, self.console.width - 6)
        return text if len(text) <= room else f"{text[: room - 3]}..."

    def variable(
        self, variables: Mapping[str, Variable], values: Mapping[str, Any], parse: Callable[[str, str], Any]
    ) -> tuple[str, Any]:
        """Let a person choose a variable by a part of its name or description, and give its value."""

        def matching(part: str) -> list[str]:
            wanted = part.lower().split()
            return [
                name
                for name, variable in variables.items()
                if all(word in f"{name} {variable.help}".lower() for word in wanted)
            ]

        def too_many(part: str) -> str:
            found = len(matching(part)) if part.strip() else len(variables)
            return "" if 0 < found <= MOST_MATCHES else t("setup.variable-matches", count=found, most=MOST_MATCHES)

        part = self.type(t("setup.variable"), too_many, explanation=t("setup.variable-help"))
        name = str(self.select(t("setup.variable-which"), [(name, name) for name in matching(part)]))
        variable = variables[name]
        tell(self.console, variable.help)
        tell(self.console, t("setup.variable-type", type=variable.type, default=variable.default))

        def complaint(raw: str) -> str:
            try:
                parse(name, raw)
            except ValueError as error:
                return str(error)
            return ""

        present = str(values.get(name, "" if variable.default is None else variable.default))
        return name, parse(name, self.type(name, complaint, present, variable.help))

    def confirm_keys(self, comparisons: Sequence[Comparison]) -> bool:
        """Show fingerprints and ask whether all of them are right."""
        for comparison in comparisons:
            key = "setup.key-changed" if comparison.changed else "setup.key-new"
            say(self.console, t(key, host=comparison.host), "bold red" if comparison.changed else "bold")
            for host_key in comparison.keys:
                say(self.console, t("setup.key-row", kind=host_key.kind, fingerprint=host_key.fingerprint))
        tell(self.console, t("setup.key-compare"))
        hosts = ", ".join(comparison.host for comparison in comparisons)
        return self.confirm(t("setup.key-confirm", hosts=hosts), default=False)

    def confirm_writing(self, changes: str) -> bool:
        """Show what would change on disk and ask whether it shall."""
        say(self.console, t("setup.changes"), "bold")
        for line in changes.splitlines():
            say(self.console, line, {"+": "green", "-": "red"}.get(line[:1], ""))
        return self.confirm(t("setup.confirm-writing"), default=True)

    def notice(self, problem: Problem) -> None:
        """Say that an answer is not valid any more, or does not go together with an earlier one."""
        prompt = t(f"prompt.{problem.key}")
        if problem.earlier:
            earlier = t(f"prompt.{problem.earlier}")
            tell(self.console, t("setup.together", prompt=prompt, earlier=earlier, problem=problem.text), "yellow")
        else:
            tell(self.console, t("setup.again", prompt=prompt, problem=problem.text), "yellow")

    def trouble(self, error: HpcampusError) -> None:
        """Say what went wrong; the conversation goes on."""
        tell(self.console, t("setup.trouble", what=error.what, why=error.why), "yellow")

    def found(self, lines: Sequence[Line]) -> None:
        """Show what was found out."""
        for line in lines:
            tell(self.console, t(f"setup.line.{line.level}", text=line.text), STYLES[line.level])

    @abstractmethod
    def waiting(self, key: str) -> AbstractContextManager[object]:
        """Say the text of a key, as long as the block lasts."""
