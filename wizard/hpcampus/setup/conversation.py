# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The conversation with a person: first what nobody can find out, then menus of everything, and back at any point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpcampus.answers import by_itself, variable_value
from hpcampus.questions import Kind
from hpcampus.setup.asker import BACK, FOUND, LEAVE, MORE, WRITE, Back, Menu, Row
from hpcampus.texts import t

if TYPE_CHECKING:
    from hpcampus.answers import Problem, Resolved
    from hpcampus.questions import Answers, Question
    from hpcampus.setup.asker import Asker
    from hpcampus.setup.run import Setup

SUMMARY_VALUES = 3


class Conversation:
    """Asks what is open, then shows menus until the person writes or leaves.

    Args:
        setup: Resolves, remembers and looks.
        asker: Asks the person.
    """

    def __init__(self, setup: Setup, asker: Asker) -> None:
        self.setup = setup
        self.asker = asker
        # Keys of what was asked, for the way back.
        self.asked: list[str] = []
        self.complained: set[str] = set()

    def run(self) -> Resolved | None:
        """Talk; give the answers, or None when nothing shall be written."""
        while True:
            resolved = self._ask_all_open()
            if resolved.problems:
                # Only names that do not exist are left: nobody can answer those.
                return resolved
            choice = self._choose(self._overview(resolved))
            if choice == WRITE:
                return self.setup.resolve()
            if choice == LEAVE:
                return None
            if choice == FOUND:
                self.setup.wait_for(self.setup.probes.running())
                self.asker.found(self.setup.findings())
            elif choice == MORE:
                self._ask_variable(resolved)
            elif choice in self.setup.questions.sections:
                self._ask_section(choice)

    def _ask_all_open(self) -> Resolved:
        """Ask until nothing is open any more."""
        again: str | None = None
        while True:
            resolved = self.setup.resolve()
            question = self._by_key(again) or self._next(resolved)
            if question is None or not question.meets_hosts:
                self._meet(resolved)
            else:
                self.setup.look(resolved)
            # What the probes find may be the answer; then the next question may have others that are looking still.
            waited_for: list[Question | None] = []
            while question not in waited_for:
                waited_for.append(question)
                self.setup.wait_for(self.setup.probes.running() if question is None else question.probers)
                resolved = self.setup.resolve()
                question = self._by_key(again) or self._next(resolved)
            if question is None:
                return resolved
            again = None
            try:
                self._ask_open(question, resolved)
            except Back:
                again = self.asked.pop() if self.asked else question.key
            else:
                self.asked.append(question.key)

    def _by_key(self, key: str | None) -> Question | None:
        return None if key is None else self.setup.questions.by_key[key]

    def _meet(self, resolved: Resolved) -> None:
        self.setup.meet(resolved)
        for error in self.setup.hosts.silent(resolved.values):
            if error.what not in self.complained:
                self.complained.add(error.what)
                self.asker.trouble(error)

    def _next(self, resolved: Resolved) -> Question | None:
        known = self.setup.known(resolved)
        wrong = {problem.key for problem in resolved.problems}
        for question in self.setup.questions:
            if not question.when(known):
                continue
            open_once = question.asked and question.key not in self.asked and not resolved.sources.get(question.key)
            if question.key in wrong or (open_once and question.key not in self.setup.now):
                return question
        return None

    def _ask_open(self, question: Question, resolved: Resolved) -> None:
        """Ask an open question, after the reason why it is open again.

        Where two answers contradict each other either may be the wrong one, so the earlier one is asked again first.
        """
        reasons = [
            problem
            for problem in (*resolved.notices, *resolved.problems)
            if problem.key == question.key and not problem.missing
        ]
        for reason in reasons:
            self.asker.notice(reason)
        earlier = {reason.earlier for reason in reasons if reason.earlier}
        for other in self.setup.questions:
            if other.key in earlier:
                self._ask(other, resolved)
                self.asked.append(other.key)
        if earlier:
            resolved = self.setup.resolve()
            if question.key in resolved.values:
                return
        self._ask(question, resolved)

    def _ask(self, question: Question, resolved: Resolved) -> None:
        known = self.setup.known(resolved)
        present = resolved.values.get(question.key, self.setup.now.get(question.key, question.default(known)))
        inspector = by_itself(self.setup.inspectors.get(question.key))
        options = self.setup.probes.options().get(question.key, ())
        answer = self.asker.ask(question, present, known, inspector, options)
        if answer is not None:
            self.setup.answer(question.key, answer)

    def _choose(self, menu: Menu) -> str:
        try:
            return self.asker.choose(menu)
        except Back:
            return BACK

    def _overview(self, resolved: Resolved) -> Menu:
        known = self.setup.known(resolved)
        rows = []
        for section in self.setup.questions.sections:
            questions = self.setup.questions.of(section, known)
            values = [brief(question, resolved.values) for question in questions]
            if questions:
                summary = ", ".join([value for value in values if value][:SUMMARY_VALUES])
                rows.append(Row(section, t(f"section.{section}"), summary))
        found = self.setup.findings()
        actions = [Row(WRITE, t("setup.write")), Row(MORE, t("setup.more"))]
        if found:
            actions.append(Row(FOUND, t("setup.found", count=len(found))))
        return Menu(t("setup.choose"), tuple(rows), (*actions, Row(LEAVE, t("setup.leave"))))

    def _ask_section(self, section: str) -> None:
        """Show the values of a section until the person goes back."""
        while True:
            resolved = self.setup.resolve()
            problems = {problem.key: problem for problem in (*resolved.notices, *resolved.problems)}
            questions = self.setup.questions.of(section, self.setup.known(resolved))
            rows = tuple(
                Row(
                    question.key,
                    question.prompt,
                    shown(question, resolved.values),
                    _complaint(problems.get(question.key)),
                )
                for question in questions
            )
            back = Row(BACK, t("setup.back"))
            choice = self._choose(Menu(t(f"section.{section}"), rows, (back,)))
            if choice == BACK:
                return
            try:
                self._ask(self.setup.questions.by_key[choice], resolved)
            except Back:
                continue

    def _ask_variable(self, resolved: Resolved) -> None:
        questions = self.setup.questions
        decided = {question.target.partition("[")[0] for question in questions}
        variables = {
            variable.path: variable
            for variable in questions.specs.settable()
            if variable.path not in decided
            and variable.option.get("elements") != "dict"
            and not variable.option.get("no_log")
        }

        def parse(name: str, text: str) -> Any:
            return variable_value(questions, name, text)

        try:
            name, value = self.asker.variable(variables, resolved.variables, parse)
        except Back:
            return
        self.setup.answer(name, value)


def _complaint(problem: Problem | None) -> str:
    if problem is None:
        return ""
    return t("setup.needed") if problem.missing else problem.text


def brief(question: Question, values: Answers) -> str:
    """Give the answer to a question where there is little room."""
    return str(values.get(question.key, "")) if question.kind is Kind.CHOICE else shown(question, values)


def shown(question: Question, values: Answers) -> str:
    """Give the answer to a question as a person reads it; a secret never."""
    value = values.get(question.key)
    if question.kind is Kind.SECRET:
        return t("setup.hidden") if value else t("setup.kept")
    if value is None:
        return ""
    if question.kind is Kind.CHOICE:
        return question.choice_text(str(value))
    return ", ".join(value) if isinstance(value, list) else str(value)
