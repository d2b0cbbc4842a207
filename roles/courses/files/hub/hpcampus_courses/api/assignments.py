# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What instructors hand out."""

import re
from typing import ClassVar

from hpcampus_courses.clock import as_text
from hpcampus_courses.people import EVERYBODY, LEADERS
from hpcampus_courses.settings import Course
from hpcampus_courses.store.releases import Release
from hpcampus_courses.store.requirements import Requirements

from . import fields
from .base import Allowed, ApiHandler, RefusalError
from .uploads import FileHandler

PACKAGES_MAX = 500

_PACKAGE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,98}[A-Za-z0-9])?")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.!+_-]{0,99}")


class Courses(ApiHandler):
    """The courses of whoever asks."""

    async def get(self) -> None:
        """List them."""
        self.finish(
            {
                "courses": [
                    {"slug": course.slug, "title": course.title, "role": role, "assignments": course.assignments}
                    for course, role in self.my_courses()
                ]
            }
        )


class Assignments(ApiHandler):
    """The released assignments of a course."""

    ALLOWED: ClassVar[Allowed] = {"GET": EVERYBODY}

    async def get(self, slug: str) -> None:
        """List them."""
        self.finish({"assignments": [_shown(one, self.record) for one in self.store.releases.all_current(slug)]})


class Calendar(ApiHandler):
    """Deadlines, and what happens after them."""

    ALLOWED: ClassVar[Allowed] = {"GET": EVERYBODY}

    async def get(self, slug: str) -> None:
        """Show them."""
        del slug
        late = self.record.late
        self.finish(
            {
                "deadlines": {name: _times(self.record, name) for name in sorted(self.record.deadlines)},
                "late": {"policy": late.policy, "percent": late.percent, "grace_minutes": late.grace_minutes},
            }
        )


class ReleaseFile(FileHandler):
    """The files of a released assignment."""

    ALLOWED: ClassVar[Allowed] = {"GET": EVERYBODY, "PUT": LEADERS, "DELETE": LEADERS}
    what = "The assignment"

    def file_max(self) -> int:
        """The limit for assignments."""
        return self.settings_now.limits.release_max_mb * 2**20

    async def admit(self) -> None:
        """Check the names before the file is taken."""
        await super().admit()
        self.assignment(self.path_kwargs["assignment"])
        if self.request.method == "PUT":
            self._sha256, self._notebooks = self.digest_header(), self.notebooks_header()
            self.receive()

    async def get(self, slug: str, assignment: str) -> None:
        """Hand it out."""
        release = self.store.releases.current(slug, assignment)
        if release is None:
            raise not_released(assignment)
        await self.send(release.sha256, release.size, f"version-{release.version}")

    async def put(self, slug: str, assignment: str) -> None:
        """Release it, or a newer version."""
        size = await self.keep(self._sha256)
        release, changed = await self.store.releases.release(
            slug, assignment, self._sha256, size, self._notebooks, self.arrived, self.acting.name
        )
        if changed:
            await self.note("release", assignment=assignment, detail=f"version {release.version}")
        self.finish({"version": release.version})

    async def delete(self, slug: str, assignment: str) -> None:
        """Take it back."""
        if not await self.store.releases.withdraw(slug, assignment):
            raise not_released(assignment)
        await self.note("withdraw", assignment=assignment)
        self.finish({})


class Needed(ApiHandler):
    """What a version of an assignment needs to run."""

    ALLOWED: ClassVar[Allowed] = {"PUT": LEADERS}

    async def put(self, slug: str, assignment: str) -> None:
        """Remember it; the same again changes nothing."""
        assignment, body = self.assignment(assignment), self.json_body()
        packages, python = body.get("packages", {}), fields.text(body, "python", 100)
        if not isinstance(packages, dict) or len(packages) > PACKAGES_MAX:
            raise fields.refused("packages", f"an object of at most {PACKAGES_MAX} versions by the names of packages")
        for name, version in packages.items():
            if not _PACKAGE.fullmatch(name) or not isinstance(version, str) or not _VERSION.fullmatch(version):
                raise fields.refused("packages", "an object with a version for each name of a package")
        if not _VERSION.fullmatch(python):
            raise fields.refused("python", "a version")
        missing = fields.texts(body, "missing", PACKAGES_MAX)
        if not all(name.isidentifier() for name in missing):
            raise fields.refused("missing", "a list of names of modules")
        needed = Requirements(python, packages, missing)
        if not await self.store.needs.put(slug, assignment, fields.count(body, "version"), needed):
            raise not_released(assignment)
        self.finish({})


def not_released(assignment: str) -> RefusalError:
    """The refusal where an assignment is not there for students."""
    return RefusalError(404, "not-released", f"The assignment {assignment} has not been released.")


def _times(course: Course, assignment: str) -> dict[str, str | None]:
    deadline = course.deadlines.get(assignment)
    if deadline is None:
        return {"due": None, "late_until": None}
    until = deadline.late_until
    return {"due": as_text(deadline.due), "late_until": None if until is None else as_text(until)}


def _shown(release: Release, course: Course) -> dict[str, object]:
    return {
        "assignment": release.assignment,
        "released_at": as_text(release.time),
        "version": release.version,
        **_times(course, release.assignment),
        "notebooks": list(release.notebooks),
        "size": release.size,
        "sha256": release.sha256,
    }
