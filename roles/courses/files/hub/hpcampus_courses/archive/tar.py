# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A tar whose size is known before its first byte is read, and that is never in memory as a whole."""

import tarfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO

PIECE = 1024 * 1024
"""Bytes of a piece, about."""
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)


class ChangedFileError(Exception):
    """A file is not what it was when the tar was begun."""


@dataclass(frozen=True)
class Part:
    """A file of the tar; ``source`` has the content, from its beginning."""

    path: str
    size: int
    sha256: str
    time: datetime
    source: Path | IO[bytes]

    @property
    def header(self) -> bytes:
        """What stands before the content."""
        entry = tarfile.TarInfo(self.path)
        entry.size, entry.mtime, entry.mode = self.size, int(self.time.timestamp()), 0o600
        return entry.tobuf(tarfile.PAX_FORMAT)


def size_of(parts: Iterable[Part]) -> int:
    """Bytes of the tar."""
    return sum(len(part.header) + part.size + _padding(part.size) for part in parts) + len(_END)


def pieces_of(parts: Iterable[Part]) -> Iterator[bytes]:
    """The tar in pieces.

    Raises:
        ChangedFileError: a file has become longer or shorter, or cannot be read.
    """
    waiting = bytearray()
    for piece in _raw(parts):
        waiting += piece
        if len(waiting) >= PIECE:
            yield bytes(waiting)
            waiting.clear()
    yield bytes(waiting)


def _raw(parts: Iterable[Part]) -> Iterator[bytes]:
    for part in parts:
        yield part.header
        yield from _content(part)
        yield bytes(_padding(part.size))
    yield _END


def _content(part: Part) -> Iterator[bytes]:
    left = part.size
    try:
        with part.source.open("rb") if isinstance(part.source, Path) else _Kept(part.source) as file:
            while piece := file.read(PIECE):
                left -= len(piece)
                if left < 0:
                    break
                yield piece
    except OSError as error:
        raise ChangedFileError(f"{part.path} cannot be read: {error}") from error
    if left:
        raise ChangedFileError(f"{part.path} has not the {part.size} bytes that it had")


def _padding(size: int) -> int:
    return -size % _BLOCK


class _Kept:
    """A file that is open, and stays so."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def __enter__(self) -> IO[bytes]:
        self._file.seek(0)
        return self._file

    def __exit__(self, *_: object) -> None:
        """Leave it open."""
