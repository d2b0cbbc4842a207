# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Courses as the hub's users, groups and roles.

Each course has a hub user of its own, ``course-<slug>``, whose server runs the formgrader. Who teaches or grades may start,
open and stop that server, by a role; nobody can log in as it. What a grader may do inside is for the server to see to. The
members of a course are groups of the hub as well, for whoever asks the hub who somebody is.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from .names import course_user
from .settings import Course

SERVERS_GROUP = "course-servers"
"""Group of the courses' own users; being in a configured group makes the hub create them."""
MEMBERS_GROUP = re.compile(r"course-.+-(?:instructors|graders|students)")
_SERVER_SCOPES = ("servers", "access:servers", "read:users")


def load_groups(courses: Iterable[Course]) -> dict[str, dict[str, list[str]]]:
    """Groups for ``JupyterHub.load_groups``."""
    users = [course_user(course.slug) for course in courses]
    return {SERVERS_GROUP: {"users": users}} if users else {}


def member_groups(courses: Iterable[Course]) -> dict[str, tuple[str, ...]]:
    """Groups of the members of each course, with the names of the people in each.

    They are not left to ``load_groups``, which never takes anybody out of a group.
    """
    return {
        f"{course_user(course.slug)}-{role}": getattr(course, role)
        for course in courses
        for role in ("instructors", "graders", "students")
    }


def obsolete_groups(present: Iterable[str], wanted: Mapping[str, Any], others: Mapping[str, Any]) -> list[str]:
    """Groups of courses that are gone: they have such a name, and neither a course nor the administrator has them."""
    return [name for name in present if MEMBERS_GROUP.fullmatch(name) and name not in wanted and name not in others]


def load_roles(courses: Iterable[Course]) -> list[dict[str, Any]]:
    """Roles for ``JupyterHub.load_roles``; the hub keeps members equal to the list: who is taken off loses access."""
    return [
        {
            "name": f"{course_user(course.slug)}-{role}",
            "description": f"Start, open and stop the server of course {course.slug}, as {role}",
            "scopes": [f"{scope}!user={course_user(course.slug)}" for scope in _SERVER_SCOPES],
            "users": list(names),
        }
        for course in courses
        for role, names in (("instructor", course.instructors), ("grader", course.graders))
    ]


def run_by(courses: Iterable[Course], user_name: str, day: date) -> list[dict[str, str]]:
    """The courses that a person teaches or grades, for the home page.

    Returns:
        For each its ``title``, the ``user`` whose server it has, "" once it has expired, and a ``note`` about the time.
    """
    return [
        {
            "title": course.title,
            "user": "" if course.has_expired(day) else course_user(course.slug),
            "note": note_of(course, day),
        }
        for course in courses
        if course.is_run_by(user_name)
    ]


def note_of(course: Course, day: date) -> str:
    """What a person should know of the time of a course; empty while it simply goes on."""
    if course.expires is not None and course.has_expired(day):
        return f"closed since {course.expires}; its files may be cleared up"
    notes = []
    if course.start is not None and day < course.start:
        notes.append(f"students see it from {course.start}")
    if course.end is not None and course.end < day:
        notes.append(f"students saw it until {course.end}")
    if course.expires is not None and (course.end is None or course.end < day):
        notes.append(f"its files may be cleared up from {course.expires}")
    return "; ".join(notes)
