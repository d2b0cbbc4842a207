# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Courses: names, people, and what a course works with."""

from __future__ import annotations

import re
import typing as t

from .accounts import person
from .course_calendar import calendar_problems
from .course_files import course_records, course_variable, courses, is_course_variable
from .course_material import material_problems
from .findings import SLUG, Record, known, line, matches, problem
from .image_tests import image_test_problems
from .profiles import SLURM_NAME

NEEDED = {
    "slug": "the short name of the course, such as physics101",
    "title": "what people read",
    "instructors": "who teaches, one name at least",
}
DIRECTORY = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,63}")


def course_problems(site: Record, inventory: str | None) -> t.Iterator[str]:
    """Check the courses, those of the list and those with a file of their own, against images, sizes, each other and their tests."""
    yield from _shape_problems(site)
    yield from _name_problems(site)
    for where, record in courses(site):
        if "title" in record:
            yield from line(f"{where}.title", record["title"])
        yield from _people_problems(where, record)
        yield from _server_problems(where, record, site)
        yield from material_problems(where, record)
        yield from calendar_problems(where, record)
        yield from image_test_problems(where, record, inventory)


def _shape_problems(site: Record) -> t.Iterator[str]:
    """Find what is no record at all. An empty value counts as none."""
    for where, record in course_records(site):
        if not isinstance(record, t.Mapping):
            yield problem(where, record, "this is no record of a course", "Write its fields below it, as 'name: value'")
            continue
        for name, meaning in NEEDED.items():
            if record.get(name) is None:
                yield problem(f"{where}.{name}", "missing", "there has to be one", f"Add it: {meaning}")


def _name_problems(site: Record) -> t.Iterator[str]:
    seen: dict[object, str] = {}
    for where, record in courses(site):
        slug = record["slug"]
        yield from matches(f"{where}.slug", slug, SLUG, "a course slug of lower case letters, digits and hyphens")
        if slug in seen:
            yield problem(f"{where}.slug", slug, f"the same slug stands in {seen[slug]}", "Give each its own")
        seen.setdefault(slug, where)
        if is_course_variable(where) and where != course_variable(str(slug)):
            yield problem(
                where,
                slug,
                f"the variable of a course with this slug is called {course_variable(str(slug))}",
                "Rename the variable, or correct the slug",
            )


def _people_problems(where: str, record: Record) -> t.Iterator[str]:
    if record.get("instructors") == []:
        yield problem(f"{where}.instructors", [], "nobody could open the gradebook", "Name at least one instructor")
    for role in ("instructors", "graders", "students"):
        for name in record.get(role, []):
            yield from person(f"{where}.{role}", name)
    if record.get("owner"):
        yield from person(f"{where}.owner", record["owner"])
    for name in record.get("graders", []):
        if name in record.get("instructors", []):
            yield problem(
                f"{where}.graders", name, "an instructor may grade anyhow", "Name each person in one of the two lists"
            )


def _server_problems(where: str, record: Record, site: Record) -> t.Iterator[str]:
    """Check what the servers of a course are."""
    sizes = [profile["name"] for profile in site["site_profiles"]]
    images = [image["name"] for image in site["site_images"]]
    yield from known(f"{where}.image", record.get("image", "notebook"), images, "site_images")
    usual, allowed = record.get("profile", "small"), record.get("profiles", [])
    yield from known(f"{where}.profile", usual, sizes, "site_profiles")
    for name in allowed:
        yield from known(f"{where}.profiles", name, sizes, "site_profiles")
    if allowed and usual not in allowed:
        yield problem(f"{where}.profiles", allowed, f"the usual size, {usual!r}, is missing", "Add it")
    yield from _closed_profile_problems(where, record, site["site_profiles"])
    yield from matches(f"{where}.reservation", record.get("reservation", ""), SLURM_NAME, "a name that Slurm uses")
    for name in record.get("data", []):
        yield from matches(f"{where}.data", name, DIRECTORY, "the name of a directory (letters, digits, '.', '_', '-')")


def _closed_profile_problems(where: str, course: Record, profiles: t.Sequence[Record]) -> t.Iterator[str]:
    """A course's profile must not be one that is for other courses alone."""
    usual = course.get("profile", "small")
    for profile in profiles:
        closed = profile["name"] == usual and profile.get("courses") and not profile.get("groups")
        if closed and course["slug"] not in profile["courses"]:
            yield problem(
                f"{where}.profile",
                usual,
                f"it is for {', '.join(profile['courses'])} alone",
                f"Add {course['slug']} to the courses of the profile, or choose another one",
            )
