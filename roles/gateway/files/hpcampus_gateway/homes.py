# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Puts files of a course into a person's home; nothing that is there is ever changed, removed or replaced.

``BASE/users/ID/home/COURSE/PATH`` gets each file that is not there yet. Where another file is, the new one is laid beside it as
``NAME.new-YYYYMMDD.EXT``, unless the person was offered this very version before: then the difference is the person's own work.
What a person was offered is kept in ``BASE/users/ID/sync/COURSE.json``, out of reach of the person.

A home belongs to somebody whose programs may run meanwhile. So every step goes through an open directory, no symbolic link is ever
followed, no directory is ever listed, and files come from outside of the home by a hard link: whole or not at all, and never in
the place of another.
"""

import collections
import contextlib
import errno
import hashlib
import json
import os
import secrets
import stat
import time

from .files import PART, write_private

FULL = (errno.ENOSPC, errno.EDQUOT)
CHUNK_BYTES = 1024 * 1024
SHOWN_MAX = 20
TRIES = 9
LEFTOVER_SECONDS = 3600
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
Entry = collections.namedtuple("Entry", "parts size executable sha256 offset")
Entry.__doc__ = (
    "A file: names from the top, bytes, whether it is a program, hash, and where in the spool its content begins."
)


class NoHomeError(Exception):
    """The person has no home on this cluster yet."""


class ObstacleError(Exception):
    """One place of a home cannot be used; the text says why."""


class StopError(Exception):
    """Nothing more can be brought to a home; the text says why."""


def full(error):
    """The home has no room left."""
    return StopError(f"the home is full ({error.strerror}); make room, the rest comes by itself")


def bring(base_dir, person, course, entries, spool, day):
    """Put files into one home.

    Args:
        base_dir: the directory of the platform.
        person: id of the person.
        course: short name of the course, which the folder in the home has too.
        entries: list of Entry.
        spool: descriptor of the file that holds their contents.
        day: ``YYYYMMDD``, for the names of new versions.

    Returns:
        ``id``; how many files are ``new``, the ``same`` as before, ``kept`` as the person has them, and laid ``beside``; the first
        reasons of what was ``skipped``, and how many there are more; ``error`` if the rest could not be put there.

    Raises:
        NoHomeError: there is none.
    """
    user_dir = f"{base_dir}/users/{person}"
    home = open_home(user_dir)
    visit = Visit(user_dir, course, spool, day)
    try:
        for folder, files in by_folder(entries):
            visit.folder(home, (course,) + folder, files)
    except StopError as error:
        visit.report["error"] = str(error)
    except OSError as error:
        visit.report["error"] = f"the home cannot be used ({error.strerror})"
    finally:
        os.close(home)
        visit.end()
    return dict(visit.report, id=person)


def open_home(user_dir):
    """Open a person's home; a symbolic link is none."""
    try:
        above = os.open(user_dir, _DIRECTORY)
    except OSError:
        raise NoHomeError from None
    try:
        return os.open("home", _DIRECTORY, dir_fd=above)
    except OSError:
        raise NoHomeError from None
    finally:
        os.close(above)


def by_folder(entries):
    """Entries by their folder, in the order given."""
    folders = collections.OrderedDict()
    for entry in entries:
        folders.setdefault(entry.parts[:-1], []).append(entry)
    return folders.items()


def new_name(name, day, number):
    """Where a new version lies beside ``name``: ``week1.ipynb`` gives ``week1.new-20261126.ipynb``, then ``...-2.ipynb``."""
    stem, dot, extension = name.rpartition(".")
    if not stem:
        stem, dot, extension = name, "", ""
    return f"{stem}.new-{day}" + (f"-{number}" if number > 1 else "") + dot + extension


