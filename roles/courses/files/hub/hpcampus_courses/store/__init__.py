# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the service keeps: a database and the files that were handed out, in and back.

Reading is immediate, and on the thread of the server. Whatever changes something is a coroutine: one thread of its own makes
the changes one after the other, each as one transaction that is on the disk when the coroutine returns.
"""

from pathlib import Path

from .audit import Audit
from .content import Content
from .database import Database
from .grades import Grades
from .releases import Releases
from .requirements import Needs
from .runs import Runs
from .submissions import Submissions

__all__ = ["CONTENT", "DATABASE", "Store"]

DATABASE = "courses.sqlite"
CONTENT = "content"
"""Names in the directory of the service."""


class Store:
    """Everything below one directory, which only this process uses.

    Args:
        directory: the directory, which exists.
        reserve_bytes: what stays free on its disk.

    Raises:
        DatabaseError: the database is of a newer version.
    """

    def __init__(self, directory: Path, reserve_bytes: int = 0) -> None:
        self.database = Database(directory / DATABASE)
        self.content = Content(directory / CONTENT, reserve_bytes)
        self.releases = Releases(self.database)
        self.needs = Needs(self.database)
        self.submissions = Submissions(self.database)
        self.grades = Grades(self.database)
        self.runs = Runs(self.database)
        self.audit = Audit(self.database)

    def close(self) -> None:
        """Finish what is being written, and close."""
        self.database.close()
