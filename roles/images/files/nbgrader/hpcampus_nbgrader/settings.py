# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the job tells the image about its course, read from the environment."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

COURSE_ROOT = "/course"
PAGES_ROOT = "/usr/local/etc/hpcampus"
GRADEBOOK_ROOT = "/run/hpcampus/gradebook"
"""Directory of the socket that leads a course's server to its gradebook's database, where the course has one."""

_SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")


@dataclass(frozen=True)
class Settings:
    """A server's place in its course.

    Attributes:
        course: The course's slug, or "" for a server without a course.
        is_course: Whether this is the course's own server (formgrader) rather than a student's.
        courses: The slugs of all courses of the user.
        user_id: The user's id as mapped by the hub, or "".
        server_id: The id of a named server, or "" for a person's usual one.
        gradebook: Name of the course's database and of its role there, or "" for a gradebook in a file.
    """

    course: str = ""
    is_course: bool = False
    courses: tuple[str, ...] = ()
    user_id: str = ""
    server_id: str = ""
    gradebook: str = ""

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read HPCAMPUS_COURSE, HPCAMPUS_COURSE_ROLE, HPCAMPUS_COURSES, HPCAMPUS_USER_ID, HPCAMPUS_SERVER_ID and HPCAMPUS_GRADEBOOK.

        A value that is not a slug counts as absent, and an unknown role as a student's.
        """
        course = _slug(environment.get("HPCAMPUS_COURSE", ""))
        named = (_slug(part.strip()) for part in environment.get("HPCAMPUS_COURSES", "").split(","))
        courses = tuple(dict.fromkeys(slug for slug in (*named, course) if slug))
        return cls(
            course=course,
            is_course=bool(course) and environment.get("HPCAMPUS_COURSE_ROLE", "") == "course",
            courses=courses,
            user_id=_slug(environment.get("HPCAMPUS_USER_ID", "")),
            server_id=_slug(environment.get("HPCAMPUS_SERVER_ID", "")),
            gradebook=_database(environment.get("HPCAMPUS_GRADEBOOK", "")),
        )

    @property
    def role(self) -> str:
        """The kind of server: `course`, `student`, or `plain` without a course."""
        if self.is_course:
            return "course"
        return "student" if self.courses else "plain"

    @property
    def signatures(self) -> str:
        """Name of the database of trusted notebooks, one for each server.

        While one server writes to it another cannot save a notebook, and a third that starts puts it aside as broken.
        """
        return f"nbsignatures-{self.server_id}.db" if self.server_id else "nbsignatures.db"

    @property
    def fixed_course(self) -> str:
        """The course that nbgrader is set to: none when the user may choose among several."""
        if self.is_course or len(self.courses) == 1:
            return self.course or self.courses[0]
        return ""

    def db_url(self, root: str = GRADEBOOK_ROOT) -> str:
        """Address of the gradebook's database as SQLAlchemy takes it, or "" for nbgrader's own choice, a file in the course's directory.

        There is no password: the hub knows by the server's token whose database it is.
        """
        if not self.is_course or not self.gradebook:
            return ""
        return f"postgresql+psycopg://{self.gradebook}@/{self.gradebook}?host={root}"

    @property
    def server_extensions(self) -> dict[str, bool]:
        """Which server extensions around nbgrader this server loads."""
        return {
            "hpcampus_nbgrader.course_page": self.is_course,
            # Ours load nbgrader's: formgrader behind a guard, the list with its reasons.
            "hpcampus_nbgrader.assignment_list": self.role == "student",
            "hpcampus_nbgrader.formgrader": self.is_course,
            "nbgrader.server_extensions.formgrader": False,
            "nbgrader.server_extensions.course_list": False,
            "nbgrader.server_extensions.assignment_list": False,
            "nbgrader.server_extensions.validate_assignment": bool(self.courses),
        }

    @property
    def disabled_lab_plugins(self) -> dict[str, bool]:
        """JupyterLab plugins of nbgrader that must not show, as JupyterLab's `disabledExtensions`."""
        shown = {
            "@jupyter/nbgrader:formgrader": self.is_course,
            "@jupyter/nbgrader:create-assignment": self.is_course,
            "@jupyter/nbgrader:course-list": False,
            "@jupyter/nbgrader:assignment-list": self.role == "student",
            "@jupyter/nbgrader:validate-assignment": bool(self.courses),
            "@jupyter/nbgrader:menu": bool(self.courses),
        }
        return {plugin: True for plugin, visible in shown.items() if not visible}


def _slug(text: str) -> str:
    return text if _SLUG.fullmatch(text) else ""


def _database(text: str) -> str:
    return text if re.fullmatch(r"hpcampus_course_[a-z0-9_]{1,64}", text) else ""