class Visit:
    """One person's turn: what was offered before, where files are made ready, and what is reported."""

    def __init__(self, user_dir, course, spool, day):
        self.report = {"new": 0, "same": 0, "kept": 0, "beside": 0, "skipped": [], "skipped_more": 0, "error": ""}
        self._spool = spool
        self._day = day
        self._record = f"{user_dir}/sync/{course}.json"
        self._incoming = f"{user_dir}/sync/incoming"
        self._offered = read_record(self._record)
        self._before = dict(self._offered)
        self._stage = None

    def folder(self, home, names, files):
        """Put the files of one folder, making it where it is missing."""
        try:
            folder = open_folder(home, names)
        except ObstacleError as error:
            self._skip(str(error), len(files))
            return
        try:
            for entry in files:
                self._file(folder, entry)
            os.fsync(folder)
        finally:
            os.close(folder)

    def end(self):
        """Keep what was offered."""
        if self._stage is not None:
            os.close(self._stage)
        if self._offered != self._before:
            try:
                make_own(os.path.dirname(self._record))
                write_private(self._record, json.dumps(self._offered, sort_keys=True))
            except OSError as error:
                self.report["error"] = self.report["error"] or f"what was brought cannot be noted ({error.strerror})"

    def _skip(self, reason, count=1):
        if len(self.report["skipped"]) < SHOWN_MAX:
            self.report["skipped"].append(reason)
            count -= 1
        self.report["skipped_more"] += count

    def _file(self, folder, entry):
        path = "/".join(entry.parts)
        try:
            outcome = self._put(folder, entry.parts[-1], entry)
            if outcome == "other" and self._offered.get(path) == entry.sha256:
                outcome = "kept"
            if outcome == "other":
                outcome = self._put_beside(folder, entry)
        except ObstacleError as error:
            self._skip(f"{path}: {error}")
            return
        except OSError as error:
            if error.errno in FULL:
                raise full(error) from None
            self._skip(f"{path}: {error.strerror}")
            return
        self._offered[path] = entry.sha256
        self.report[outcome] += 1

    def _put_beside(self, folder, entry):
        for number in range(1, TRIES + 1):
            outcome = self._put(folder, new_name(entry.parts[-1], self._day, number), entry)
            if outcome != "other":
                return "beside" if outcome == "new" else outcome
        raise ObstacleError("it differs, and so do the new versions that lie beside it")

    def _put(self, folder, name, entry):
        """Put a file in its place: ``new``, ``same`` when it was there, ``other`` when another file is."""
        found = compare(folder, name, entry)
        if found != "absent":
            return found
        try:
            self._link(folder, name, entry)
        except FileExistsError:  # made this moment
            return compare(folder, name, entry)
        return "new"

    def _link(self, folder, name, entry):
        """Make a file ready out of the person's reach, then let it appear in its place; beside it where that is another volume."""
        stage = self._open_stage()
        try:
            self._copy_and_link(stage, folder, name, entry)
        except OSError as error:
            if error.errno != errno.EXDEV:
                raise
            self._copy_and_link(folder, folder, name, entry)

    def _open_stage(self):
        if self._stage is None:
            try:
                make_own(os.path.dirname(self._incoming))
                make_own(self._incoming)
                self._stage = os.open(self._incoming, _DIRECTORY)
            except OSError as error:
                if error.errno in FULL:
                    raise full(error) from None
                raise StopError(f"{self._incoming} cannot be used ({error.strerror})") from None
            remove_leftovers(self._stage)
        return self._stage

    def _copy_and_link(self, stage, folder, name, entry):
        draft = f".hpcampus-{secrets.token_hex(8)}{PART}"
        handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=stage)
        try:
            try:
                copy(self._spool, handle, entry)
                os.fchmod(handle, 0o700 if entry.executable else 0o600)
                os.fsync(handle)
            finally:
                os.close(handle)
            try:
                os.link(draft, name, src_dir_fd=stage, dst_dir_fd=folder, follow_symlinks=False)
            except OSError as error:
                if error.errno in (errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS):
                    raise ObstacleError("the file system of the homes has no hard links") from None
                raise
        finally:
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft, dir_fd=stage)


def make_own(path):
    """Make a directory of the account's own beside a home."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(path, 0o700)


def remove_leftovers(stage):
    """Remove what a run left that was killed."""
    for name in os.listdir(stage):
        with contextlib.suppress(OSError):
            if time.time() - os.stat(name, dir_fd=stage, follow_symlinks=False).st_mtime > LEFTOVER_SECONDS:
                os.unlink(name, dir_fd=stage)


def read_record(path):
    """What a person was offered before: hash by path; nothing when it cannot be read, which offers it once more."""
    try:
        with open(path, encoding="utf-8") as stream:
            found = json.load(stream)
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def open_folder(home, names):
    """Open a folder below an open directory, making what is missing; a link or a file on the way is an obstacle."""
    handle = os.dup(home)
    for count, name in enumerate(names, 1):
        try:
            with contextlib.suppress(FileExistsError):
                os.mkdir(name, 0o700, dir_fd=handle)
            inside = os.open(name, _DIRECTORY, dir_fd=handle)
        except OSError as error:
            if error.errno in FULL:
                raise full(error) from None
            why = "is a link or no folder" if error.errno in (errno.ENOTDIR, errno.ELOOP) else error.strerror
            raise ObstacleError("{}: {}".format("/".join(names[:count]), why)) from None
        finally:
            os.close(handle)
        handle = inside
    return handle


def compare(folder, name, entry):
    """Say whether a place is ``absent``, has the ``same`` content, or ``other``; an obstacle is what is no file at all."""
    try:
        info = os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return "absent"
    if not stat.S_ISREG(info.st_mode):
        raise ObstacleError("something is there that is no file")
    if info.st_size != entry.size:
        return "other"
    try:
        handle = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except FileNotFoundError:
        return "absent"
    except PermissionError:  # closed by the person
        return "other"
    with os.fdopen(handle, "rb") as stream:
        if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
            raise ObstacleError("something is there that is no file")
        return "same" if digest(stream, entry.size) == entry.sha256 else "other"


def digest(stream, size):
    """Hash of ``size`` bytes in hexadecimal digits; of fewer when the stream ends before."""
    hashed = hashlib.sha256()
    while size > 0:
        data = stream.read(min(CHUNK_BYTES, size))
        if not data:
            break
        hashed.update(data)
        size -= len(data)
    return hashed.hexdigest()


def copy(spool, handle, entry):
    """Copy a file's content out of the spool."""
    done = 0
    while done < entry.size:
        data = os.pread(spool, min(CHUNK_BYTES, entry.size - done), entry.offset + done)
        while data:
            written = os.write(handle, data)
            data, done = data[written:], done + written
