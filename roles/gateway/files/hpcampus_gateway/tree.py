# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The words ``homes`` and ``tree COURSE SHA256 SIZE``: who has a home here, and files of a course for such homes.

Standard input begins with one line of JSON, ``{"members": [...], "day": "20261126"}``; ``null`` for the members means everybody who
has a home. After it, ``tree`` takes a plain tar of SIZE bytes. The answer is one line of JSON for each home, and ``{"done": true}``
at the end, so that what was done is known also when the connection is lost in the middle.
"""

import contextlib
import json
import os
import re
import stat
import tarfile
import tempfile

from .accounts import ONE
from .config import SLUG, SLUG_RULE
from .errors import BadRequestError, GatewayError
from .homes import Entry, NoHomeError, bring, digest
from .receiving import copy

TREE_MAX_BYTES = 1024**3
FILES_MAX = 10000
HEADER_MAX_BYTES = 4 * 1024**2
MEMBERS_MAX = 50000
NAMES_MAX = 32
NAME_MAX_BYTES = 255
PATH_MAX_BYTES = 1000
COURSE_PREFIX = "course-"
_TREE = re.compile(r"\Atree (?P<course>" + SLUG_RULE + r") (?P<sha256>[0-9a-f]{64}) (?P<size>[1-9][0-9]{0,11})\Z")
_DAY = re.compile(r"\A[0-9]{8}\Z")
_CONTROL = re.compile(r"[\x00-\x1f\x7f\\]")


class TreeError(GatewayError):
    """Files were not taken; no home has changed."""

    code = "tree"


def parse_word(command):
    """Read ``homes`` or ``tree COURSE SHA256 SIZE``; None for anything else.

    Returns:
        Nothing, or course, hash of the tar in hexadecimal digits, and size in bytes.
    """
    if command == "homes":
        return ()
    match = _TREE.match(command)
    return None if match is None else (match.group("course"), match.group("sha256"), int(match.group("size")))


def serve(config, word, source, say):
    """Answer one of the words.

    Args:
        config: the gateway's configuration.
        word: of :func:`parse_word`.
        source: binary stream with what the hub sends.
        say: called with each object of the answer.

    Raises:
        GatewayError: it was refused, and no home has changed.
    """
    if config.accounts != ONE:
        raise BadRequestError(
            f"accounts.mode is {config.accounts.mode}: homes belong to accounts of their own here, and cannot be filled by this one"
        )
    members, day = read_header(source)
    people = with_home(config.base_dir, members)
    if word:
        course, sha256, size = word
        with received(config.base_dir, source, sha256, size) as spool:
            entries = read_entries(spool, size)
            for person in people:
                say(report_of(config.base_dir, person, course, entries, spool.fileno(), day))
    else:
        for person in people:
            say({"id": person})
    say({"done": True})


def read_header(source):
    """The members that the hub names, None for everybody, and the day."""
    line = source.readline(HEADER_MAX_BYTES)
    try:
        header = json.loads(line.decode("utf-8"))  # one that is cut off is none
    except (ValueError, RecursionError):
        raise BadRequestError("the first line is no JSON object") from None
    if not isinstance(header, dict) or set(header) != {"members", "day"}:
        raise BadRequestError("the first line must hold members and day")
    members, day = header["members"], header["day"]
    if not isinstance(day, str) or not _DAY.match(day):
        raise BadRequestError("day: expected eight digits")
    if members is None:
        return None, day
    if not isinstance(members, list) or len(members) > MEMBERS_MAX:
        raise BadRequestError(f"members: expected a list of at most {MEMBERS_MAX}")
    if not all(isinstance(name, str) and SLUG.match(name) for name in members):
        raise BadRequestError("members: expected short names")
    return members, day


def with_home(base_dir, members):
    """Those of the members who have a home, in alphabetical order; the courses' own servers have none to fill."""
    users = base_dir + "/users"
    if members is None:
        found = os.listdir(users) if os.path.isdir(users) else []
        members = [name for name in found if SLUG.match(name) and not name.startswith(COURSE_PREFIX)]
    return [name for name in sorted(set(members)) if is_real_directory(f"{users}/{name}/home")]


def is_real_directory(path):
    """Whether there is a directory that is no link."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


@contextlib.contextmanager
def received(base_dir, source, sha256, size):
    """A file without a name that holds what came, which has this size and hash."""
    if size > TREE_MAX_BYTES:
        raise BadRequestError(f"size: files have {TREE_MAX_BYTES} bytes at most")
    try:
        spool = tempfile.TemporaryFile(dir=base_dir)
    except OSError as error:
        raise TreeError(f"the files cannot be kept in {base_dir}: {error.strerror}") from error
    with spool:
        try:
            found = copy(source, spool, size, TreeError)
        except OSError as error:
            raise TreeError(f"the files cannot be kept in {base_dir}: {error.strerror}") from error
        if found != sha256:
            raise TreeError("the files do not have the hash announced: they were damaged on their way")
        yield spool


def report_of(base_dir, person, course, entries, spool, day):
    """What came of one home."""
    try:
        return bring(base_dir, person, course, entries, spool, day)
    except NoHomeError:  # gone this moment
        return {"id": person, "error": "the home is gone"}


def read_entries(spool, size):
    """The files of a tar, each checked; one that is not as it must be refuses the whole."""
    entries, seen = [], set()
    spool.seek(0)
    try:
        with tarfile.open(fileobj=spool, mode="r:") as archive:
            for member in archive:
                if len(entries) == FILES_MAX:
                    raise TreeError(f"there are more than {FILES_MAX} files")
                parts = check_member(member, size)
                if parts in seen:
                    raise TreeError("{} is there twice".format(ascii(member.name)))
                seen.add(parts)
                entries.append((parts, member))
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise TreeError(f"the files are no tar: {error}") from None
    for parts, member in entries:
        if any(parts[:count] in seen for count in range(1, len(parts))):
            raise TreeError("{} lies below a file".format(ascii(member.name)))
    return [entry_of(spool, parts, member) for parts, member in entries]


def entry_of(spool, parts, member):
    """The entry of a checked member."""
    spool.seek(member.offset_data)
    hashed = digest(spool, member.size)
    return Entry(parts, member.size, bool(member.mode & 0o100), hashed, member.offset_data)


def check_member(member, size):
    """The names of a member's path; a link, a device, or a path that leads out is refused."""
    shown = ascii(member.name)[:200]
    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
        raise TreeError(f"{shown} is no plain file")
    if member.size < 0 or member.offset_data + member.size > size:
        raise TreeError(f"{shown} is longer than the whole")
    parts = tuple(member.name.split("/"))
    try:
        lengths = [len(part.encode("utf-8")) for part in parts]
    except UnicodeEncodeError:
        raise TreeError(f"{shown} is no text in UTF-8") from None
    if (
        _CONTROL.search(member.name)
        or any(part in ("", ".", "..") for part in parts)
        or len(parts) > NAMES_MAX
        or max(lengths) > NAME_MAX_BYTES
        or sum(lengths) > PATH_MAX_BYTES
    ):
        raise TreeError(f"{shown} is no path inside a folder")
    return parts
