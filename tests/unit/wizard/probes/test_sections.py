# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What scripts print is found in whatever a site prints around it, and nothing makes the reader raise."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.probes.sections import Section, fields, marked, parse_sections, release, whole_number
from tests.unit.wizard.probes.conftest import marked as written
from tests.unit.wizard.probes.conftest import sample

LINES = st.lists(
    st.one_of(
        st.text(max_size=30),
        st.sampled_from(
            ["@@hpcampus begin now", "@@hpcampus end 0", "@@hpcampus end 7", "@@hpcampus begin sinfo", "x\r"]
        ),
    ),
    max_size=12,
)


def test_sections_among_greetings():
    text = "Welcome!\n" + written({"now": "17\n18\n"}).replace("\n", "\r\n") + "bye\n@@hpcampus begin cut\nhalf"
    found = parse_sections(text)
    assert found["now"] == Section("17\n18", 0)
    assert (found["now"].first, found["now"].lines) == ("17", ["17", "18"])
    assert found["cut"] == Section("half", None)
    assert not found["cut"].good
    assert found["missing"] == Section()
    assert not found.complete


def test_a_section_that_is_cut_off_by_the_next():
    found = parse_sections("@@hpcampus begin a\n1\n@@hpcampus begin b\n2\n@@hpcampus end 3\n")
    assert found.by_name == {"a": Section("1", None), "b": Section("2", 3)}


@given(LINES)
def test_no_text_makes_it_raise(lines: list[str]):
    found = parse_sections("\n".join(lines))
    for section in found.by_name.values():
        assert "@@hpcampus begin" not in section.lines
        assert isinstance(fields(section), dict)
        assert isinstance(release(section), dict)
        assert isinstance(list(marked(section)), list)


@pytest.mark.parametrize("text", ["kept as it is", "of several\nlines"])
def test_what_is_written_is_read(text: str):
    assert parse_sections(written({"one": text, "two": "", "complete": ""}))["one"].text == text


def test_fields_and_release():
    found = sample("host_c1")
    assert found.complete
    assert fields(found["size"])["cpus"] == "2"
    assert release(found["release"])["PRETTY_NAME"] == "Debian GNU/Linux 13 (trixie)"


@pytest.mark.parametrize(
    ("text", "number"), [("64", 64), ("515000+", 515000), (" 7 x", 7), ("", None), ("n/a", None), ("٣", None)]
)
def test_whole_numbers(text: str, number: int | None):
    assert whole_number(text) == number
