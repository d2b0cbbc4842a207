# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Directories as tar files: packed so that the same files give the same bytes, unpacked so that no tar can do harm.

What is unpacked was packed by somebody else, so everything in it counts as hostile: only plain files and directories are made,
below one new directory, and their number, depth and size have limits.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

DEPTH_MAX = 32
ENTRIES_MAX = 10_000
_BLOCK_BYTES = 1 << 16


class TarError(Exception):
    """A tar cannot be packed or unpacked; the text is a sentence for a person."""


@dataclass(frozen=True)
class Rules:
    """Which files count, as nbgrader's CourseDirectory has it.

    Attributes:
        ignore: Patterns of names that are left out, directories too.
        include: Patterns of which a file's name must match one, unless there are none.
        file_kb_max: Files with more kilobytes (of 1000 bytes) are left out.
        total_kb_max: A directory with more kilobytes is refused.
    """

    ignore: Sequence[str] = ()
    include: Sequence[str] = ()
    file_kb_max: float = 100_000
    total_kb_max: float = 1_000_000

    def skip_name(self, name: str) -> bool:
        """Whether the name of a file or directory is left out."""
        return any(fnmatch(name, pattern) for pattern in self.ignore)

    def skip_file(self, name: str, size: int) -> bool:
        """Whether a file is left out."""
        wanted = not self.include or any(fnmatch(name, pattern) for pattern in self.include)
        return self.skip_name(name) or not wanted or size > 1000 * self.file_kb_max


@dataclass(frozen=True)
class Packed:
    """A tar that was packed.

    Attributes:
        content: The tar, to read from its beginning.
        size: Its bytes.
        sha256: Its digest in hexadecimal digits.
        notebooks: Names of the notebooks at its top, without `.ipynb`, sorted.
    """

    content: IO[bytes]
    size: int
    sha256: str
    notebooks: tuple[str, ...]


@contextmanager
def packed(
    directory: Path, rules: Rules, left_out: Callable[[str, str], None], only: Iterable[str] | None = None
) -> Iterator[Packed]:
    """Pack a directory into a temporary file.

    Args:
        directory: What to pack.
        rules: Which files count.
        left_out: Called with the relative path of what is left out though nobody asked for it, and why.
        only: Names at the top to take, or None for all.

    Raises:
        TarError: It is bigger than the rules allow, too deep, or has too many files.
        OSError: A file cannot be read.
    """
    with tempfile.TemporaryFile() as file:
        notebooks = _pack(directory, file, rules, left_out, None if only is None else set(only))
        size = file.tell()
        file.seek(0)
        digest = hashlib.file_digest(file, "sha256").hexdigest()
        file.seek(0)
        yield Packed(file, size, digest, tuple(notebooks))


def _pack(
    directory: Path, file: IO[bytes], rules: Rules, left_out: Callable[[str, str], None], only: set[str] | None
) -> list[str]:
    total, notebooks = 0, []
    with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for count, (name, path, status) in enumerate(_walk(directory, PurePosixPath(), rules, left_out)):
            if only is not None and name.parts[0] not in only:
                continue
            if count >= ENTRIES_MAX:
                raise TarError(f"It has more than {ENTRIES_MAX} files and directories.")
            entry = tarfile.TarInfo(str(name))
            if stat.S_ISDIR(status.st_mode):
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
                continue
            with _open_plain(path) as content:
                # The size of the open file counts: the path may be another file by now.
                entry.size, entry.mode = os.fstat(content.fileno()).st_size, 0o644
                total += entry.size
                if total > 1000 * rules.total_kb_max:
                    raise TarError(
                        f"It has more than {rules.total_kb_max / 1000:g} MB in all (CourseDirectory.max_dir_size)."
                        " Take big data files out of the directory."
                    )
                archive.addfile(entry, content)
            if len(name.parts) == 1 and name.suffix == ".ipynb":
                notebooks.append(name.stem)
    return sorted(notebooks)


def _open_plain(path: Path) -> IO[bytes]:
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC), "rb")


