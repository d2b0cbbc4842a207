# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What every request finds: the configuration as it is now, what is kept, and who people are."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from hpcampus_hub.names import slug_of

from . import clock
from .people import Person, Role, group_of
from .settings import Course, Settings
from .store import Store

SETTINGS_KEY = "hpcampus_courses"
"""Where tornado's settings have the :class:`Service`."""


class Identity(Protocol):
    """Knows who shows a token, and who is in a group; see :class:`~.identity.HubIdentity`."""

    async def person(self, token: str) -> Person:
        """Whose token it is."""
        ...

    async def members(self, group: str) -> dict[str, str]:
        """Names by id of the members of a group."""
        ...


@dataclass
class Service:
    """``settings`` is replaced as a whole when the configuration is read again; a request uses the one that it began with."""

    settings: Settings
    store: Store
    identity: Identity
    now: Callable[[], datetime] = clock.now

    async def roster(self, course: Course) -> dict[str, str]:
        """Names by id of the students of a course: listed, in the hub's group, or known by what they handed in."""
        handed_in = {
            identity: name
            for identity, name in self.store.submissions.students(course.slug).items()
            if Person(name).role_in(course) in (Role.STUDENT, None)
        }
        listed = {slug_of(name): name for name in course.students}
        return {**handed_in, **await self.identity.members(group_of(course.slug, "students")), **listed}
