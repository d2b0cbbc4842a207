# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Courses."""

from __future__ import annotations

import typing as t

from .accounts import person
from .findings import SLUG, Record, known, line, matches, problem, records, unique


def course_problems(site: Record) -> t.Iterator[str]:
    """Check the courses against images and profiles."""
    yield from unique(site, "site_courses", "slug")
    for where, record in records(site, "site_courses"):
        yield from matches(
            f"{where}.slug", record["slug"], SLUG, "a course slug of lower case letters, digits and hyphens"
        )
        yield from line(f"{where}.title", record["title"])
        yield from known(
            f"{where}.image",
            record.get("image", "notebook"),
            [image["name"] for image in site["site_images"]],
            "site_images",
        )
        yield from known(
            f"{where}.profile",
            record.get("profile", "small"),
            [profile["name"] for profile in site["site_profiles"]],
            "site_profiles",
        )
        yield from _usual_profile_problems(where, record, site["site_profiles"])
        if not record["instructors"]:
            yield problem(f"{where}.instructors", [], "nobody could open the gradebook", "Name at least one instructor")
        for role in ("instructors", "students"):
            for name in record.get(role, []):
                yield from person(f"{where}.{role}", name)


def _usual_profile_problems(where: str, course: Record, profiles: t.Sequence[Record]) -> t.Iterator[str]:
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
