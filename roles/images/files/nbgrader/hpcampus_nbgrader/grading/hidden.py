# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Takes the text of hidden tests out of what a submission prints.

A submission can find out a test while it runs, and print it. This finds the text as it stands, in colours too; it does not find a text
that was written in another way, which is why code that looks for tests is told as well (see :mod:`.suspicion`).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

BEGIN, END = "BEGIN HIDDEN TESTS", "END HIDDEN TESTS"
REPLACEMENT = "[the text of a hidden test]"
LINE_MIN = 8
"""Shorter lines say nothing of a test, and occur everywhere."""

_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def hidden_lines(sources: Iterable[str]) -> frozenset[str]:
    """The lines between the marks of hidden tests, without the space around them."""
    found = set()
    for source in sources:
        inside = False
        for line in source.split("\n"):
            if BEGIN in line or END in line:
                inside = BEGIN in line
            elif inside and len(line.strip()) >= LINE_MIN:
                found.add(line.strip())
    return frozenset(found)


def redact_text(text: str, hidden: frozenset[str]) -> str:
    """A text with every line that shows a hidden one replaced; several of them in one line, as ``repr`` has it, are found too."""
    if not hidden or not any(line in _COLOUR.sub("", text) for line in hidden):
        return text
    lines = []
    for line in text.split("\n"):
        plain = _COLOUR.sub("", line)
        lines.append(REPLACEMENT if any(one in plain for one in hidden) else line)
    return "\n".join(lines)


def redact(output: dict[str, Any], hidden: frozenset[str]) -> bool:
    """Take hidden lines out of an output, in place; returns whether there were any."""
    before = repr(output)
    if output.get("output_type") == "stream":
        output["text"] = redact_text(output["text"], hidden)
    elif output.get("output_type") == "error":
        output["evalue"] = redact_text(output["evalue"], hidden)
        output["traceback"] = [redact_text(line, hidden) for line in output["traceback"]]
    else:
        for mime, content in output.get("data", {}).items():
            if isinstance(content, str):
                output["data"][mime] = redact_text(content, hidden)
    return repr(output) != before
