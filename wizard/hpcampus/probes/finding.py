# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a probe is and what it finds. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from hpcampus.questions import Answers


class Level(StrEnum):
    """How much a line matters."""

    OK = "ok"
    NOTE = "note"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Line:
    """One thing that was seen, in one line, ready for a person."""

    level: Level
    text: str


@dataclass(frozen=True)
class Option:
    """Something that the site offers for an answer, such as one of its partitions."""

    value: Any
    text: str


@dataclass(frozen=True)
class Finding:
    """What one probe found.

    Attributes:
        probe: Name of the probe.
        lines: What was seen.
        proposals: By answer key, the best default; a person may overrule it.
        options: By answer key, what there is to choose from.
        facts: Anything else for the inventory, such as the size of a node: {"cpus": .., "memory_mb": ..}.
    """

    probe: str
    lines: tuple[Line, ...] = ()
    proposals: Mapping[str, Any] = field(default_factory=dict)
    options: Mapping[str, tuple[Option, ...]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)

    @property
    def problems(self) -> tuple[Line, ...]:
        """The lines that ask for something to be done."""
        return tuple(line for line in self.lines if line.level is Level.PROBLEM)


@dataclass(frozen=True)
class Probe:
    """One look at the world.

    Attributes:
        name: Its name.
        seconds: How long it may take.
        inputs: Gives what it looks at from the answers so far; None while they do not suffice.
        run: Looks, and gives what was found; what it raises becomes a line.
    """

    name: str
    seconds: float
    inputs: Callable[[Answers], Hashable | None]
    run: Callable[[Any], Finding]


def ok(key: str, /, **values: object) -> Line:
    """Make a line that says that something is as it should be."""
    return Line(Level.OK, one_line(t(f"probe.{key}", **values)))


def note(key: str, /, **values: object) -> Line:
    """Make a line that is good to know."""
    return Line(Level.NOTE, one_line(t(f"probe.{key}", **values)))


def problem(key: str, /, **values: object) -> Line:
    """Make a line that asks for something to be done."""
    return Line(Level.PROBLEM, one_line(t(f"probe.{key}", **values)))


def one_line(text: str) -> str:
    """Make one printable line of a text that may hold what a foreign host said."""
    return "".join(character if character.isprintable() else " " for character in text).strip()


def as_data(finding: Finding) -> dict[str, Any]:
    """Give a finding as data for JSON."""
    return {
        "probe": finding.probe,
        "problems": len(finding.problems),
        "lines": [{"level": line.level.value, "text": line.text} for line in finding.lines],
        "proposals": dict(finding.proposals),
        "options": {
            key: [{"value": option.value, "text": option.text} for option in options]
            for key, options in finding.options.items()
        },
        "facts": dict(finding.facts),
    }
