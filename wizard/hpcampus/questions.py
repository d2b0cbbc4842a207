# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The questions, read from `questions.yml` and the collection's argument_specs.

Prompts and choices are texts: `prompt.<name>` and `choice.<name>.<value>`.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml

from hpcampus import validators
from hpcampus.specs import Specs, Variable, load_specs
from hpcampus.texts import t

Answers = Mapping[str, Any]
FILE = Path(__file__).with_name("questions.yml")
# Set by whoever reads the existing inventory: the administrator whose password it holds already.
KNOWN_ADMIN = "known_admin"


class Kind(StrEnum):
    """How a question is asked."""

    TEXT = "text"
    CHOICE = "choice"
    LIST = "list"
    SECRET = "secret"  # noqa: S105 -- a kind, not a password


class Place(StrEnum):
    """Where an answer goes."""

    OPTION = "option"
    CONNECTION = "connection"
    GROUP = "group"
    SECRET = "secret"  # noqa: S105 -- a place, not a password


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        key: Name of the answer.
        section: Which section it belongs to.
        place: What kind of thing it decides.
        target: Variable, place in one, or group.
        parse: Takes what was given and returns the answer; raises ValueError with a text for the person.
        kind: How it is asked.
        choices: Values of a choice.
        default: Gives the default from the answers so far; None means that there is none.
        when: Whether it is asked at all, from the answers so far.
        optional: Whether it may stay without an answer, from the answers so far.
        probers: Names of the probes whose findings are offered.
        asked: Whether it is asked once although there is a default.
        meets_hosts: Whether its answer has to be known before anybody can look at the hosts.
        help: What the variable means, from its description.
    """

    key: str
    section: str
    place: Place
    target: str
    parse: Callable[[object], Any]
    kind: Kind
    choices: tuple[str, ...]
    default: Callable[[Answers], object]
    when: Callable[[Answers], bool]
    optional: Callable[[Answers], bool]
    probers: tuple[str, ...]
    asked: bool
    meets_hosts: bool
    help: str

    @property
    def prompt(self) -> str:
        """What a person reads."""
        return t(f"prompt.{self.key}")

    def choice_text(self, value: str) -> str:
        """What a person reads for one of the choices."""
        return t(f"choice.{self.key}.{value}")


@dataclass(frozen=True)
class Questions:
    """All questions, in the order in which they are asked.

    Attributes:
        sections: Names of the sections, in order.
        all: The questions.
        specs: The variables that they decide, and all others.
    """

    sections: tuple[str, ...]
    all: tuple[Question, ...]
    specs: Specs = field(repr=False)

    def __iter__(self) -> Iterator[Question]:
        return iter(self.all)

    @functools.cached_property
    def by_key(self) -> Mapping[str, Question]:
        """The questions by name."""
        return {question.key: question for question in self.all}

    def of(self, section: str, known: Answers) -> list[Question]:
        """Give the questions of a section that apply."""
        return [question for question in self.all if question.section == section and question.when(known)]


@functools.cache
def load_questions(collection: Path) -> Questions:
    """Read the questions and the variables that they decide.

    Args:
        collection: Root of the collection.

    Raises:
        CollectionError: Its argument_specs cannot be read.
    """
    specs = load_specs(collection)
    data = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return Questions(tuple(data["sections"]), tuple(_question(record, specs) for record in data["questions"]), specs)


def _question(record: Mapping[str, Any], specs: Specs) -> Question:
    place = next(place for place in Place if place in record)
    target = record[place]
    variable = specs.variable(target) if place is Place.OPTION else Variable(target, {})
    kind, choices = _kind(record, place, variable)
    default = variable.default if record.get("default") is None else record["default"]
    may_be_empty = default == "" and not record.get("needed")
    return Question(
        key=record["name"],
        section=record["section"],
        place=place,
        target=target,
        parse=_parser(record, kind, choices, variable, may_be_empty=may_be_empty),
        kind=kind,
        choices=choices,
        default=_default(None if default == "" and not may_be_empty else default),
        when=_condition(record.get("when")),
        optional=_equal(record.get("kept_if")),
        probers=_names(record.get("prober")),
        asked=bool(record.get("ask")),
        meets_hosts=bool(record.get("meets_hosts")),
        help=variable.help,
    )


def _kind(record: Mapping[str, Any], place: Place, variable: Variable) -> tuple[Kind, tuple[str, ...]]:
    choices = tuple(record.get("offer") or variable.choices)
    if place is Place.SECRET:
        return Kind.SECRET, ()
    if choices:
        return Kind.CHOICE, choices
    return (Kind.LIST if place is Place.GROUP and record.get("validator") == "hosts" else Kind.TEXT), ()


def _parser(
    record: Mapping[str, Any], kind: Kind, choices: Sequence[str], variable: Variable, *, may_be_empty: bool
) -> Callable[[object], Any]:
    name = record.get("validator")
    if name is not None:
        check = validators.BY_NAME[name]
    elif kind is Kind.CHOICE:
        check = validators.one_of(choices)
    else:
        check = validators.BY_TYPE[variable.type]
    if not may_be_empty:
        return check
    return lambda value: "" if isinstance(value, str) and not value.strip() else check(value)


def _default(value: object) -> Callable[[Answers], object]:
    if isinstance(value, Mapping):
        other = value["same_as"]
        return lambda answers: answers.get(other)
    return lambda _answers: value


def _condition(wanted: object) -> Callable[[Answers], bool]:
    """Make a condition of a mapping, all of whose entries must hold, or of a list of them, one of which must."""
    if wanted is None:
        return lambda _answers: True
    alternatives = [wanted] if isinstance(wanted, Mapping) else list(wanted) if isinstance(wanted, list) else []
    rules = [{key: _names(values) for key, values in one.items()} for one in alternatives]
    return lambda answers: any(all(answers.get(key) in values for key, values in rule.items()) for rule in rules)


def _equal(keys: Sequence[str] | None) -> Callable[[Answers], bool]:
    if keys is None:
        return lambda _answers: False
    one, other = keys
    return lambda answers: answers.get(one) is not None and answers.get(one) == answers.get(other)


def _names(value: object) -> tuple[str, ...]:
    return tuple(value) if isinstance(value, list) else () if value is None else (str(value),)
