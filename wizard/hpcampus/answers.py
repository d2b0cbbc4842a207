# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Answers in layers: given now, from a file, a draft, the inventory, or the default; the first one wins. Pure."""

from __future__ import annotations

import contextlib
import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpcampus.questions import BY_KEY, QUESTIONS, Answers, Kind, Question
from hpcampus.texts import t

# Looks at the world beyond the text of an answer: raises ValueError as a validator does.
Inspector = Callable[[Any, Answers], None]


class ContradictionError(ValueError):
    """An answer that is right by itself and does not go together with an earlier one.

    Attributes:
        earlier: Key of the question whose answer may be the wrong one of the two.
    """

    def __init__(self, text: str, earlier: str) -> None:
        super().__init__(text)
        self.earlier = earlier


@dataclass(frozen=True)
class Layer:
    """Answers from one source.

    Attributes:
        name: What messages call the source.
        values: By key of the question, as they were given.
        lenient: Whether a wrong answer is dropped with a notice (memory) or is an error (given by a person).
    """

    name: str
    values: Mapping[str, object]
    lenient: bool = False


@dataclass(frozen=True)
class Problem:
    """An answer that is missing or wrong.

    Attributes:
        key: Of the question.
        source: Name of the layer that gave the answer; empty when it was given just now, or not at all.
        text: What is wrong, for a person.
        earlier: Key of the question whose answer it contradicts; empty when it is wrong by itself.
        missing: Whether there is no answer.
    """

    key: str
    source: str
    text: str
    earlier: str = ""
    missing: bool = False

    def __str__(self) -> str:
        where = f" ({self.source})" if self.source else ""
        return f"{self.key}{where}: {self.text}"


@dataclass
class Resolved:
    """The answers that count.

    Attributes:
        values: By key; questions that do not apply have none.
        sources: By key, the layer that gave the answer; empty for a default.
        problems: What stands in the way.
        notices: Remembered answers that are not valid any more.
    """

    values: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)


def resolve(
    layers: Sequence[Layer], facts: Mapping[str, object], inspectors: Mapping[str, Inspector] | None = None
) -> Resolved:
    """Decide every answer.

    Args:
        layers: The strongest first.
        facts: What questions may look at besides answers.
        inspectors: By key, checks that need more than the text.

    Returns:
        Answers and problems; it never raises for what a person gave.
    """
    resolved = Resolved()
    for layer in layers:
        resolved.problems.extend(unknown_answers(layer))
    for question in QUESTIONS:
        known = {**facts, **resolved.values}
        if question.when(known):
            _resolve_one(question, layers, known, resolved, (inspectors or {}).get(question.key))
    return resolved


def _resolve_one(
    question: Question,
    layers: Sequence[Layer],
    known: Answers,
    resolved: Resolved,
    inspector: Inspector | None,
) -> None:
    for layer in layers:
        if layer.values.get(question.key) is None:
            continue
        try:
            value = check(question, layer.values[question.key], known, inspector)
        except ValueError as error:
            problem = Problem(question.key, layer.name, str(error), getattr(error, "earlier", ""))
            if layer.lenient:
                resolved.notices.append(problem)
                continue
            resolved.problems.append(problem)
            return
        resolved.values[question.key] = value
        resolved.sources[question.key] = layer.name
        return
    default = question.default(known)
    if default is not None:
        resolved.values[question.key] = default
        resolved.sources[question.key] = ""
    elif not question.optional(known):
        resolved.problems.append(Problem(question.key, "", t("wrong.required"), missing=True))


def check(question: Question, raw: object, known: Answers, inspector: Inspector | None = None) -> Any:
    """Give the answer in its proper form.

    Raises:
        ValueError: It is wrong; the text says how.
    """
    value = question.parse(raw)
    if inspector is not None:
        inspector(value, known)
    return value


def by_itself(inspector: Inspector | None) -> Inspector | None:
    """Make an inspector that lets contradictions pass: a person who is asked one question cannot mend another one."""
    if inspector is None:
        return None

    def check(value: Any, known: Answers) -> None:
        with contextlib.suppress(ContradictionError):
            inspector(value, known)

    return check


def unknown_answers(layer: Layer) -> list[Problem]:
    """Find answers to questions that do not exist."""
    problems = []
    for key in layer.values:
        if key not in BY_KEY:
            near = difflib.get_close_matches(str(key), list(BY_KEY), 1)
            hint = f"; did you mean {near[0]}?" if near else ""
            problems.append(Problem(str(key)[:60], layer.name, t("wrong.unknown-answer", hint=hint)))
    return problems


def misplaced_secrets(layer: Layer) -> list[Problem]:
    """Find secrets where they would be seen: on the command line, in an answers file."""
    return [
        Problem(key, layer.name, t("wrong.secret-here"))
        for key in layer.values
        if key in BY_KEY and BY_KEY[key].kind is Kind.SECRET
    ]


def without_secrets(values: Answers) -> dict[str, Any]:
    """Give what may be written into a draft."""
    return {key: value for key, value in values.items() if key in BY_KEY and BY_KEY[key].kind is not Kind.SECRET}


def parse_assignments(texts: Sequence[str]) -> tuple[dict[str, object], list[str]]:
    """Read NAME=VALUE texts.

    Returns:
        The answers, and the texts that are not of that form.
    """
    values: dict[str, object] = {}
    bad = []
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.strip():
            bad.append(text)
        else:
            values[name.strip()] = value
    return values, bad
