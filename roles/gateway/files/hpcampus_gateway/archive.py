# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Puts the files of a student aside whose lease on this account ends."""

import os
import time

from .errors import BadRequestError
from .files import remove


def archive(base_dir, user_id, now):
    """Move what the student has in this account to ``archive/<user>-<date>``, and remove logs and records of ended jobs.

    Args:
        base_dir: of this account.
        user_id: whose lease ends; nobody else's files may lie here.
        now: epoch seconds.

    Returns:
        The name of the directory, "" when there was nothing.

    Raises:
        BadRequestError: the account holds somebody else's files, or they cannot be moved.
    """
    users = base_dir + "/users"
    found = sorted(os.listdir(users)) if os.path.isdir(users) else []
    if [name for name in found if name != user_id]:
        raise BadRequestError("user_id: this account holds the data of {}".format(ascii(found[0])[:80]))
    for folder in ("spawns", "jobs", "log"):
        if os.path.isdir(base_dir + "/" + folder):
            for name in os.listdir(base_dir + "/" + folder):
                remove(f"{base_dir}/{folder}/{name}")
    if not found:
        return ""
    name = user_id + time.strftime("-%Y%m%dT%H%M%SZ", time.gmtime(now))
    try:
        os.makedirs(base_dir + "/archive", mode=0o700, exist_ok=True)
        os.rename(f"{users}/{user_id}", f"{base_dir}/archive/{name}")
    except OSError as error:
        raise BadRequestError(f"archive: the files cannot be moved ({error.strerror})") from error
    return name
