# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One allow-list for form, REST API and links."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.options import Membership, OptionsError, choose, from_form
from tests.unit.hub.sites import site

SITE = site()
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=300),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(max_size=10), children, max_size=3),
    max_leaves=8,
)


def test_nothing_asked_gives_the_first_profile_and_every_course_of_the_person() -> None:
    choice = choose(SITE, "alice", {})
    assert choice.profile.name == "small"
    assert choice.memberships == tuple(Membership(slug, "student") for slug in ("py1", "ml", "intro"))
    assert choice.image == "base"


def test_a_course_brings_its_profile_and_image_and_comes_first() -> None:
    choice = choose(SITE, "alice", {"course": "ml"})
    assert (choice.profile.name, choice.image) == ("gpu", "ml")
    assert choice.course == Membership("ml", "student")
    assert [member.slug for member in choice.memberships] == ["ml", "py1", "intro"]


def test_a_profile_that_is_named_wins_over_the_course() -> None:
    assert choose(SITE, "alice", {"course": "ml", "profile": "small"}).profile.name == "small"


def test_an_instructor_is_a_student_on_the_own_server() -> None:
    assert choose(SITE, "ida", {"course": "py1"}).course == Membership("py1", "student")


def test_an_open_course_is_everybodys() -> None:
    assert [member.slug for member in choose(SITE, "stranger", {}).memberships] == ["intro"]


def test_the_courses_own_server_has_only_its_course() -> None:
    choice = choose(SITE, "course-ml", {})
    assert choice.memberships == (Membership("ml", "course"),)
    assert (choice.profile.name, choice.image) == ("gpu", "ml")


@pytest.mark.parametrize("user", ["course-gone", "course-", "course-py1 "])
def test_the_server_of_no_course_does_not_start(user: str) -> None:
    with pytest.raises(OptionsError, match="no longer configured"):
        choose(SITE, user, {})


def test_another_course_is_refused_to_the_courses_own_server() -> None:
    with pytest.raises(OptionsError, match="not one of yours"):
        choose(SITE, "course-ml", {"course": "py1"})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "huge"}, "there are small, gpu"),
        ({"course": "py2"}, "yours: py1, ml, intro"),
        ({"profile": None}, "must be text"),
        ({"profile": ["small"]}, "must be text"),
        ({"memory": "900G"}, "is not an option"),
        ({"cmd": "sh"}, "is not an option"),
        ({"environment": {"LD_PRELOAD": "x"}}, "is not an option"),
        ([], "must be an object"),
        ("small", "must be an object"),
        (None, "must be an object"),
    ],
)
def test_what_is_not_on_the_list_is_refused(options: Any, message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        choose(SITE, "alice", options)


@pytest.mark.parametrize(
    "text", ["$(id)", "small; id", "../small", "small\n", "small\x00", "\u017fmall", "x" * 300, "-small", "SMALL", ""]
)
def test_hostile_values_are_refused_and_shown_harmlessly(text: str) -> None:
    for key in ("profile", "course"):
        with pytest.raises(OptionsError) as refused:
            choose(SITE, "alice", {key: text})
        assert str(refused.value).isascii()
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 200


@given(json_values)
def test_whatever_comes_is_refused_or_is_a_configured_choice(options: Any) -> None:
    try:
        choice = choose(SITE, "alice", options)
    except OptionsError:
        return
    assert choice.profile in SITE.profiles.values()
    assert choice.image in ("base", "ml")


@given(
    st.dictionaries(
        st.sampled_from(["profile", "course", "_xsrf", "x", "profile_file"]), st.lists(json_values, max_size=2)
    )
)
def test_whatever_a_form_sends_is_refused_or_text(fields: dict[str, list[Any]]) -> None:
    try:
        options = from_form(fields)
    except OptionsError:
        return
    assert set(options) <= {"profile", "course"}
    assert all(isinstance(value, str) and value for value in options.values())


def test_a_form_gives_single_texts() -> None:
    assert from_form({"_xsrf": ["x"], "profile": ["gpu"], "course": [""]}) == {"profile": "gpu"}


@pytest.mark.parametrize("fields", [{"profile": ["a", "b"]}, {"profile": []}, {"profile_file": [{}]}, {"other": ["x"]}])
def test_a_form_with_more_is_refused(fields: dict[str, list[Any]]) -> None:
    with pytest.raises(OptionsError):
        from_form(fields)
