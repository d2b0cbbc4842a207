# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The record of a course is described in two roles, filled in by one, and read by the hub: all four agree."""

from __future__ import annotations

from typing import Any

from hpcampus_hub.settings import read_site
from tests.contract.checkout import load, specs
from tests.unit.hub.sites import settings

# The site knows its images, sizes and people; the role takes what it is told.
DIFFERS_AT_THE_SITE = {"slug", "instructors", "image", "profile"}
FULL: dict[str, Any] = {
    "slug": "physics101",
    "title": "Physics 101",
    "instructors": ["ida"],
    "graders": ["gus"],
    "owner": "ida",
    "students": ["alice"],
    "open": False,
    "private": False,
    "image": "base",
    "profile": "small",
    "profiles": ["small"],
    "reservation": "physics",
    "repository": {"url": "https://git.example.org/physics/exercises", "branch": "main", "path": "week1.ipynb"},
    "assignments": True,
    "data": ["measurements"],
    "shared": True,
    "quota_mb": 50,
    "calendar": {
        "deadlines": [{"assignment": "ps1", "due": "2026-11-03T23:59:00+01:00", "late_until": ""}],
        "exams": [{"title": "Exam", "start": "2027-02-10T09:00:00+01:00", "end": "2027-02-10T11:00:00+01:00"}],
    },
    "late": {"policy": "percent_per_day", "percent": 10, "grace_minutes": 15},
    "start": "2026-10-12",
    "end": "2027-02-12",
    "expires": "2027-10-01",
    "grading": {"slots": 4, "minutes": 5, "memory": "2G", "isolate_tests": True, "similarity": True},
    "sync": [{"at": "2026-10-12T08:00:00+02:00", "path": "week1"}],
    "image_test": ".tests/physics101/test.ipynb",
    "licence": "CC-BY-4.0",
}


def _fields(role: str, variable: str) -> dict[str, Any]:
    fields: dict[str, Any] = specs(role)["main"]["options"][variable]["options"]
    return fields


def test_both_roles_describe_the_same_record():
    role, site = _fields("courses", "courses_records"), _fields("site", "site_courses")
    assert list(role) == list(site)
    assert {name for name in role if role[name] != site[name]} == DIFFERS_AT_THE_SITE


def test_what_a_record_leaves_out_is_what_the_specs_say():
    defaults = load("roles/courses/vars/main.yml")["__courses_defaults"]
    wanted = {}
    for name, option in _fields("courses", "courses_records").items():
        if option["type"] == "dict":
            wanted[name] = {key: part["default"] for key, part in option["options"].items()}
        elif not option.get("required"):
            wanted[name] = option["default"]
    assert defaults == wanted


def test_the_hub_takes_every_field_and_the_defaults():
    assert list(FULL) == list(_fields("courses", "courses_records")), "the sample is complete"
    defaults = load("roles/courses/vars/main.yml")["__courses_defaults"]
    bare = {**defaults, "slug": "bare", "title": "Bare"}
    site = read_site(**settings(courses=[FULL, bare]))
    assert list(site.courses) == ["physics101", "bare"]
    assert (site.courses["physics101"].grading.memory_mb, site.courses["physics101"].grading.isolate_tests) == (
        2048,
        True,
    )
    assert site.courses["bare"] == read_site(**settings(courses=[{"slug": "bare", "title": "Bare"}])).courses["bare"]
