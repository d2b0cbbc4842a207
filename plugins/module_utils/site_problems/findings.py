# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The shape of every finding, and the checks that many variables share."""

from __future__ import annotations

import difflib
import re
import typing as t

Record = t.Mapping[str, t.Any]

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
SLUG_WORDS = "a short name of lower case letters, digits and hyphens"
UNIX_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_LABEL = "[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
HOST = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*")


def problem(variable: str, value: object, what: str, cure: str) -> str:
    """Put one finding into the shape that all messages share."""
    end = "" if cure.endswith("?") else "."
    return f"{variable} = {value!r}: {what}. {cure}{end}"


def records(site: Record, name: str) -> list[tuple[str, Record]]:
    """Return the records of a list variable, each with the name to call it by in a message."""
    return [(f"{name}[{index}]", record) for index, record in enumerate(site[name])]


def matches(variable: str, value: object, pattern: re.Pattern[str], wanted: str) -> t.Iterator[str]:
    """Check that a value is a text that the pattern matches as a whole."""
    if not isinstance(value, str) or not pattern.fullmatch(value):
        yield problem(variable, value, f"this is not {wanted}", f"Write {wanted}")


def unique(site: Record, name: str, key: str) -> t.Iterator[str]:
    """Check that no two records of a list variable have the same value under a key."""
    seen: dict[object, str] = {}
    for where, record in records(site, name):
        value = record[key]
        if value in seen:
            yield problem(f"{where}.{key}", value, f"the same {key} stands in {seen[value]}", "Give each its own")
        seen.setdefault(value, where)


def known(variable: str, value: object, names: t.Sequence[str], listed_in: str) -> t.Iterator[str]:
    """Check that a value is one of the names that stand elsewhere in the inventory."""
    if value not in names:
        near = difflib.get_close_matches(str(value), names, 1)
        hint = f"perhaps {near[0]!r} is meant" if near else f"known are: {', '.join(names) or 'none'}"
        yield problem(
            variable, value, f"{listed_in} has no such name; {hint}", f"Add it to {listed_in}, or change it here"
        )


def line(variable: str, value: object, most: int = 200) -> t.Iterator[str]:
    """Check that a value is one line of text of at most so many characters."""
    if not (isinstance(value, str) and 0 < len(value) <= most and value.isprintable()):
        yield problem(
            variable, value, "this is not one line of text", f"Write 1 to {most} characters, a number in quotes"
        )
