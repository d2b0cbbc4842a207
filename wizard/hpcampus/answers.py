# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Answers in layers: given now, from a file, a draft, the inventory, or the default; the first one wins. Pure."""

from __future__ import annotations

import contextlib
import difflib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from hpcampus.questions import Answers, Kind, Question, Questions
from hpcampus.texts import t
from hpcampus.validators import wrong

_TYPES: dict[str, type | tuple[type, ...]] = {
    "int": int, "float": (int, float), "bool": bool, "str": str, "path": str, "list": list, "dict": dict,
}  # fmt: skip

_WHOLE = re.compile(r"-?[0-9]{1,18}")

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
        variables: Further variables of the inventory, by name.
        sources: By key, the layer that gave the answer; empty for a default.
        problems: What stands in the way.
        notices: Remembered answers that are not valid any more.
    """

    values: dict[str, Any] = field(default_factory=dict)
    variables: dict[str, Any] = field(default_factory=dict)
    sources: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    notices: list[Problem] = field(default_factory=list)


def resolve(
    questions: Questions,
    layers: Sequence[Layer],
    facts: Mapping[str, object],
    inspectors: Mapping[str, Inspector] | None = None,
) -> Resolved:
    """Decide every answer.

    Args:
        questions: What may be answered.
        layers: The strongest first.
        facts: What questions may look at besides answers.
        inspectors: By key, checks that need more than the text.

    Returns:
        Answers and problems; it never raises for what a person gave.
    """
    resolved = Resolved()
    for layer in reversed(layers):
        _take_variables(questions, layer, resolved)
    for question in questions:
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


def _take_variables(questions: Questions, layer: Layer, resolved: Resolved) -> None:
    """Take what a layer gives besides answers to questions: values of variables by their own names."""
    for key, value in layer.values.items():
        if key in questions.by_key or value is None:
            continue
        try:
            resolved.variables[key] = variable_value(questions, str(key), value)
        except ValueError as error:
            problem = Problem(str(key)[:60], layer.name, str(error))
            (resolved.notices if layer.lenient else resolved.problems).append(problem)


def variable_value(questions: Questions, name: str, raw: object) -> Any:
    """Give the value of a variable that no question decides in its proper form.

    Args:
        questions: The questions, which know the variables.
        name: Name of the variable.
        raw: Its value, or the text of it as YAML.

    Raises:
        ValueError: There is no such variable, it is decided otherwise, or the value is not of its type.
    """
    specs = questions.specs
    if name not in specs.options:
        near = difflib.get_close_matches(name, [*questions.by_key, *specs.options], 1)
        raise ValueError(t("wrong.unknown-answer", hint=t("wrong.did-you-mean", name=near[0]) if near else ""))
    deciding = [question.key for question in questions if question.target.partition("[")[0] == name]
    if deciding:
        raise ValueError(t("wrong.decided-by-question", names=", ".join(deciding)))
    variable = specs.variable(name)
    if name in specs.derived:
        raise ValueError(t("wrong.derived-variable"))
    if variable.option.get("no_log"):
        raise ValueError(t("wrong.secret-variable"))
    if variable.option.get("elements") == "dict":
        raise ValueError(t("wrong.record-variable"))
    return _typed(variable.option, raw)


def _typed(option: Mapping[str, Any], raw: object) -> Any:
    """Read a text as YAML where something else than a text is wanted, and hold it against the option."""
    kind = str(option.get("type", "str"))
    value = raw
    if kind == "int" and isinstance(raw, str) and _WHOLE.fullmatch(raw.strip()):
        # Not as YAML, for which 040 is 32.
        value = int(raw)
    elif isinstance(raw, str) and kind not in {"str", "path"}:
        try:
            value = yaml.safe_load(raw)
        except (yaml.YAMLError, ValueError):
            raise wrong("variable-type", value=raw, type=kind) from None
    if not isinstance(value, _TYPES.get(kind, object)) or (isinstance(value, bool) and kind != "bool"):
        raise wrong("variable-type", value=raw, type=kind)
    if isinstance(value, str) and ("{{" in value or "{%" in value or not value.isprintable()):
        raise wrong("variable-template", value=value)
    choices = option.get("choices")
    if choices and value not in choices:
        raise wrong("choice", value=value, choices=", ".join(map(str, choices)))
    if isinstance(value, list):
        return [_typed({"type": option.get("elements", "str")}, item) for item in value]
    return value


def misplaced_secrets(questions: Questions, layer: Layer) -> list[Problem]:
    """Find secrets where they would be seen: on the command line, in an answers file."""
    return [
        Problem(key, layer.name, t("wrong.secret-here"))
        for key in layer.values
        if key in questions.by_key and questions.by_key[key].kind is Kind.SECRET
    ]


def without_secrets(questions: Questions, values: Answers) -> dict[str, Any]:
    """Give what may be written into a draft, or into a record of the answers."""
    secret = {question.key for question in questions if question.kind is Kind.SECRET}
    known = {*questions.by_key, *questions.specs.options} - secret
    return {key: value for key, value in values.items() if key in known}


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
