# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Courses as the hub's users, groups and roles.

Each course has a hub user of its own, ``course-<slug>``, whose server runs the formgrader. Its instructors may start,
open and stop that server, by a role; nobody can log in as it.
"""

from collections.abc import Iterable
from typing import Any

from .names import course_user
from .settings import Course

SERVERS_GROUP = "course-servers"
"""Group of the courses' own users; being in a configured group makes the hub create them."""


def load_groups(courses: Iterable[Course]) -> dict[str, dict[str, list[str]]]:
    """Groups for ``JupyterHub.load_groups``."""
    users = [course_user(course.slug) for course in courses]
    return {SERVERS_GROUP: {"users": users}} if users else {}


def load_roles(courses: Iterable[Course]) -> list[dict[str, Any]]:
    """Roles for ``JupyterHub.load_roles``; the hub keeps members equal to the list: who is taken off loses access."""
    return [
        {
            "name": f"course-{course.slug}-instructor",
            "description": f"Start, open and stop the server of course {course.slug}",
            "scopes": [
                f"{scope}!user={course_user(course.slug)}" for scope in ("servers", "access:servers", "read:users")
            ],
            "users": list(course.instructors),
        }
        for course in courses
    ]


def taught_by(courses: Iterable[Course], user_name: str) -> list[dict[str, str]]:
    """Title and hub user of each course that a person teaches, for the home page."""
    return [
        {"title": course.title, "user": course_user(course.slug)}
        for course in courses
        if user_name in course.instructors
    ]
