# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""All of a course, to keep or to give on."""

from typing import ClassVar

from hpcampus_courses.downloads import send_archive, send_public_copy
from hpcampus_courses.people import LEADERS
from hpcampus_courses.public_copy import SecretError

from .base import Allowed, ApiHandler, RefusalError


class ArchiveFile(ApiHandler):
    """All that the service keeps of a course."""

    ALLOWED: ClassVar[Allowed] = {"GET": LEADERS}

    async def get(self, slug: str) -> None:
        """Send it."""
        del slug
        await send_archive(self, self.record)


class PublicCopy(ApiHandler):
    """The released assignments, for everybody."""

    ALLOWED: ClassVar[Allowed] = {"GET": LEADERS}

    async def get(self, slug: str) -> None:
        """Send them."""
        del slug
        try:
            await send_public_copy(self, self.record)
        except SecretError as error:
            raise RefusalError(409, "not-fit", str(error)) from None
