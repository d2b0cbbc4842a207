# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Records come into lists and leave them, and every comment stays where it belongs, whatever the file looks like."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from hpcampus.inventory_files import plain, update
from hpcampus.yaml_files import dump_document, load_document
from hpcampus.yaml_lists import insert_item, remove_item

TEXT = """\
---
# about the hub
hub: 1
# the courses
courses:  # all of them
  # about one
  - slug: one  # first
    title: One
  # about two
  - slug: two
    students: [a, b]  # both
# about images
images: []  # none yet
# about z
z: {q: 1}
# the end
"""
NEW = {"slug": "new", "students": ["x"]}
NEW_LINES = "  - slug: new\n    students:\n      - x\n"


def text_of(document: Any) -> str:
    return dump_document(document)


def load(text: str) -> Any:
    return load_document(text, "test")


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("courses", TEXT.replace("# about images", f"{NEW_LINES}# about images")),
        ("images", TEXT.replace("images: []  # none yet\n", f"images:  # none yet\n{NEW_LINES}")),
        ("more", TEXT.replace("# the end\n", f"more:\n{NEW_LINES}# the end\n")),
    ],
)
def test_inserted(name: str, wanted: str) -> None:
    document = load(TEXT)
    assert text_of(insert_item(document, name, NEW)) == wanted
    assert text_of(document) == TEXT


@pytest.mark.parametrize(
    ("numbers", "wanted"),
    [
        ([0], TEXT.replace("  - slug: one  # first\n    title: One\n", "")),
        ([1], TEXT.replace("  - slug: two\n    students: [a, b]  # both\n", "")),
        (
            [0, 0],
            TEXT.replace("  - slug: one  # first\n    title: One\n", "")
            .replace("  - slug: two\n    students: [a, b]  # both\n", "")
            .replace("courses:  # all of them", "courses: []  # all of them"),
        ),
    ],
)
def test_removed(numbers: Any, wanted: str) -> None:
    document = load(TEXT)
    for number in numbers:
        document = remove_item(document, "courses", number)
    assert text_of(document) == wanted


@pytest.mark.parametrize("number", [2, 99])
def test_there_is_no_such_record(number: int) -> None:
    with pytest.raises(IndexError):
        remove_item(load(TEXT), "courses", number)


@pytest.mark.parametrize(
    "text",
    [
        "courses: [{slug: one}]\n",
        "courses: [{slug: one}, {slug: two}] # flow\na: 1\n",
        "courses:\n- slug: one\n- slug: two\n",
        "courses:\n  -   # odd\n    slug: one\n",
        "courses:\n  - slug: one\n    text: |\n      a\n      # no comment\n# a comment\nb: 1\n",
        "courses:\n  - slug: one\n    text: >-\n      # no comment\n\n",
        "courses:\n  - &one {slug: one}\n  - *one\n",
        "courses:\n",
        "courses: ~ # nothing\nb: 1\n",
        "courses: null\n",
        "'courses': # quoted\n  - slug: one\n",
    ],
)
def test_odd_ways_to_write_a_list(text: str) -> None:
    before = yaml.safe_load(text)["courses"] or []
    document = insert_item(load(text), "courses", {"slug": "0123", "on": "yes"})
    written = yaml.safe_load(text_of(document))
    assert written["courses"] == [*before, {"slug": "0123", "on": "yes"}]
    assert written.get("b") == yaml.safe_load(text).get("b")
    for number in reversed(range(len(before) + 1)):
        document = remove_item(document, "courses", number)
        assert len(plain(document)["courses"]) == number


names = st.text("abcdefgh", min_size=1, max_size=5)
values = st.one_of(
    st.integers(-9, 99), st.booleans(), st.sampled_from(["yes", "0123", "a: b", "# x", "{{ v }}", "é", "- "]), names
)
fields = st.dictionaries(names, st.one_of(values, st.lists(values, max_size=3)), min_size=1, max_size=4)


@st.composite
def inventories(draw: Any) -> str:
    """Make a file with variables, lists of records and comments everywhere, all of them different."""
    count = iter(range(10**6))

    def comment(indent: str) -> list[str]:
        return [f"{indent}# note {next(count)}"] if draw(st.booleans()) else []

    def tail() -> str:
        return f"  # note {next(count)}" if draw(st.booleans()) else ""

    lines = ["---"]
    for name in draw(st.lists(st.sampled_from(["alpha", "courses", "omega", "images"]), unique=True, min_size=1)):
        lines += comment("")
        records = draw(st.lists(fields, max_size=3)) if name in {"courses", "images"} else None
        if records is None:
            lines.append(f"{name}: {draw(st.integers(0, 9))}{tail()}")
        elif not records:
            lines.append(f"{name}: []{tail()}")
        else:
            lines.append(f"{name}:{tail()}")
            for record in records:
                lines += comment("  ")
                for number, (key, value) in enumerate(record.items()):
                    lines.append(
                        f"  {' ' if number else '-'} {key}: {yaml.safe_dump(value, default_flow_style=True).splitlines()[0]}{tail()}"
                    )
    lines += comment("")
    return "\n".join(lines) + "\n"


operations = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.sampled_from(["courses", "images"]), fields),
        st.tuples(st.just("copy"), st.sampled_from(["courses", "images"]), st.integers(0, 4)),
        st.tuples(st.just("remove"), st.sampled_from(["courses", "images"]), st.integers(0, 4)),
        st.tuples(st.just("update"), st.sampled_from(["alpha", "omega", "courses"]), values),
    ),
    max_size=6,
)


def notes(text: str) -> list[str]:
    return re.findall(r"# note \d+", text)


@settings(max_examples=150, deadline=None)
@given(text=inventories(), changes=operations)
def test_any_sequence_of_changes_keeps_comments_and_what_nobody_knows(text: str, changes: Any) -> None:
    """A model of plain lists goes along; a comment goes only with the record that it stands in."""
    document = load(text)
    model = plain(document)
    gone: set[str] = set()
    for what, name, value in changes:
        records = model.get(name)
        listed = records if isinstance(records, list) else []
        before = dump_document(document)
        if what == "add":
            document = insert_item(document, name, value)
            model[name] = [*listed, value]
        elif what == "copy" and value < len(listed):
            document = insert_item(document, name, {**listed[value], "copied": True})
            model[name] = [*listed, {**listed[value], "copied": True}]
        elif what == "remove" and value < len(listed):
            inside = inside_record(before, name, value)
            document = remove_item(document, name, value)
            model[name] = [record for number, record in enumerate(listed) if number != value]
            gone |= set(inside)
        elif what == "update" and name != "courses":
            update(document, {name: value})
            model[name] = value
        assert plain(document) == model
    after = dump_document(document)
    assert yaml.safe_load(after) == model
    assert set(notes(text)) - gone == set(notes(after))


def inside_record(text: str, name: str, number: int) -> list[str]:
    """Give the comments behind the values of one record, from the lines alone."""
    inside, record = False, -1
    found: list[str] = []
    for line in text.splitlines():
        if re.match(r"\w+:", line):
            inside, record = line.startswith(f"{name}:"), -1
        elif inside and line.startswith("  - "):
            record += 1
        if inside and record == number and not line.lstrip().startswith("#") and not re.match(r"\w+:", line):
            found += notes(line)
    return found
