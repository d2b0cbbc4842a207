# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Putting a record into a list of a hand-edited document, and taking one out, with every comment staying where it belongs.

The YAML library ties a comment line to what stands above it. A line about the next record or variable would go when the
one before it goes, or stand above a record that is appended. So these two changes are made to the text. Pure.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq

from hpcampus.yaml_files import dump_document, load_document, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

EMPTY_LIST = re.compile(r"(?P<key>[^#]*?:)\s*(?:\[\s*\]|null|~)?\s*(?P<comment>#.*)?")
ITEM = "  - "
IN_ITEM = "    "


def insert_item(document: CommentedMap, name: str, record: Mapping[str, Any]) -> CommentedMap:
    """Give the document with a record at the end of the list `name`, which is made if there is none.

    Args:
        document: Stays as it is.
        name: A variable at its top.
        record: Plain objects, or what was loaded.
    """
    record = spelled(record)
    wanted = [*_items(document, name), record]
    document = _normal(document)
    if name not in document:
        document[name] = [record]
        return _normal(document)
    lines = dump_document(document).splitlines()
    block = _block(record)
    start, end = _region(document, lines, name)
    if not _items(document, name):
        found = EMPTY_LIST.fullmatch(lines[start])
        if found:
            lines[start] = found["key"] + (f"  {found['comment']}" if found["comment"] else "")
            return _checked(document, name, wanted, [*lines[: start + 1], *block, *lines[start + 1 :]])
    return _checked(document, name, wanted, [*lines[:end], *block, *lines[end:]])


def remove_item(document: CommentedMap, name: str, number: int) -> CommentedMap:
    """Give the document without one record of the list `name`; only comments inside that record go with it.

    Args:
        document: Stays as it is.
        name: A variable at its top.
        number: Which record, from 0.

    Raises:
        IndexError: The list has no such record.
    """
    wanted = _items(document, name)
    del wanted[number]
    document = _normal(document)
    lines = dump_document(document).splitlines()
    start, end = _region(document, lines, name)
    first = _item_line(document, lines, name, number)
    after = _item_line(document, lines, name, number + 1) if number < len(wanted) else end
    while after > first + 1 and _is_comment(lines[after - 1]):
        after -= 1
    rest = [*lines[:first], *lines[after:]]
    if not wanted:
        key, _, comment = rest[start].partition(" #")
        rest[start] = f"{key.rstrip()} []" + (f"  #{comment}" if comment else "")
    return _checked(document, name, wanted, rest)


def _items(document: CommentedMap, name: str) -> list[Any]:
    value = document.get(name)
    return list(value) if isinstance(value, list) else []


def _normal(document: CommentedMap) -> CommentedMap:
    """Give the document as it is when it is read again, with the places of its lines."""
    return load_document(dump_document(document), "the document")


def _region(document: CommentedMap, lines: Sequence[str], name: str) -> tuple[int, int]:
    """Give the line of the list's name, and the one after the last that belongs to the list."""
    start = document.lc.key(name)[0]
    later = [document.lc.key(other)[0] for other in document if document.lc.key(other)[0] > start]
    end = min(later, default=len(lines))
    while end > start + 1 and _is_comment(lines[end - 1]):
        end -= 1
    return start, end


def _is_comment(line: str) -> bool:
    return not line.strip() or line.lstrip().startswith("#")


def _item_line(document: CommentedMap, lines: Sequence[str], name: str, number: int) -> int:
    line = int(document[name].lc.item(number)[0])
    while not lines[line].startswith(ITEM.rstrip()) and line > 0:
        line -= 1
    return line


def _block(record: Mapping[str, Any]) -> list[str]:
    """Write a record as the lines of a list's entry."""
    text = dump_document(CommentedMap(record)).removeprefix("---\n")
    return [(ITEM if number == 0 else IN_ITEM) + line for number, line in enumerate(text.splitlines())]


def _checked(document: CommentedMap, name: str, wanted: list[Any], lines: Sequence[str]) -> CommentedMap:
    """Take the new text if it says what is wanted; where it does not, leave the comments to the library."""
    try:
        changed = load_document("\n".join(lines) + "\n", "the document")
    except ValueError:
        changed = CommentedMap()
    others = {key: value for key, value in document.items() if key != name}
    if {**changed} == {**others, name: wanted}:
        return changed
    fallback = _normal(document)
    fallback[name] = CommentedSeq(wanted)
    return _normal(fallback)
