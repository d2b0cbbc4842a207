# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Whether the service works."""

from hpcampus_courses.handlers import CourseHandler


class Health(CourseHandler):
    """Answers without a token."""

    async def get(self) -> None:
        """Look into the database."""
        self.store.database.row("SELECT 1 FROM releases LIMIT 1")
        self.finish({"ok": True})
