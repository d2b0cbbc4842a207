# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Names of assignments and notebooks."""

import unicodedata
from pathlib import PurePosixPath

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_courses.names import LONGEST, problem_of_name


@pytest.mark.parametrize(
    "name", ["ps1", "Problem set 1", "Übung 3 (neu)", "a" * LONGEST, "week-1_b.2", "課題1", "x'y, z & co;"]
)
def test_a_plain_name_is_taken(name: str) -> None:
    assert problem_of_name(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "", ".", "..", ".hidden", "../x", "a/b", "a\\b", "a+b", "*", "a?", "[a]", "a" * (LONGEST + 1), "é" * 101, "課" * 70, "-rf",
        " a", "a ", "a.", "a\nb", "a\0b", "a\u202eb", "a\u200bb", "a\u00a0b", "u\u0308", "\ud800", "<b>", 'a"b', "$x", "`x`", "a:b",
        "%2e%2e",
    ],
)  # fmt: skip
def test_another_is_not(name: str) -> None:
    assert problem_of_name(name) != ""


@given(st.text())
def test_what_is_taken_is_one_visible_part_of_a_path_that_nbgrader_does_not_split(name: str) -> None:
    if problem_of_name(name) == "":
        assert PurePosixPath(name).parts == (name,)
        assert not name.startswith((".", "-"))
        assert "+" not in name
        assert name == unicodedata.normalize("NFC", name.strip())
        assert len(f"{name}.ipynb".encode()) <= 255
