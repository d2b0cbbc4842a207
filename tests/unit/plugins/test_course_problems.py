# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a record of a course may say, wherever it stands, and what is refused with a cure."""

import copy
import datetime as dt

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from plugins.module_utils import site_problems as checks
from plugins.module_utils.site_problems import course_files
from plugins.module_utils.site_problems.course_calendar import ASSIGNMENT, moment_of
from plugins.module_utils.site_problems.course_material import BRANCH, INSIDE, REPOSITORY
from plugins.module_utils.site_problems.findings import SLUG
from tests.contract.test_course_records import FULL
from tests.unit.plugins.test_site_problems import COURSE, GROUPS, HASH, POOL, profile, site

DEADLINE = {"assignment": "ps1", "due": "2026-11-03T23:59:00+01:00"}
EXAM = {"title": "Exam", "start": "2027-02-10T09:00:00+01:00", "end": "2027-02-10T11:00:00+01:00"}
GIT = {"url": "https://git.example.org/physics/exercises"}


def found(**changes):
    return checks.site_problems({}, site(site_courses=[{**COURSE, **changes}]), GROUPS)


def test_a_record_may_have_every_field():
    full = {**FULL, "image": "notebook"}
    assert checks.site_problems({}, site(site_courses=[full]), GROUPS) == []
    assert checks.site_problems({}, site(site_course_physics101=full), GROUPS) == []


def test_yaml_reads_days_and_times_by_itself():
    text = """
    slug: a1
    title: A
    instructors: [eve]
    start: 2026-10-12
    end: 2027-02-12
    expires:
    calendar:
      deadlines:
        - {assignment: ps1, due: 2026-11-03T23:59:00+01:00, late_until: 2026-11-10T23:59:00Z}
    """
    record = yaml.safe_load(text)
    assert isinstance(record["start"], dt.date)
    assert checks.site_problems({}, site(site_course_a1=record), GROUPS) == []
    written = course_files.as_written(record)
    assert (written["start"], "expires" in written) == ("2026-10-12", False)
    assert written["calendar"]["deadlines"][0]["due"] == "2026-11-03T23:59:00+01:00"
    assert moment_of(written["calendar"]["deadlines"][0]["late_until"]) == dt.datetime(
        2026, 11, 10, 23, 59, tzinfo=dt.UTC
    )


