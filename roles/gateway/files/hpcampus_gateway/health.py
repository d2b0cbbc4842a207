# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How the base directory is: whether jobs could be submitted, how much room there is, which images are published."""

import os
import secrets

from .config import SLUG
from .files import remove

WRITTEN = ("spawns", "jobs", "log")
TRIAL_BYTES = 4096
SUFFIX = ".sif"


def images(folder):
    """Names of the published images; a link that leads nowhere is none."""
    try:
        names = sorted(name[: -len(SUFFIX)] for name in os.listdir(folder) if name.endswith(SUFFIX))
    except OSError:
        return []
    return [name for name in names if SLUG.match(name) and os.path.exists(os.path.join(folder, name + SUFFIX))]


def problem(base_dir):
    """Why nothing can be written in the base directory, or "".

    A file is written and removed: a full quota shows in no figure of the file system.
    """
    for folder in WRITTEN:
        path = os.path.join(base_dir, folder, ".health." + secrets.token_hex(8))
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            try:
                os.write(handle, b"\0" * TRIAL_BYTES)
                os.fsync(handle)
            finally:
                os.close(handle)
                remove(path)
        except OSError as error:
            return f"{folder}: {error.strerror}"
    return ""


def health(base_dir):
    """Fields of the answer: ``images``, ``problem``, ``free_bytes`` and ``free_files`` (None where files are not counted)."""
    try:
        room = os.statvfs(base_dir)
    except OSError as error:
        return {"images": [], "problem": error.strerror, "free_bytes": 0, "free_files": None}
    return {
        "images": images(os.path.join(base_dir, "images")),
        "problem": problem(base_dir),
        "free_bytes": room.f_bavail * room.f_frsize,
        "free_files": room.f_favail if room.f_files else None,
    }
