# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Writing files so that a reader sees the old content or the new, never half of it."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

PRIVATE_FILE = 0o600
PRIVATE_DIRECTORY = 0o700
PUBLIC_FILE = 0o644


def make_private_directory(path: Path) -> Path:
    """Make `path` and its parents; the last one is for its owner only."""
    path.mkdir(parents=True, exist_ok=True, mode=PRIVATE_DIRECTORY)
    path.chmod(PRIVATE_DIRECTORY)
    return path


def write_atomically(path: Path, content: str | bytes, mode: int) -> bool:
    """Replace `path` by `content` in one move that survives a power cut.

    Args:
        path: File to write; its directory exists.
        content: Text (written as UTF-8) or bytes.
        mode: Permission bits of the file.

    Returns:
        Whether the content differs from what was there before.

    Raises:
        OSError: The directory cannot be written.
    """
    data = content.encode() if isinstance(content, str) else content
    with contextlib.suppress(FileNotFoundError):
        if path.read_bytes() == data:
            path.chmod(mode)
            return False
    temporary = _staged(path, data, mode)
    try:
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    _settle([path.parent])
    return True


def _staged(path: Path, data: bytes, mode: int) -> Path:
    """Write the content of a file beside it, and give the place; nothing stays if that fails."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(stream.fileno(), mode)
            os.fsync(stream.fileno())
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    return temporary


def _settle(directories: Iterable[Path]) -> None:
    """Have the disk know the names in the directories."""
    for path in set(directories):
        directory = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)


@dataclass(frozen=True)
class NewFile:
    """What a file shall be.

    Attributes:
        path: Where; its directory exists.
        data: The content; None for a file that shall be gone.
        mode: Permission bits.
    """

    path: Path
    data: bytes | None = field(repr=False)
    mode: int


def write_together(files: Sequence[NewFile]) -> None:
    """Replace or remove several files, or none of them.

    All are written beside their places first, where a full disk shows; then they are moved, and moved back if one of the
    moves fails. Only a machine that dies between two moves leaves some new and some old, each of them whole.

    Raises:
        OSError: One cannot be written; all are as before.
    """
    with contextlib.ExitStack() as left_over:
        staged: list[Path | None] = []
        for file in files:
            temporary = None if file.data is None else _staged(file.path, file.data, file.mode)
            staged.append(temporary)
            if temporary is not None:
                left_over.callback(temporary.unlink, missing_ok=True)
        back: list[tuple[Path, Path | None]] = []
        try:
            for file, temporary in zip(files, staged, strict=True):
                old = _second_name(file.path) if file.path.exists() else None
                if old is not None:
                    left_over.callback(old.unlink, missing_ok=True)
                if temporary is not None:
                    temporary.replace(file.path)
                else:
                    file.path.unlink(missing_ok=True)
                back.append((file.path, old))
        except BaseException:
            for path, old in reversed(back):
                if old is None:
                    path.unlink(missing_ok=True)
                else:
                    old.replace(path)
            raise
        finally:
            _settle(file.path.parent for file in files)


def _second_name(path: Path) -> Path:
    """Keep what a file is now, under another name; without a copy where the file system can."""
    place = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}."))
    place.rmdir()
    try:
        place.hardlink_to(path)
    except OSError:
        shutil.copy2(path, place)
    return place