def _walk(
    directory: Path, below: PurePosixPath, rules: Rules, left_out: Callable[[str, str], None]
) -> Iterator[tuple[PurePosixPath, Path, os.stat_result]]:
    if len(below.parts) >= DEPTH_MAX:
        raise TarError(f"Directories are more than {DEPTH_MAX} levels deep at {below}.")
    for entry in sorted(os.scandir(directory), key=lambda one: one.name):
        status, name = entry.stat(follow_symlinks=False), below / entry.name
        if rules.skip_name(entry.name):
            continue
        if stat.S_ISDIR(status.st_mode):
            yield name, Path(entry.path), status
            yield from _walk(Path(entry.path), name, rules, left_out)
        elif not stat.S_ISREG(status.st_mode):
            left_out(str(name), "it is not a plain file")
        elif not rules.skip_file(entry.name, status.st_size):
            yield name, Path(entry.path), status
        elif status.st_size > 1000 * rules.file_kb_max:
            left_out(str(name), f"it has more than {rules.file_kb_max / 1000:g} MB (CourseDirectory.max_file_size)")


@contextmanager
def unpacked(content: IO[bytes], beside: Path, rules: Rules, left_out: Callable[[str, str], None]) -> Iterator[Path]:
    """Unpack a tar into a new directory in the directory of `beside`; what is still there in the end is removed.

    Whoever wants to keep it moves it with `put`.

    Args:
        content: The tar, read from its beginning.
        beside: A path on the same file system.
        rules: Which files count; the limit of the size holds for what is written.
        left_out: Called with the name of what is left out though it counts, and why.

    Raises:
        TarError: It is no tar, leaves its directory, or exceeds a limit.
        OSError: A file cannot be written.
    """
    beside.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=".incoming-", dir=beside.parent))
    try:
        content.seek(0)
        try:
            _unpack(content, made, rules, left_out)
        except (
            tarfile.TarError,
            EOFError,
            FileExistsError,
            NotADirectoryError,
            IsADirectoryError,
            ValueError,
        ) as error:
            raise TarError(f"It is not a tar with one file for each name ({type(error).__name__}: {error}).") from None
        made.chmod(0o755)
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)


def put(made: Path, target: Path) -> None:
    """Give a new directory its place; what was there before is removed afterwards."""
    if os.path.lexists(target):
        old = Path(tempfile.mkdtemp(prefix=".replaced-", dir=target.parent))
        try:
            target.rename(old / "old")
            made.rename(target)
        finally:
            shutil.rmtree(old, ignore_errors=True)
    else:
        made.rename(target)


def _unpack(content: IO[bytes], root: Path, rules: Rules, left_out: Callable[[str, str], None]) -> None:
    room, count = int(1000 * rules.total_kb_max), 0
    with tarfile.open(fileobj=content, mode="r:") as archive:
        while (entry := archive.next()) is not None:
            # tarfile keeps every header that it has read; only the one at hand is needed.
            archive.members = []  # type: ignore[attr-defined]
            count += 1
            if count > ENTRIES_MAX:
                raise TarError(f"It has more than {ENTRIES_MAX} files and directories.")
            name = _safe_name(entry.name)
            if any(rules.skip_name(part) for part in name.parts):
                continue
            path = root.joinpath(*name.parts)
            if entry.isdir():
                path.mkdir(mode=0o755, parents=True, exist_ok=True)
            elif entry.type not in (tarfile.REGTYPE, tarfile.AREGTYPE):
                left_out(str(name), "it is not a plain file")
            elif rules.skip_file(name.name, entry.size):
                if entry.size > 1000 * rules.file_kb_max:
                    left_out(str(name), f"it has more than {rules.file_kb_max / 1000:g} MB")
            else:
                room -= entry.size
                if room < 0:
                    raise TarError(f"It has more than {rules.total_kb_max / 1000:g} MB in all.")
                path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
                _write(archive, entry, path)


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, path: Path) -> None:
    source = archive.extractfile(entry)
    if source is None:
        raise TarError(f"{entry.name} has no content.")
    with path.open("xb") as target:
        shutil.copyfileobj(source, target, _BLOCK_BYTES)
        if target.tell() != entry.size:
            raise TarError("It ends in the middle of a file.")
    path.chmod(0o644)


def _safe_name(text: str) -> PurePosixPath:
    name = PurePosixPath(text)
    if name.is_absolute() or ".." in name.parts or "\0" in text:
        raise TarError(f"It has a file outside its own directory: {text!r}.")
    if not name.parts:
        return name
    if len(name.parts) > DEPTH_MAX:
        raise TarError(f"Directories are more than {DEPTH_MAX} levels deep.")
    return name
