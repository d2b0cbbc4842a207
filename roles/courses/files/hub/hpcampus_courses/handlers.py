# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What pages and API have in common."""

from datetime import date
from typing import Any

from tornado.web import RequestHandler

from .people import Person, Role
from .service import SETTINGS_KEY, Service
from .settings import Course, Settings
from .store import Store


class CourseHandler(RequestHandler):
    """Knows the service, and the person once a subclass has found out who it is."""

    person: Person
    acting: Person
    """Who does it: the person, or at a course's server the one who sits there."""
    settings_now: Settings

    def initialize(self) -> None:
        """Take the configuration with which this request is answered, and the time when it came."""
        self.settings_now = self.service.settings
        self.arrived = self.service.now()

    @property
    def service(self) -> Service:
        """What every request finds."""
        service: Service = self.settings[SETTINGS_KEY]
        return service

    @property
    def store(self) -> Store:
        """What is kept."""
        return self.service.store

    def course(self, slug: str) -> Course | None:
        """The course of a slug."""
        return self.settings_now.courses.get(slug)

    def role_in(self, slug: str) -> Role | None:
        """What the person is in a course; None as well when there is no such course."""
        course = self.course(slug)
        return None if course is None else self._role(course)

    def _role(self, course: Course) -> Role | None:
        role = self.person.role_in(course)
        begun = course.start is None or self.today >= course.start
        return role if begun or role is not Role.STUDENT else None

    @property
    def today(self) -> date:
        """The day on the hub."""
        return self.arrived.astimezone().date()

    def my_courses(self) -> list[tuple[Course, Role]]:
        """The courses of the person, by title."""
        roles = [(course, self._role(course)) for course in self.settings_now.courses.values()]
        found = [(course, role) for course, role in roles if role is not None]
        return sorted(found, key=lambda one: (one[0].title.casefold(), one[0].slug))

    def other_courses(self) -> list[Course]:
        """Courses that are no secret and not over, and that the person does not take part in, by title."""
        found = [
            course
            for course in self.settings_now.courses.values()
            if not course.private
            and (course.end is None or self.today <= course.end)
            and self.person.role_in(course) is None
        ]
        return sorted(found, key=lambda course: (course.title.casefold(), course.slug))

    def set_default_headers(self) -> None:
        """Answers stay with whoever asked."""
        self.set_header("Cache-Control", "no-store")
        self.set_header("X-Content-Type-Options", "nosniff")
        self.clear_header("Server")

    def compute_etag(self) -> Any:
        """Answers are not kept, so they need no tag."""
        return None
