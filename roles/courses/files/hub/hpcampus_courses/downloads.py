# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""All of a course to keep, or what of it everybody may have: the same for the API and for a page."""

import asyncio

from .archive import archive_of
from .handlers import CourseHandler
from .public_copy import Assignment, examine, pieces_of
from .settings import Course
from .store.audit import Entry
from .streaming import send_pieces


async def send_archive(handler: CourseHandler, course: Course) -> None:
    """Answer with the archive of a course, a tar."""
    settings = handler.settings_now
    archive = await asyncio.to_thread(
        archive_of, settings.state_dir, course.slug, course.record, handler.arrived, postgresql=bool(settings.gradebook)
    )
    await _begin(handler, course, "archive", "application/x-tar", f"{course.slug}-archive.tar")
    handler.set_header("Content-Length", str(archive.size))
    await send_pieces(handler, archive.pieces())


async def send_public_copy(handler: CourseHandler, course: Course) -> None:
    """Answer with the released assignments for everybody, a zip.

    Raises:
        SecretError: something of them is not fit to be given on.
    """
    store = handler.store
    assignments = [
        Assignment(one, store.needs.of(course.slug, one.assignment, one.version), store.content.path(one.sha256))
        for one in store.releases.all_current(course.slug)
    ]
    await asyncio.to_thread(examine, assignments)
    await _begin(handler, course, "public copy", "application/zip", f"{course.slug}.zip")
    await send_pieces(handler, pieces_of(course, assignments))


async def _begin(handler: CourseHandler, course: Course, action: str, kind: str, name: str) -> None:
    """Write who got it into the course's log, and say what comes."""
    await handler.store.audit.add(course.slug, Entry(handler.arrived, handler.acting.name, action))
    handler.set_header("Content-Type", kind)
    handler.set_header("Content-Disposition", f'attachment; filename="{name}"')
