# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Writes the archive of a course to standard output, on the hub and as the account of the service, which may run meanwhile.

Run as ``python -m hpcampus_courses.archive.program --config FILE SLUG``.
"""

import argparse
import sys
from pathlib import Path

from hpcampus_courses import clock
from hpcampus_courses.settings import SettingsError, load
from hpcampus_courses.store.database import DatabaseError

from .plan import UnknownCourseError, archive_of
from .tar import ChangedFileError


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="hpcampus_courses.archive.program", description="The archive of a course.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration of the course service")
    parser.add_argument("slug", help="the course; it may have left the hub")
    arguments = parser.parse_args()
    try:
        settings = load(arguments.config)
        course = settings.courses.get(arguments.slug)
        record = None if course is None else course.record
        archive = archive_of(
            settings.state_dir, arguments.slug, record, clock.now(), postgresql=bool(settings.gradebook)
        )
        for piece in archive.pieces():
            sys.stdout.buffer.write(piece)
        sys.stdout.buffer.flush()
    except (SettingsError, DatabaseError, UnknownCourseError, ChangedFileError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