@pytest.mark.parametrize(
    ("changes", "variable", "part"),
    [
        ({"graders": ["a;b"]}, "graders", "user name"),
        ({"graders": ["course-a1"]}, "graders", "belong to the courses"),
        ({"graders": ["eve"]}, "graders", "may grade anyhow"),
        ({"owner": "Eve E."}, "owner", "user name"),
        ({"instructors": None}, "instructors", "there has to be one"),
        ({"title": None}, "title", "there has to be one"),
        ({"image": "pyhton"}, "image", "site_images has no such name"),
        ({"profiles": ["small", "huge"]}, "profiles", "site_profiles has no such name"),
        ({"reservation": "phys 1"}, "reservation", "Slurm"),
        ({"data": ["../b2"]}, "data", "name of a directory"),
        ({"quota_mb": -1}, "quota_mb", "less than nothing"),
        ({"start": "12.10.2026"}, "start", "2026-10-12"),
        ({"start": "2026-02-30"}, "start", "not a day"),
        ({"expires": "2026-10-12T10:00:00Z"}, "expires", "not a day"),
        ({"start": "2026-10-12", "end": "2026-10-11"}, "end", "before start, 2026-10-12"),
        ({"end": "2026-10-12", "expires": "2026-10-11"}, "expires", "before end"),
        ({"start": "2026-10-12", "expires": "2026-10-11"}, "expires", "before start"),
        (
            {"calendar": {"deadlines": [{**DEADLINE, "due": "2026-11-03T23:59:00"}]}},
            "calendar.deadlines[0].due",
            "zone",
        ),
        ({"calendar": {"deadlines": [{**DEADLINE, "due": "2026-11-03"}]}}, "calendar.deadlines[0].due", "zone"),
        ({"calendar": {"deadlines": [{**DEADLINE, "due": 5}]}}, "calendar.deadlines[0].due", "zone"),
        (
            {"calendar": {"deadlines": [{**DEADLINE, "assignment": "../x"}]}},
            "calendar.deadlines[0].assignment",
            "letters",
        ),
        (
            {"calendar": {"deadlines": [DEADLINE, DEADLINE]}},
            "calendar.deadlines[1].assignment",
            "has a deadline already",
        ),
        (
            {"calendar": {"deadlines": [{**DEADLINE, "late_until": DEADLINE["due"]}]}},
            "calendar.deadlines[0].late_until",
            "not after due",
        ),
        (
            {"calendar": {"deadlines": [DEADLINE]}, "start": "2026-11-04"},
            "calendar.deadlines[0].due",
            "before the course starts",
        ),
        (
            {"calendar": {"deadlines": [DEADLINE]}, "end": "2026-11-02"},
            "calendar.deadlines[0].due",
            "after the course ends",
        ),
        ({"calendar": {"deadlines": [DEADLINE]}, "assignments": False}, "calendar.deadlines", "has no assignments"),
        ({"calendar": {"exams": [{**EXAM, "title": ""}]}}, "calendar.exams[0].title", "one line"),
        ({"calendar": {"exams": [{**EXAM, "start": "soon"}]}}, "calendar.exams[0].start", "zone"),
        ({"calendar": {"exams": [{**EXAM, "end": EXAM["start"]}]}}, "calendar.exams[0].end", "not after start"),
        ({"calendar": {"exams": [EXAM]}, "end": "2027-02-09"}, "calendar.exams[0].start", "after the course ends"),
        ({"late": {"percent": 10}}, "late.percent", "late.policy is 'mark'"),
        ({"late": {"policy": "percent_per_day"}}, "late.percent", "1 to 100"),
        ({"late": {"policy": "percent_per_day", "percent": 101}}, "late.percent", "1 to 100"),
        ({"late": {"grace_minutes": -1}}, "late.grace_minutes", "less than nothing"),
        ({"repository": {"url": "git@example.org:x/y"}}, "repository.url", "https://"),
        ({"repository": {"url": "https://me:secret@example.org/x"}}, "repository.url", "without a name or password"),
        ({"repository": {"branch": "main"}}, "repository.branch", "no repository"),
        ({"repository": {"path": "week1"}}, "repository.path", "no repository"),
        ({"repository": {**GIT, "branch": "-x"}}, "repository.branch", "name of a branch"),
        ({"repository": {**GIT, "path": "/etc"}}, "repository.path", "inside the repository"),
        ({"sync": [{"at": "2026-10-12", "path": "week1"}], "repository": GIT}, "sync[0].at", "zone"),
        ({"sync": [{"at": DEADLINE["due"], "path": "week1"}]}, "sync[0].path", "no repository"),
        ({"licence": "CC BY 4.0"}, "licence", "CC-BY-4.0"),
        ({"grading": {"slots": 0}}, "grading.slots", "1 to 10000"),
        ({"grading": {"minutes": 0}}, "grading.minutes", "1 to"),
        ({"grading": {"memory": "1"}}, "grading.memory", "unit"),
    ],
)
def test_what_a_record_must_not_say_is_named_where_it_stands(changes, variable, part):
    problems = found(**changes)
    (text,) = [text for text in problems if text.startswith(f"site_courses[0].{variable} = ")]
    assert part in text
    assert len(problems) <= 2, "one mistake is told once, or as two that follow from it"
    (same,) = [
        text
        for text in checks.site_problems({}, site(site_course_a1={**COURSE, **changes}), GROUPS)
        if text.startswith(f"site_course_a1.{variable} = ")
    ]
    assert same.removeprefix("site_course_a1") == text.removeprefix("site_courses[0]")


