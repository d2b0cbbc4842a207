# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files of the base directory: whole or not at all, and no symbolic link followed."""

import contextlib
import os
import secrets
import stat

PART = ".part"


@contextlib.contextmanager
def whole(path):
    """A binary 0600 file to write and read, which takes its place at the end, in one step; not after an error."""
    partial = f"{path}.{secrets.token_hex(4)}{PART}"
    handle = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w+b") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(partial, path)
    except BaseException:
        remove(partial)
        raise


def write_private(path, text):
    """Write a 0600 file so that a reader sees all of it or none of it."""
    with whole(path) as stream:
        stream.write(text.encode("utf-8"))


def remove(path):
    """Remove a file that may be gone already."""
    with contextlib.suppress(FileNotFoundError):
        os.unlink(path)


def tail(path, count):
    """The last ``count`` bytes of a regular file as text; "" when there is none."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return ""
    with os.fdopen(handle, "rb") as stream:
        info = os.fstat(stream.fileno())
        if not stat.S_ISREG(info.st_mode):
            return ""
        stream.seek(max(0, info.st_size - count))
        return stream.read(count).decode("utf-8", "replace")
