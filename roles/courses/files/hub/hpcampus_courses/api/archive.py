# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""All of a course, to keep or to give on."""

import asyncio
from collections.abc import Sequence
from typing import ClassVar

from hpcampus_courses.archive import Archive, archive_of
from hpcampus_courses.handlers import CourseHandler
from hpcampus_courses.people import LEADERS
from hpcampus_courses.public_copy import Assignment, SecretError, examine, pieces_of
from hpcampus_courses.settings import Course
from hpcampus_courses.streaming import send_pieces

from .base import Allowed, ApiHandler, RefusalError

ARCHIVED, COPIED = "archive", "public copy"
"""What the log of the course says."""


class ArchiveFile(ApiHandler):
    """All that the service keeps of a course."""

    ALLOWED: ClassVar[Allowed] = {"GET": LEADERS}

    async def get(self, slug: str) -> None:
        """Send it as a tar."""
        archive = await make_archive(self, self.record)
        await self.note(ARCHIVED)
        self.set_header("Content-Disposition", f'attachment; filename="{slug}-archive.tar"')
        await send_archive(self, archive)


class PublicCopy(ApiHandler):
    """The released assignments, for everybody."""

    ALLOWED: ClassVar[Allowed] = {"GET": LEADERS}

    async def get(self, slug: str) -> None:
        """Send them as a zip."""
        try:
            assignments = await make_copy(self, self.record)
        except SecretError as error:
            raise RefusalError(409, "not-fit", str(error)) from None
        await self.note(COPIED)
        self.set_header("Content-Disposition", f'attachment; filename="{slug}.zip"')
        await send_copy(self, self.record, assignments)


async def make_archive(handler: CourseHandler, course: Course) -> Archive:
    """Find what belongs to the archive of a course."""
    settings = handler.settings_now
    return await asyncio.to_thread(
        archive_of, settings.state_dir, course.slug, course.record, handler.arrived, postgresql=bool(settings.gradebook)
    )


async def send_archive(handler: CourseHandler, archive: Archive) -> None:
    """Answer with an archive."""
    handler.set_header("Content-Type", "application/x-tar")
    handler.set_header("Content-Length", str(archive.size))
    await send_pieces(handler, archive.pieces())


async def make_copy(handler: CourseHandler, course: Course) -> list[Assignment]:
    """Find what may be given on.

    Raises:
        SecretError: something of it may not.
    """
    store = handler.store
    assignments = [
        Assignment(one, store.needs.of(course.slug, one.assignment, one.version), store.content.path(one.sha256))
        for one in store.releases.all_current(course.slug)
    ]
    await asyncio.to_thread(examine, assignments)
    return assignments


async def send_copy(handler: CourseHandler, course: Course, assignments: Sequence[Assignment]) -> None:
    """Answer with the copy."""
    handler.set_header("Content-Type", "application/zip")
    await send_pieces(handler, pieces_of(course, assignments))