def test_a_deadline_is_on_the_day_that_its_own_zone_gives_it():
    late_at_night = {**DEADLINE, "due": "2026-11-03T23:59:00-08:00"}
    assert found(calendar={"deadlines": [late_at_night]}, end="2026-11-03") == []
    assert len(found(calendar={"deadlines": [late_at_night]}, end="2026-11-02")) == 1


def test_a_slug_is_taken_once_in_list_and_files():
    both = site(site_courses=[COURSE], site_course_a1=COURSE)
    (text,) = checks.site_problems({}, both, GROUPS)
    assert text == "site_course_a1.slug = 'a1': the same slug stands in site_courses[0]. Give each its own."


def test_the_variable_of_a_course_is_named_like_it():
    record = {**COURSE, "slug": "physics-101"}
    assert checks.site_problems({}, site(site_course_physics_101=record), GROUPS) == []
    (text,) = checks.site_problems({}, site(site_course_physics=record), GROUPS)
    assert "is called site_course_physics_101. Rename the variable" in text


@pytest.mark.parametrize("value", [None, [], "physics", 5, ["slug"]])
def test_what_is_no_record_is_said_to_be_none(value):
    (text,) = checks.site_problems({}, site(site_course_a1=value), GROUPS)
    assert text.startswith("site_course_a1 = ")
    assert "no record of a course" in text


def test_a_record_without_what_it_needs_is_incomplete():
    problems = checks.site_problems({}, site(site_course_a1={}), GROUPS)
    assert [text.split(" = ")[0] for text in problems] == [
        f"site_course_a1.{name}" for name in ("slug", "title", "instructors")
    ]


def test_whatever_looks_at_courses_looks_at_those_of_files():
    accounts = [{"name": "eve", "password_hash": HASH}]
    graded = {**COURSE, "graders": ["gus"]}
    (text,) = checks.site_problems({}, site(site_accounts=accounts, site_course_a1=graded), GROUPS)
    assert text.startswith("site_course_a1.graders = 'gus': site_accounts has no such account")
    closed = profile(name="exam", courses=["a1"])
    sizes = [profile(), closed]
    assert checks.site_problems({}, site(site_profiles=sizes, site_course_a1=COURSE), GROUPS) == []
    assert len(checks.site_problems({}, site(site_profiles=sizes), GROUPS)) == 1
    (pooled,) = checks.site_problems({}, site(**POOL, site_course_a1=COURSE), GROUPS)
    assert pooled.startswith("site_course_a1.profile = 'small': it runs on cluster")


def test_what_is_checked_is_not_changed():
    record = {**copy.deepcopy(FULL), "image": "notebook", "start": dt.date(2026, 10, 12)}
    before = copy.deepcopy(record)
    checks.site_problems({}, site(site_course_physics101=record), GROUPS)
    assert record == before


@given(st.from_regex(SLUG, fullmatch=True), st.from_regex(SLUG, fullmatch=True))
def test_two_slugs_have_two_variables(one, other):
    assert (course_files.course_variable(one) == course_files.course_variable(other)) == (one == other)
    assert course_files.is_course_variable(course_files.course_variable(one))


@given(st.text("ab./-@ :?#%\\\n", max_size=12))
def test_no_path_leaves_the_repository_and_no_branch_is_an_option(text):
    if INSIDE.fullmatch(text):
        assert ".." not in text.split("/")
        assert not text.startswith(("/", "\\"))
    if BRANCH.fullmatch(text):
        assert not text.startswith("-")
        assert ".." not in text
    assert not REPOSITORY.fullmatch("https://" + text) or "@" not in text


@given(st.text("ab./-_ +\\\n\x00", max_size=12))
def test_the_name_of_an_assignment_is_a_plain_directory(text):
    if ASSIGNMENT.fullmatch(text):
        assert "/" not in text
        assert not text.startswith((".", "-", " "))
        assert "+" not in text, "nbgrader writes it between student, assignment and time"
