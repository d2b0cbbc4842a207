# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job's scratch directory: a person's /scratch, which goes when the job goes.

It lies in the job's private directory on the node, or in a directory that the site names because it is faster or larger. Such a
directory may be shared by all nodes. Each node sweeps its own leftovers there: a lock is certain to be seen by other jobs of the same
node only.
"""

import collections
import contextlib
import fcntl
import os
import stat
import tempfile
import time

from .files import PREFIX, RESERVE, STALE_AFTER_SECONDS, remove_tree
from .log import log

Scratch = collections.namedtuple("Scratch", "path top lock")


def make_scratch(private_dir, root, node):
    """Make the directory below ``root``, or in the private directory when there is no root or it cannot be used.

    Returns:
        Scratch: ``path`` is what the container gets, ``top`` is what is to be removed, with its lock; both None in the private
        directory, which is removed as a whole.
    """
    if root:
        try:
            return make_below(root, node)
        except OSError as error:
            log("scratch-elsewhere", f"{root}: {error.strerror}; /scratch is on the node's own disk instead")
    os.mkdir(private_dir + "/scratch", 0o700)
    return Scratch(private_dir + "/scratch", None, None)


def make_below(root, node):
    """Make and lock a directory in the site's own place."""
    top = tempfile.mkdtemp(prefix=f"{PREFIX}{node}-", dir=root)
    lock = None
    try:
        lock = os.open(top + "/lock", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.mkdir(top + "/data", 0o700)
        os.mkdir(top + RESERVE, 0o700)
    except OSError:
        if lock is not None:
            os.close(lock)
        remove_tree(top)
        raise
    return Scratch(top + "/data", top, lock)


def remove_scratch(scratch):
    """Remove the directory; the lock goes first, since a network file system keeps an open file under another name."""
    if scratch.top is not None:
        os.close(scratch.lock)
        remove_tree(scratch.top)


def sweep_scratch(root, node):
    """Remove what killed jobs of this account and node left below ``root``."""
    prefix = f"{PREFIX}{node}-"
    with contextlib.suppress(OSError), os.scandir(root) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(prefix)]
        for name in names:
            if "-" not in name[len(prefix) :]:  # else it is of a node whose name begins like this one's
                with contextlib.suppress(OSError):
                    sweep_one(f"{root}/{name}")


def sweep_one(top):
    """Remove one directory if it is of this account, not young, and held by nobody."""
    info = os.lstat(top)
    if (
        info.st_uid != os.getuid()
        or not stat.S_ISDIR(info.st_mode)
        or time.time() - info.st_mtime < STALE_AFTER_SECONDS
    ):
        return
    try:
        lock = os.open(top + "/lock", os.O_RDWR | os.O_NOFOLLOW)
    except FileNotFoundError:  # killed in the act
        remove_tree(top)
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(lock)
    remove_tree(top)
