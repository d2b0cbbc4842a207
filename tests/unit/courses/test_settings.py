# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The configuration, and what is told when it is wrong."""

import json
from pathlib import Path

import pytest

from hpcampus_courses.settings import SettingsError, load, read

GOOD = {"hub_api_url": "http://127.0.0.1:8081/hub/api", "public_url": "https://hub.example.org/"}
COURSE = {"slug": "py1", "title": "P"}


def test_a_short_configuration_is_enough() -> None:
    settings = read({**GOOD, "courses": [COURSE]})
    assert (settings.port, settings.prefix, settings.base_url) == (8084, "/services/courses/", "/")
    assert settings.public_url == "https://hub.example.org"
    assert settings.state_dir == Path("/var/lib/hpcampus-courses")
    assert settings.limits.submission_max_mb == 100
    course = settings.courses["py1"]
    assert (course.open, course.assignments, course.late.policy) == (False, True, "mark")
    assert read({**GOOD, "prefix": "/jupyter/services/courses/"}).base_url == "/jupyter/"


def test_a_record_with_everything_is_read() -> None:
    record = {
        **COURSE,
        "owner": "ida",
        "private": True,
        "instructors": ["ida"],
        "graders": ["gus"],
        "students": ["a", "b", "a"],
        "calendar": {
            "deadlines": [
                {"assignment": "ps1", "due": "2026-12-01 12:00:00+01:00", "late_until": "2026-12-02T12:00:00Z"},
                {"assignment": "ps2", "due": "2026-12-08T12:00:00+01:00", "late_until": ""},
            ],
            "exams": [{"title": "E", "start": "x", "end": "y"}],
        },
        "late": {"policy": "percent_per_day", "percent": 12.5, "grace_minutes": 5},
        "start": "",
    }
    course = read({**GOOD, "courses": [record]}).courses["py1"]
    assert course.students == ("a", "b")
    assert course.deadlines["ps1"].due.isoformat() == "2026-12-01T12:00:00+01:00"
    assert course.deadlines["ps2"].late_until is None
    assert (course.late.percent, course.late.grace_minutes) == (12.5, 5)
    assert course.record["owner"] == "ida"


def with_course(**changed: object) -> dict:
    return {"courses": [{**COURSE, **changed}]}


def with_deadline(**changed: object) -> dict:
    deadline = {"assignment": "ps1", "due": "2026-12-01T12:00:00+01:00", **changed}
    return with_course(calendar={"deadlines": [deadline]})


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"colour": 1}, "colour: is not known"),
        ({"port": 0}, "port: must be a number from 1"),
        ({"port": "8084"}, "port: must be a number"),
        ({"hub_api_url": "127.0.0.1"}, "hub_api_url: '127.0.0.1' must be an address"),
        ({"public_url": None}, "public_url: must be a text"),
        ({"prefix": "/courses/"}, "prefix: '/courses/' must be the hub's path followed by \"services/courses/\""),
        ({"limits": {"x": 1}}, "limits.x: is not known"),
        ({"limits": {"release_max_mb": -1}}, "limits.release_max_mb: must be a number"),
        ({"limits": {"release_max_mb": True}}, "limits.release_max_mb: must be a number"),
        ({"courses": {}}, "courses: must be a list"),
        ({"courses": [COURSE, COURSE]}, "courses: py1 is there twice"),
        (with_course(slug="../x"), "courses[0].slug: '../x' must be of lower case"),
        (with_course(students="alice"), "courses[0].students: must be a list"),
        (with_course(students=[""]), "courses[0].students: must be a text"),
        (with_course(start="soon"), "courses[0].start: 'soon' must be a day such as"),
        (with_course(quota_mb=-1), "courses[0].quota_mb: must be a number from 0"),
        (with_course(open="yes"), "courses[0].open: must be true or false"),
        (with_course(late={"policy": "never"}), "courses[0].late.policy: 'never' is none of accept, mark"),
        (with_course(late={"percent": 101}), "courses[0].late.percent: must be a number from 0 to 100"),
        (with_course(calendar=[]), None),
        (with_course(calendar={"deadlines": [{}]}), "calendar.deadlines[0].assignment: must be a text"),
        (with_deadline(assignment="a/b"), "calendar.deadlines[0].assignment: 'a/b' must not contain"),
        (
            with_deadline(due="2026-12-01T12:00:00"),
            "deadlines[0].due: '2026-12-01T12:00:00' must be a date and time with its zone",
        ),
        (with_deadline(due="tomorrow"), "must be a date and time with its zone"),
        (with_deadline(late_until="2026-11-30T12:00:00+01:00"), "late_until: is before the assignment is due"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(changed: dict, told: str | None) -> None:
    if told is None:
        assert read({**GOOD, **changed}).courses["py1"].deadlines == {}
        return
    with pytest.raises(SettingsError) as raised:
        read({**GOOD, **changed})
    assert told in str(raised.value)


def test_an_assignment_has_one_deadline() -> None:
    deadline = {"assignment": "ps1", "due": "2026-12-01T12:00:00+01:00"}
    with pytest.raises(SettingsError, match="ps1 has a deadline already"):
        read({**GOOD, **with_course(calendar={"deadlines": [deadline, deadline]})})


def test_a_file_is_named_when_it_cannot_be_read(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    with pytest.raises(SettingsError, match=r"config.json cannot be read: No such file"):
        load(path)
    path.write_text("{")
    with pytest.raises(SettingsError, match=r"config.json is not JSON"):
        load(path)
    path.write_text(json.dumps([]))
    with pytest.raises(SettingsError, match=r"config.json: the configuration: must be a mapping"):
        load(path)
    path.write_text(json.dumps(GOOD))
    assert load(path).courses == {}
