# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Any name becomes a safe id, and different names different ones."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.names import course_of, course_user, is_slug, slug_of

HOSTILE = [
    "$(reboot)",
    "a; rm -rf /",
    "../../etc/passwd",
    "..",
    ".",
    "-rf",
    "a\nb",
    "a\x00b",
    "a:b",
    "Ünïcødé",
    "ALICE",
    "alice ",
    "x" * 300,
    "a--b",
    "alice--0123456789abcdef01234567",
    "\ud800",
    "'\"`|&<>*?[]{}",
    "%2e%2e",
    "名前",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_becomes_a_slug_that_is_not_the_name(name: str) -> None:
    assert is_slug(slug_of(name))
    assert slug_of(name) != name
    assert len(slug_of(name)) <= 64


@pytest.mark.parametrize("name", ["alice", "a", "a1-b", "x" * 64, "course-py1"])
def test_a_plain_name_stays(name: str) -> None:
    assert slug_of(name) == name


def test_names_that_look_alike_stay_apart() -> None:
    names = [*HOSTILE, "alice", "Alice", "alice.", "alice_", "x" * 299, "x" * 301, "\u00e9", "e\u0301"]
    assert len({slug_of(name) for name in names}) == len(names)


@given(st.text(min_size=1, max_size=400))
def test_any_name_gives_a_slug_and_the_same_each_time(name: str) -> None:
    slug = slug_of(name)
    assert is_slug(slug)
    assert slug == slug_of(name)
    assert slug == name or "--" in slug


@given(st.text(string.ascii_lowercase + string.digits + "-", min_size=1, max_size=64), st.text(min_size=1, max_size=80))
def test_different_names_give_different_slugs(one: str, other: str) -> None:
    assert (one == other) == (slug_of(one) == slug_of(other))


def test_a_made_up_slug_of_somebody_else_is_mapped_away() -> None:
    victim = slug_of("Alice")
    assert slug_of(victim) != victim


def test_an_empty_name_has_no_id() -> None:
    with pytest.raises(ValueError, match="empty"):
        slug_of("")


@pytest.mark.parametrize("text", ["", "-a", "a-", "a" * 65, "A", "a_b", "a\n", "a.b"])
def test_what_is_no_slug(text: str) -> None:
    assert not is_slug(text)


def test_course_users_and_courses_name_each_other() -> None:
    assert course_user("py1") == "course-py1"
    assert course_of("course-py1") == "py1"
    assert course_of("alice") is None
