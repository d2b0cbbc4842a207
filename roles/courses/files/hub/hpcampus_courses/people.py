# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who somebody is, and what that makes of them in a course."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from hpcampus_hub.names import course_of, course_user, slug_of

from .settings import Course


class Role(StrEnum):
    """What somebody is in a course."""

    STUDENT = "student"
    GRADER = "grader"
    INSTRUCTOR = "instructor"
    COURSE = "course"
    """The course itself: the account whose server runs the formgrader."""


STAFF = frozenset({Role.GRADER, Role.INSTRUCTOR, Role.COURSE})
LEADERS = frozenset({Role.INSTRUCTOR, Role.COURSE})
PEOPLE = frozenset({Role.STUDENT, Role.GRADER, Role.INSTRUCTOR})
EVERYBODY = PEOPLE | STAFF


@dataclass(frozen=True)
class Person:
    """A user of the hub. ``scopes`` are those of the token that was shown, not of the user."""

    name: str
    groups: frozenset[str] = frozenset()
    scopes: frozenset[str] = frozenset()

    @classmethod
    def from_model(cls, model: Mapping[str, Any]) -> "Person":
        """Read what the hub's API says of a user.

        Raises:
            ValueError: it is not a user's model.
        """
        name = model.get("name")
        if model.get("kind") != "user" or not isinstance(name, str) or not name:
            raise ValueError("the token does not belong to a user of the hub")
        return cls(name, frozenset(model.get("groups") or ()), frozenset(model.get("scopes") or ()))

    @property
    def id(self) -> str:
        """The id under which nbgrader knows the person; a slug."""
        return slug_of(self.name)

    def role_in(self, course: Course) -> Role | None:
        """What the person is in a course; None when it is none of theirs."""
        if course_of(self.name) is not None:
            return Role.COURSE if self.name == course_user(course.slug) else None
        if self.name in course.instructors or group_of(course.slug, "instructors") in self.groups:
            return Role.INSTRUCTOR
        if self.name in course.graders or group_of(course.slug, "graders") in self.groups:
            return Role.GRADER
        if course.open or self.name in course.students or group_of(course.slug, "students") in self.groups:
            return Role.STUDENT
        return None


def group_of(slug: str, members: str) -> str:
    """Name of the hub's group of a course's ``instructors``, ``graders`` or ``students``."""
    return f"{course_user(slug)}-{members}"
