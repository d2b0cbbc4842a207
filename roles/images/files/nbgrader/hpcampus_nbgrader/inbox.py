# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Reading the inbound directory of a course, where everything below a student's directory is the student's work."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

STAMP = "%Y-%m-%d %H:%M:%S.%f"
# Directories within directories that a submission may have; deeper trees meet limits of paths and open files on the way.
DEPTH_MAX = 32


@dataclass(frozen=True)
class Submission:
    """One submission in the inbound directory.

    Attributes:
        student_id: Name of the directory under inbound, which only the job wrapper makes.
        assignment_id: The assignment's name.
        path: Absolute path of the submission.
        timestamp: The claimed time of the submission, UTC without zone as nbgrader keeps it.
        changed: When the directory entry last changed, by the file system's clock; it cannot be set back.
    """

    student_id: str
    assignment_id: str
    path: Path
    timestamp: datetime
    changed: datetime


def parse_name(name: str) -> tuple[str, datetime] | None:
    """Split `<anything>+<assignment>+<timestamp> UTC[+<random>]` into assignment and timestamp, or give None."""
    parts = name.rsplit("+", 3)
    if len(parts) == 3:
        _, assignment_id, text = parts
    elif len(parts) == 4:
        _, assignment_id, text, _ = parts
    else:
        return None
    words = text.strip().rsplit(" ", 1)
    if len(words) != 2 or words[1] != "UTC":
        return None
    try:
        return assignment_id, datetime.strptime(words[0], STAMP)  # noqa: DTZ007 - nbgrader's naive UTC
    except ValueError:
        return None


def submissions(
    inbound: Path,
    student_id: str = "*",
    assignment_id: str = "*",
    unreadable: Callable[[str, OSError], None] = lambda _student, _error: None,
) -> Iterator[Submission]:
    """List submissions under `inbound`; names that do not parse, links and files are passed over.

    Args:
        inbound: Directory that holds one directory for each student.
        student_id: Whose submissions, or `*` for everybody's.
        assignment_id: Of which assignment, or `*` for all.
        unreadable: Called with a student whose directory cannot be read, and why; the others' are listed all the same.
    """
    for student in _directories(inbound):
        if student_id in ("*", student.name):
            try:
                found = list(_submissions_of(student, assignment_id))
            except OSError as error:
                unreadable(student.name, error)
            else:
                yield from found


def _submissions_of(student: Path, assignment_id: str) -> Iterator[Submission]:
    for path in _directories(student):
        parsed = parse_name(path.name)
        if parsed is None or assignment_id not in ("*", parsed[0]):
            continue
        changed = datetime.fromtimestamp(path.lstat().st_ctime, tz=UTC).replace(tzinfo=None)
        yield Submission(student.name, parsed[0], path, parsed[1], changed)


def latest(found: Iterable[Submission], due: datetime | None = None) -> list[Submission]:
    """One submission a student: the newest, or the newest in time when there is a due date and one is in time."""
    by_student: dict[str, list[Submission]] = {}
    for submission in found:
        by_student.setdefault(submission.student_id, []).append(submission)
    chosen = []
    for student in sorted(by_student):
        newest_first = sorted(by_student[student], key=lambda one: one.timestamp, reverse=True)
        in_time = [one for one in newest_first if due is not None and one.timestamp <= due]
        chosen.append((in_time or newest_first)[0])
    return chosen


def copy_plain(
    source: Path, target: Path, ignored: Callable[[str, list[str]], Iterable[str]], refused: Callable[[Path], None]
) -> None:
    """Copy a student's directory: plain files and directories only, opened so that no link is ever followed.

    A link could point at the course's hidden tests, and its owner could put it there while the copy runs. Of a directory
    that cannot be copied whole, nothing is left.

    Args:
        source: Directory to copy.
        target: Directory to make.
        ignored: Gives the names to leave out of a directory, as `shutil.ignore_patterns` does.
        refused: Called with the path of each entry that is neither a plain file nor a directory.

    Raises:
        OSError: A directory cannot be read, or nests deeper than `DEPTH_MAX`, or the copy cannot be written.
    """
    try:
        _copy_tree(source, target, ignored, refused)
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _copy_tree(
    source: Path, target: Path, ignored: Callable[[str, list[str]], Iterable[str]], refused: Callable[[Path], None]
) -> None:
    for name, subdirectories, files, directory_fd in os.fwalk(source, onerror=_raise, follow_symlinks=False):
        directory = Path(name)
        below = directory.relative_to(source)
        if len(below.parts) > DEPTH_MAX:
            raise OSError(errno.ENAMETOOLONG, f"its directories nest more than {DEPTH_MAX} deep", str(source))
        destination = target / below
        destination.mkdir(parents=True)
        left_out = set(ignored(name, [*subdirectories, *(one for one in files if _is_plain(one, directory_fd))]))
        links = {one for one in subdirectories if (directory / one).is_symlink()}
        for one in sorted(links - left_out):
            refused(directory / one)
        subdirectories[:] = [one for one in subdirectories if one not in left_out | links]
        for one in files:
            if one not in left_out and not _copy_file(one, directory_fd, destination / one):
                refused(directory / one)


def _raise(error: OSError) -> None:
    raise error


def _is_plain(name: str, directory_fd: int) -> bool:
    return stat.S_ISREG(os.stat(name, dir_fd=directory_fd, follow_symlinks=False).st_mode)


def _copy_file(name: str, directory_fd: int, target: Path) -> bool:
    try:
        descriptor = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=directory_fd)
    except OSError:
        return False
    with os.fdopen(descriptor, "rb") as source:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            return False
        with target.open("xb") as copy:
            shutil.copyfileobj(source, copy)
    return True


def _directories(path: Path) -> list[Path]:
    return sorted(entry for entry in path.iterdir() if entry.is_dir() and not entry.is_symlink())
