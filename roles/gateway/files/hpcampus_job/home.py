# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person's home as the job sees it from outside the container, where a student may have put links and filled the disk."""

import contextlib
import errno
import os
import tempfile

from .files import require_real
from .log import JobError

CONTAINER_HOME = "/home/jovyan"
NOTE = "ABOUT-YOUR-PACKAGES.txt"
ROOM_BYTES = 64 * 1024
FULL = (errno.ENOSPC, errno.EDQUOT)


def home_of(base_dir, user_id):
    """The directory that a person has as home in the container."""
    return f"{base_dir}/users/{user_id}/home"


def prepare_home(base_dir, user_id):
    """Make the home where it is missing.

    Raises:
        JobError: it cannot be made, or is not a directory of its own.
    """
    home = home_of(base_dir, user_id)
    try:
        os.makedirs(home, mode=0o700, exist_ok=True)
    except OSError as error:
        cure = "ask the administrator for space" if error.errno in FULL else "ask the administrator"
        raise JobError(f"the home {home} cannot be made ({error.strerror}): {cure}") from error
    require_real(home, base_dir)


def has_room(home):
    """Whether a small file can be written: a quota shows only then. Other trouble is not a question of room."""
    try:
        with tempfile.TemporaryFile(dir=home) as stream:
            stream.write(bytes(ROOM_BYTES))
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        return error.errno not in FULL
    return True


def leave_note(home, text, name=NOTE):
    """Leave a text file for the person; what lies in its place is replaced, never followed. Without room there is none."""
    with contextlib.suppress(OSError):
        handle, partial = tempfile.mkstemp(dir=home, prefix=".hpcampus-")
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                stream.write(text.rstrip("\n") + "\n")
            os.rename(partial, f"{home}/{name}")
        except OSError:
            os.unlink(partial)
            raise
