# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Secrets in memory, the job's private directory on the node, and the removal of what killed jobs left."""

import contextlib
import fcntl
import json
import os
import stat
import tempfile
import threading
import time

from .log import JobError, log

MEMORY = "/dev/shm"  # noqa: S108 (a file without a name)
PRIVATE_ROOT = "/tmp"  # noqa: S108 (mkdtemp makes a 0700 directory below it)
PREFIX = "hpcampus-"
RESERVE = "/reserve"
STALE_AFTER_SECONDS = 60
STALE_PAUSE_SECONDS = 30


def read_and_remove(path):
    """Read the spawn file and delete it at once."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, encoding="utf-8") as stream:
            os.unlink(path)
            return json.load(stream)
    except FileNotFoundError:
        raise JobError("the hub's message for this job is gone: it was cancelled, or it ran before") from None
    except (OSError, ValueError) as error:
        raise JobError(f"the hub's message for this job cannot be read: {type(error).__name__}") from None


def write(path, text):
    """Write a 0600 file of the private directory."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)


def in_memory(text):
    """Keep a secret in a file in memory that has no name; returns (file, path by which our own children can open it)."""
    stream = tempfile.TemporaryFile(dir=MEMORY if os.path.isdir(MEMORY) else None)
    stream.write(text.encode("utf-8"))
    stream.flush()
    return stream, "/proc/{}/fd/{}".format(os.getpid(), stream.fileno())


def private_path(name):
    """Where the private directory of that name is."""
    return "{}/{}{}".format(PRIVATE_ROOT, PREFIX, name)


def locked_dir(name=None):
    """Make the private directory and lock it for as long as this process lives; systemd-tmpfiles spares locked directories.

    The hub gives the name where it comes to the job and must know the place; nobody else knows it before the directory is there.
    """
    if name is None:
        path = tempfile.mkdtemp(prefix=PREFIX, dir=PRIVATE_ROOT)
    else:
        path = private_path(name)
        try:
            os.mkdir(path, 0o700)
        except OSError as error:
            raise JobError("the private directory of this job cannot be made: {}".format(error.strerror)) from None
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    os.mkdir(path + RESERVE, 0o700)
    return path, lock


def remove_stale():
    """Remove what killed jobs of this account left on the node: directories that nobody holds locked."""
    with os.scandir(PRIVATE_ROOT) as entries:
        names = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
    for path in names:
        with contextlib.suppress(OSError):
            remove_if_stale(path)


def remove_if_stale(path):
    """Remove one directory if it is of this account, not young, and held by nobody."""
    info = os.lstat(path)
    if (
        info.st_uid != os.getuid()
        or not stat.S_ISDIR(info.st_mode)
        or time.time() - info.st_mtime < STALE_AFTER_SECONDS
    ):
        return
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_tree(path)
    finally:
        os.close(lock)


def remove_stale_later(*more):
    """Remove stale directories beside a running server: however much there is, no job begins or ends later for it.

    Args:
        more: functions without arguments that sweep other places.
    """

    def run():
        time.sleep(STALE_PAUSE_SECONDS)
        try:
            os.nice(19)  # on Linux this thread only
            for sweep in (remove_stale,) + more:
                sweep()
        except Exception as error:  # noqa: BLE001 (tidying up is no reason to disturb a job)
            log("stale-kept", f"{type(error).__name__}: {error}")

    with contextlib.suppress(RuntimeError):  # no thread to be had: the next job does it
        threading.Thread(target=run, daemon=True).start()


def require_real(path, base_dir):
    """Refuse a directory that is reached through a symbolic link below the base directory."""
    if os.path.realpath(path) != os.path.realpath(base_dir) + path[len(base_dir) :] or not os.path.isdir(path):
        raise JobError(f"not a directory of its own: {path}")


def remove_tree(path):
    """Remove a directory with whatever a student left in it: without permissions, or so deep that a recursion would not end.

    Every directory is moved to a shelf at the top before it is emptied, so that nothing is deep any more when its turn comes, and
    no path leads through a directory that a container can write to. What cannot be removed stays, and is not an error: a later job
    tries again. Mounted file systems cannot be moved, and so are never entered.
    """
    with contextlib.suppress(OSError):
        shelf = make_shelf(path)
        waiting, moved = [path], 0
        while waiting:
            folder = waiting.pop()
            places = [f"{shelf}/{moved + number}" for number in empty(folder, shelf, moved)]
            moved += len(places)
            waiting += places
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        os.rmdir(shelf)
        os.rmdir(path)


def make_shelf(path):
    """Make the shelf of a tree; on a full disk, which only the removal can empty, the one that was made in better times serves."""
    try:
        return tempfile.mkdtemp(dir=path)
    except OSError:
        if os.path.isdir(path + RESERVE):
            return path + RESERVE
        raise


def empty(folder, shelf, moved):
    """Unlink what a directory holds and move its directories to the shelf, numbered from ``moved``; returns how many, as a range."""
    count = 0
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for name in os.listdir(handle):
                with contextlib.suppress(OSError):
                    if f"{folder}/{name}" != shelf and not unlinked(handle, name):
                        os.rename(name, f"{shelf}/{moved + count}", src_dir_fd=handle)
                        count += 1
        finally:
            os.close(handle)
    return range(count)


def unlinked(handle, name):
    """Unlink an entry of an open directory; a directory gets permissions instead, which it needs to be moved, and False is told."""
    try:
        os.unlink(name, dir_fd=handle)
    except IsADirectoryError:
        inside = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
        try:
            os.chmod(f"/proc/self/fd/{inside}", 0o700)
        finally:
            os.close(inside)
        return False
    return True
