# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What follows from a course for the hub's groups, roles and pages."""

from datetime import date, timedelta

import pytest

from hpcampus_hub import courses
from hpcampus_hub.form import spawn_form
from hpcampus_hub.settings import today
from tests.unit.hub.sites import course, profile, site

DATED = course(graders=["gus"], start="2026-10-12", end="2027-02-12", expires="2027-10-01")
LISTED = list(site(courses=[DATED, course(slug="ml", instructors=[], students=[])]).courses.values())


def test_the_members_of_a_course_are_three_groups() -> None:
    assert courses.member_groups(LISTED) == {
        "course-py1-instructors": ("ida",),
        "course-py1-graders": ("gus",),
        "course-py1-students": ("alice",),
        "course-ml-instructors": (),
        "course-ml-graders": (),
        "course-ml-students": (),
    }


def test_groups_of_courses_that_are_gone_go_and_others_stay() -> None:
    wanted = courses.member_groups(LISTED)
    present = ["course-old-students", "course-old-graders", "course-servers", "staff", "course-kept-students", *wanted]
    assert courses.obsolete_groups(present, wanted, {"course-kept-students": {}}) == [
        "course-old-students",
        "course-old-graders",
    ]


def test_whoever_runs_a_course_reaches_its_server_and_no_other() -> None:
    roles = {role["name"]: role for role in courses.load_roles(LISTED)}
    assert {name: role["users"] for name, role in roles.items()} == {
        "course-py1-instructor": ["ida"],
        "course-py1-grader": ["gus"],
        "course-ml-instructor": [],
        "course-ml-grader": [],
    }
    for name, role in roles.items():
        user = name.rpartition("-")[0]
        assert role["scopes"]
        assert all(scope.endswith(f"!user={user}") for scope in role["scopes"])


@pytest.mark.parametrize(
    ("day", "note"),
    [
        (date(2026, 10, 11), "students see it from 2026-10-12"),
        (date(2026, 10, 12), ""),
        (date(2027, 2, 12), ""),
        (date(2027, 2, 13), "students saw it until 2027-02-12; its files may be cleared up from 2027-10-01"),
        (date(2027, 10, 1), "closed since 2027-10-01; its files may be cleared up"),
    ],
)
def test_the_home_page_says_when_a_course_is(day: date, note: str) -> None:
    for name in ("ida", "gus"):
        (shown,) = courses.run_by(LISTED, name, day)
        assert (shown["note"], shown["user"]) == (note, "" if note.startswith("closed") else "course-py1")
    assert courses.run_by(LISTED, "alice", day) == []


def test_the_form_says_which_sizes_a_course_allows_and_leaves_out_what_has_ended() -> None:
    ended = course(slug="old", title="Old", end=str(today() - timedelta(days=1)))
    sizes = [profile(), profile(name="large", label="Large & wide")]
    made = site(profiles=sizes, courses=[course(profiles=["large"], profile="large"), ended])
    page = spawn_form(made, "alice", (), {})
    assert "Sizes: Large &amp; wide." in page
    assert 'value="old"' not in page
    large = page[page.index('id="profile-large"') : page.index('for="profile-large"')]
    assert "checked" in large, "the course's size is ticked"
    page = spawn_form(made, "ida", (), {})
    assert f"Students saw it until {today() - timedelta(days=1)}." in page
    assert "Sizes:" not in spawn_form(site(courses=[course()]), "alice", (), {})
