# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One allow-list for form, REST API and links."""

import json
from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.options import (
    KEYS,
    Choice,
    Membership,
    OptionsError,
    choose,
    courses_of,
    from_form,
    from_query,
    profiles_of,
)
from tests.unit.hub.sites import course, profile, site

SITE = site()
RANGES = {
    "cpus": {"min": 1, "max": 8},
    "memory": {"min": "1G", "max": "16G"},
    "time_limit_minutes": {"min": 30, "max": 720},
    "gres": ["none", "gpu:1", "gpu:a100:2"],
}
WIDE = site(
    profiles=[profile(), profile(name="large", ranges=RANGES, images=["base", "r"])],
    courses=[course(), course(slug="ml", title="ML", students=["alice", "bob"], image="ml", profile="large")],
)
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


def test_data_is_mounted_of_the_course_that_the_server_is_for() -> None:
    listed = [course(data=["a", "b"]), course(slug="ml", title="ML", students=["alice"], data=["c"], shared=True)]
    both = site(courses=listed)
    assert choose(both, "alice", {}).memberships == (
        Membership("py1", "student", data=True),
        Membership("ml", "student", shared=True),
    )
    assert choose(both, "alice", {"course": "ml"}).memberships == (
        Membership("ml", "student", data=True, shared=True),
        Membership("py1", "student"),
    )


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
        ({"memory": "900G"}, "memory '900G' is not on offer with profile small, which has 4G"),
        ({"cpus": 4}, "cpus 4 is not on offer with profile small, which has 2"),
        ({"time_limit_minutes": "9999"}, "which has 480"),
        ({"gres": "gpu:8"}, "which has none"),
        ({"gres": "gpu:2", "profile": "gpu"}, "which has gpu:1"),
        ({"image": "ml"}, "which has base"),
        ({"cmd": "sh"}, "is not an option; there are profile, .* and gres"),
        ({"environment": {"LD_PRELOAD": "x"}}, "is not an option"),
        ([], "must be an object"),
        ("small", "must be an object"),
        (None, "must be an object"),
    ],
)
def test_what_is_not_on_the_list_is_refused(options: Any, message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        choose(SITE, "alice", options)


HOSTILE = [
    *(
        "$(id)",
        "small; id",
        "../small",
        "small\n",
        "\nsmall",
        "small\x00",
        "\u017fmall",
        "x" * 300,
        "-small",
        "SMALL",
        "4 ",
    ),
    *(
        " 4",
        "4G ",
        "4G\n",
        "4G;id",
        "4\n",
        "4.0",
        "4e0",
        "0x4",
        "+4",
        "-4",
        "0",
        "04",
        "\u0664",
        "\u0664G",
        "\uff14",
        "4\u00b2",
    ),
    *(
        "9" * 10,
        "9" * 5000,
        "9" * 5000 + "G",
        "1_0",
        "1,0",
        "gpu:1 --exclusive",
        "gpu:1,gpu:1",
        "gpu:1\n",
        "GPU:1",
        "none ",
        "nan",
    ),
    *(f"a{sign}b" for sign in "`$&|;<>(){}[]*?!#~\\'\"%^=+, \t\r\n\x07\x1b\x7f\x85\u2028\ud800"),
]


@pytest.mark.parametrize("key", KEYS)
def test_hostile_values_are_refused_and_shown_harmlessly(key: str) -> None:
    for text in HOSTILE:
        with pytest.raises(OptionsError) as refused:
            choose(WIDE, "alice", {"profile": "large", key: text})
        assert str(refused.value).isascii()
        assert str(refused.value).isprintable()
        assert len(str(refused.value)) < 200


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize(
    "value",
    [
        True,
        False,
        None,
        4.0,
        float("nan"),
        float("inf"),
        [],
        ["4"],
        [4],
        {},
        {"min": 1},
        0,
        -1,
        9,
        10**5000,
        b"4",
        ("4",),
    ],
    ids=lambda value: repr(value) if value != 10**5000 else "huge",
)
def test_values_of_another_type_or_out_of_range_are_refused(key: str, value: object) -> None:
    with pytest.raises(OptionsError) as refused:
        choose(
            WIDE,
            "alice",
            {"profile": "large", key: value} | ({} if key == "time_limit_minutes" else {"cpus": 1, key: value}),
        )
    assert str(refused.value).isascii()


def test_a_value_too_deep_to_show_is_refused() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for key in KEYS:
        with pytest.raises(OptionsError, match="a list that is too large to show"):
            choose(WIDE, "alice", {key: deep})


def test_without_a_choice_the_fixed_values_are_taken() -> None:
    choice = choose(WIDE, "alice", {"profile": "large"})
    assert (choice.cpus, choice.memory_mb, choice.time_limit_minutes, choice.gres) == (2, 4096, 480, "")


@pytest.mark.parametrize("number", [int, str])
def test_what_is_within_the_ranges_is_taken(number: Callable[[int], Any]) -> None:
    asked = {
        "profile": "large",
        "cpus": number(8),
        "memory": "1024M",
        "time_limit_minutes": number(30),
        "gres": "gpu:a100:2",
    }
    choice = choose(WIDE, "alice", {**asked, "image": "r"})
    assert (choice.cpus, choice.memory_mb, choice.time_limit_minutes) == (8, 1024, 30)
    assert (choice.gres, choice.image) == ("gpu:a100:2", "r")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"cpus": 9}, "cpus 9 is not on offer with profile large, which has 1 to 8"),
        ({"memory": "17G"}, "memory '17G' is not on offer with profile large, which has 1G to 16G"),
        ({"memory": "512M"}, "1G to 16G"),
        ({"time_limit_minutes": 29}, "time_limit_minutes 29 is not on offer with profile large, which has 30 to 720"),
        ({"gres": "gpu:4"}, "gres 'gpu:4' is not on offer with profile large, which has none, gpu:1, gpu:a100:2"),
        ({"image": "ml"}, "image 'ml' is not on offer with profile large, which has base, r"),
        ({"memory": "4"}, "whole number with a unit"),
        ({"cpus": "four"}, "whole number above 0"),
    ],
)
def test_a_request_out_of_range_says_what_is_offered(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        choose(WIDE, "alice", {"profile": "large", **asked})


def test_what_there_is_anyway_may_be_asked_for() -> None:
    asked = {"profile": "small", "cpus": 2, "memory": "4G", "time_limit_minutes": 480, "gres": "none", "image": "base"}
    assert choose(WIDE, "stranger", asked) == choose(WIDE, "stranger", {"profile": "small"})


def test_an_image_that_is_asked_for_wins_over_the_courses() -> None:
    assert choose(WIDE, "alice", {"course": "py1", "profile": "large", "image": "r"}).image == "r"
    own = site(courses=[course(image="ml")], profiles=[profile(images=["base", "r"])])
    assert choose(own, "alice", {}).image == "ml"
    assert choose(own, "alice", {"image": "ml"}).image == "ml"
    assert choose(own, "alice", {"image": "base"}).image == "base"
    with pytest.raises(OptionsError):
        choose(site(courses=[course(image="ml")]), "alice", {"image": "base"})


LIMITED = site(
    profiles=[
        profile(name="exam", courses=["py1"], reservation="exam"),
        profile(name="staff", groups=["staff"]),
        profile(name="either", courses=["ml"], groups=["staff", "tutors"]),
        profile(),
    ],
    courses=[
        course(profile="exam"),
        course(slug="ml", students=["bob"], instructors=[], profile="staff"),
    ],
)


@pytest.mark.parametrize(
    ("user", "groups", "offered"),
    [
        ("alice", [], ["exam", "small"]),
        ("ida", [], ["exam", "small"]),
        ("bob", [], ["either", "small"]),
        ("bob", ["staff"], ["staff", "either", "small"]),
        ("stranger", [], ["small"]),
        ("stranger", ["tutors", "x"], ["either", "small"]),
        ("stranger", ["py1", "course-py1"], ["small"]),
        ("course-py1", [], ["exam", "small"]),
        ("course-ml", [], ["either", "small"]),
        ("py1", [], ["small"]),
    ],
)
def test_profiles_for_some_are_for_nobody_else(user: str, groups: list[str], offered: list[str]) -> None:
    assert list(profiles_of(LIMITED, user, groups)) == offered
    for name in LIMITED.profiles:
        if name in offered:
            assert choose(LIMITED, user, {"profile": name}, groups).profile.name == name
        else:
            with pytest.raises(OptionsError, match=f"'{name}' is not on offer; there are {', '.join(offered)}"):
                choose(LIMITED, user, {"profile": name}, groups)


def test_who_names_no_profile_gets_one_that_is_on_offer() -> None:
    assert choose(LIMITED, "alice", {}).profile.name == "exam"
    assert choose(LIMITED, "stranger", {}).profile.name == "small"
    assert choose(LIMITED, "bob", {"course": "ml"}).profile.name == "either"
    assert choose(LIMITED, "bob", {"course": "ml"}, ["staff"]).profile.name == "staff"
    closed = site(profiles=[profile(courses=["py1"])], courses=[course()])
    for asked in ({}, {"profile": "small"}):
        with pytest.raises(OptionsError, match="no profile is on offer to you"):
            choose(closed, "stranger", asked)


def _is_allowed(choice: Choice) -> bool:
    """Whether a choice is one that the administrator has configured."""
    if choice.profile.name == "small":
        sizes = (choice.cpus, choice.memory_mb, choice.time_limit_minutes, choice.gres)
        return sizes == (2, 4096, 480, "") and choice.image in ("base", "ml")
    return (
        type(choice.cpus) is type(choice.memory_mb) is type(choice.time_limit_minutes) is int
        and 1 <= choice.cpus <= 8
        and 1024 <= choice.memory_mb <= 16384
        and 30 <= choice.time_limit_minutes <= 720
        and choice.gres in ("", "gpu:1", "gpu:a100:2")
        and choice.image in ("base", "r", "ml")
    )


near_misses = (
    st.sampled_from(["small", "large", "py1", "ml", "base", "r", "gpu:1", "none", "4", "4G", "60", *HOSTILE])
    | st.integers(-1, 800)
    | st.from_regex(r"[1-9]\d{0,3}[KMGT]?", fullmatch=True)
    | json_values
)
requests = st.dictionaries(st.sampled_from(KEYS), near_misses) | st.dictionaries(st.text(max_size=9), near_misses)


def outcome(read: Callable[[Any], Any], sent: Any) -> Choice | str:
    """What alice gets for what she sends: a choice, or a refusal's text."""
    try:
        options = read(sent)
        json.dumps(options)
        return choose(WIDE, "alice", options)
    except OptionsError as error:
        return str(error)


def _is_harmless(found: Choice | str) -> bool:
    return found.isascii() and found.isprintable() if isinstance(found, str) else _is_allowed(found)


@given(requests)
def test_whatever_the_api_is_sent_is_refused_or_on_offer(options: Any) -> None:
    assert _is_harmless(outcome(lambda sent: sent, options))


fields = st.sampled_from(
    [*KEYS, "_xsrf", "cpus_file", *(f"{name}.{key}" for name in ("small", "large", "x") for key in KEYS)]
)
form_fields = fields | st.sampled_from(
    ["large.memory_gb", "large.memory_mb", "small.memory_gb", "large.profile", ".", "large."]
)


@given(st.dictionaries(form_fields, st.lists(near_misses, min_size=1, max_size=2)), st.sampled_from(["small", "large"]))
def test_whatever_a_form_or_a_link_sends_is_refused_or_on_offer(sent: dict[str, list[Any]], name: str) -> None:
    assert _is_harmless(outcome(from_query, {"profile": [name], **sent}))
    assert _is_harmless(outcome(lambda data: from_form(data, WIDE.profiles), {"profile": [name], **sent}))


def test_a_form_sends_the_fields_of_every_profile_and_those_of_the_chosen_count() -> None:
    sent = {
        "profile": ["large"],
        "course": ["py1"],
        "large.cpus": ["3"],
        "large.memory_gb": ["8"],
        "large.image": [""],
        "large.gres": ["none"],
        "small.cpus": ["999"],
        "small.memory_mb": ["$(id)"],
    }
    options = from_form(sent, WIDE.profiles)
    assert options == {"profile": "large", "course": "py1", "cpus": "3", "memory": "8G", "gres": "none"}
    assert choose(WIDE, "alice", options).memory_mb == 8192
    assert from_form({**sent, "profile": ["small"], "small.cpus": [""]}, WIDE.profiles)["memory"] == "$(id)M"
    assert "cpus" not in from_form({"large.cpus": ["3"]}, WIDE.profiles)


def test_a_link_has_no_fields_of_profiles() -> None:
    with pytest.raises(OptionsError, match="is not an option"):
        from_query({"profile": ["large"], "large.cpus": ["3"]})


@given(json_values)
def test_whatever_comes_is_refused_or_is_a_configured_choice(options: Any) -> None:
    try:
        choice = choose(SITE, "alice", options)
    except OptionsError:
        return
    assert choice.profile in SITE.profiles.values()
    assert choice.image in ("base", "ml")


def test_a_form_gives_single_texts() -> None:
    for read in (from_query, lambda data: from_form(data, SITE.profiles)):
        assert read({"_xsrf": ["x"], "profile": ["gpu"], "course": [""]}) == {"profile": "gpu"}


@pytest.mark.parametrize(
    "sent",
    [
        {"profile": ["a", "b"]},
        {"profile": []},
        {"profile_file": [{}]},
        {"other": ["x"]},
        {"profile": ["small"], "small.cpus": ["1", "2"]},
        {"profile": ["small"], "small.cpus": ["1"], "cpus": ["1"]},
        {"profile": ["small"], "small.memory_gb": ["1"], "small.memory_mb": ["1024"]},
        {"profile": ["small"], "small.cpus_file": [{}]},
        {"profile": ["small"], "other.cpus": ["1"]},
        {"profile": ["small"], "gpu.profile": ["gpu"]},
    ],
)
def test_a_form_with_more_is_refused(sent: dict[str, list[Any]]) -> None:
    with pytest.raises(OptionsError):
        from_form(sent, SITE.profiles)


DATED = site(
    profiles=[profile(), profile(name="large", label="Large"), profile(name="exam", reservation="all")],
    courses=[
        course(
            graders=["gus"],
            start="2026-10-12",
            end="2027-02-12",
            expires="2027-10-01",
            profile="large",
            profiles=["large", "exam"],
            reservation="python",
        ),
        course(slug="ml", students=["alice", "bob"]),
    ],
)
BEFORE, DURING, AFTER, EXPIRED = date(2026, 10, 11), date(2026, 11, 1), date(2027, 3, 1), date(2027, 10, 1)


@pytest.mark.parametrize(
    ("user", "day", "offered"),
    [
        ("alice", BEFORE, ["ml"]),
        ("alice", DURING, ["py1", "ml"]),
        ("alice", AFTER, ["ml"]),
        ("ida", BEFORE, ["py1", "ml"]),
        ("gus", BEFORE, ["py1"]),
        ("gus", AFTER, ["py1"]),
        ("gus", EXPIRED, []),
        ("ida", EXPIRED, ["ml"]),
    ],
)
def test_a_course_is_on_offer_in_its_time(user: str, day: date, offered: list[str]) -> None:
    assert [item.slug for item in courses_of(DATED, user, day)] == offered
    assert [member.slug for member in choose(DATED, user, {}, day=day).memberships] == offered


@pytest.mark.parametrize(
    ("user", "day", "message"),
    [
        ("alice", BEFORE, "course py1 begins on 2026-10-12"),
        ("alice", AFTER, "course py1 has ended"),
        ("ida", EXPIRED, "course py1 has ended"),
        ("bob", BEFORE, "not one of yours"),
        ("bob", AFTER, "not one of yours"),
    ],
)
def test_who_takes_part_is_told_when_a_course_is_and_nobody_else(user: str, day: date, message: str) -> None:
    with pytest.raises(OptionsError, match=message):
        choose(DATED, user, {"course": "py1"}, day=day)


def test_the_server_of_a_course_starts_until_the_course_expires() -> None:
    for day in (BEFORE, DURING, AFTER):
        assert choose(DATED, "course-py1", {}, day=day).profile.name == "large"
    with pytest.raises(OptionsError, match="closed since 2027-10-01"):
        choose(DATED, "course-py1", {}, day=EXPIRED)


def test_a_course_allows_its_own_sizes_only() -> None:
    assert choose(DATED, "alice", {"course": "py1"}, day=DURING).profile.name == "large"
    assert choose(DATED, "alice", {"course": "py1", "profile": "exam"}, day=DURING).profile.name == "exam"
    with pytest.raises(OptionsError, match="'small' is not on offer with course py1; there are large, exam"):
        choose(DATED, "alice", {"course": "py1", "profile": "small"}, day=DURING)
    assert choose(DATED, "alice", {"course": "ml", "profile": "small"}, day=DURING).profile.name == "small"
    with pytest.raises(OptionsError, match="not on offer"):
        choose(DATED, "course-py1", {"profile": "small"}, day=DURING)
    closed = site(profiles=[profile(), profile(name="x", courses=["py1"])], courses=[course(profiles=["x"])])
    assert choose(closed, "alice", {}).profile.name == "x"
    groups = site(profiles=[profile(), profile(name="x", groups=["staff"])], courses=[course(profiles=["x"])])
    with pytest.raises(OptionsError, match="no profile is on offer to you with course py1"):
        choose(groups, "alice", {})


def test_the_reservation_is_the_courses_that_the_server_is_for() -> None:
    assert choose(DATED, "alice", {"course": "py1", "profile": "exam"}, day=DURING).reservation == "python"
    assert choose(DATED, "alice", {"course": "ml", "profile": "exam"}, day=DURING).reservation == "all"
    assert choose(DATED, "alice", {"course": "ml"}, day=DURING).reservation == ""
    assert choose(DATED, "course-py1", {}, day=DURING).reservation == "python"


def test_a_job_that_waits_warm_is_in_no_reservation_of_a_course() -> None:
    assert choose(DATED, "alice", {"course": "ml", "profile": "exam"}, day=DURING).is_plain
    assert not choose(DATED, "alice", {"course": "py1", "profile": "exam"}, day=DURING).is_plain
