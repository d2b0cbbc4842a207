# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Reads what the scripts of probes print: sections between marks, in whatever a site prints around them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BEGIN = re.compile(r"@@hpcampus begin ([a-z_]{1,40})")
END = re.compile(r"@@hpcampus end ([0-9]{1,3})")
COMPLETE = "complete"


@dataclass(frozen=True)
class Section:
    """What one program printed.

    Attributes:
        text: Its lines.
        status: Its exit status; None when the script ended before the program did.
    """

    text: str = ""
    status: int | None = None

    @property
    def lines(self) -> list[str]:
        """The lines that are not empty."""
        return [line for line in self.text.split("\n") if line.strip()]

    @property
    def first(self) -> str:
        """The first of them, empty when there is none."""
        return next((line.strip() for line in self.lines), "")

    @property
    def good(self) -> bool:
        """Whether the program said that it succeeded."""
        return self.status == 0


@dataclass(frozen=True)
class Sections:
    """What a script printed, by section."""

    by_name: Mapping[str, Section] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Section:
        return self.by_name.get(name, Section())

    @property
    def complete(self) -> bool:
        """Whether the script came to its end."""
        return self[COMPLETE].good


def parse_sections(text: str) -> Sections:
    """Read what a script printed; whatever stands outside of sections is left out."""
    found: dict[str, Section] = {}
    name, lines = "", list[str]()
    for line in text.replace("\r", "").split("\n"):
        begin, end = BEGIN.fullmatch(line), END.fullmatch(line)
        if name and (begin or end):
            found[name] = _section(lines, int(end[1]) if end else None)
            name = ""
        if begin:
            name, lines = begin[1], []
        elif name:
            lines.append(line)
    if name:
        found[name] = _section(lines, None)
    return Sections(found)


def _section(lines: list[str], status: int | None) -> Section:
    return Section("\n".join(lines).strip("\n"), status)


def fields(section: Section) -> dict[str, str]:
    """Read lines of a name, a space and a value."""
    return {name: value.strip() for name, _, value in (line.partition(" ") for line in section.lines)}


def release(section: Section) -> dict[str, str]:
    """Read os-release."""
    return {
        name: value.strip().strip("\"'")
        for name, equals, value in (line.partition("=") for line in section.lines)
        if equals and name.isidentifier()
    }


def marked(section: Section, prefix: str = "hpcampus:") -> Iterator[tuple[str, str]]:
    """Read lines of the form PREFIX NAME=VALUE among others."""
    for line in section.lines:
        if line.startswith(prefix):
            name, equals, value = line.removeprefix(prefix).partition("=")
            if equals:
                yield name, value.strip()


def whole_number(text: str) -> int | None:
    """Read the digits at the beginning of a text such as 64 or 515000+; None when there are none."""
    found = re.match(r"\s*([0-9]{1,18})", text, re.ASCII)
    return int(found[1]) if found else None
