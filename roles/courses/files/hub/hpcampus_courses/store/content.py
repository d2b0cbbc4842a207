# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files by the digest of what is in them: ``<2 hex>/<sha256>``. A file that is there is whole, and never changes."""

import asyncio
import errno
import hashlib
import os
import secrets
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Self

PIECE = 1024 * 1024
"""Bytes that are written or read at once, and so about what an up- or download needs of memory."""

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT}


class DiskFullError(Exception):
    """There is no room on the disk."""


class Content:
    """A directory of files.

    Args:
        directory: it is made if it is not there; what an earlier process did not finish is removed.
        reserve_bytes: what stays free on the disk.
    """

    def __init__(self, directory: Path, reserve_bytes: int = 0) -> None:
        self._directory = directory
        self.reserve_bytes = reserve_bytes
        self._incoming = directory / "incoming"
        self._incoming.mkdir(mode=0o700, parents=True, exist_ok=True)
        for left in self._incoming.iterdir():
            left.unlink()

    def path(self, sha256: str) -> Path:
        """Where the file of a digest is, or would be."""
        return place_of(self._directory, sha256)

    def receive(self, size: int) -> "Incoming":
        """Begin a file of this many bytes.

        Raises:
            DiskFullError: there is no room for it.
        """
        if shutil.disk_usage(self._directory).free < size + self.reserve_bytes:
            raise DiskFullError
        return Incoming(self, self._incoming / secrets.token_hex(16))

    async def read(self, sha256: str) -> AsyncIterator[bytes]:
        """The file in pieces."""
        loop = asyncio.get_running_loop()
        with self.path(sha256).open("rb", buffering=0) as file:
            while piece := await loop.run_in_executor(None, file.read, PIECE):
                yield piece


class Incoming:
    """A file that is being received.

    Args:
        content: where it belongs.
        path: where it lies until it is kept.
    """

    def __init__(self, content: Content, path: Path) -> None:
        self._content = content
        self._path = path
        self._file = path.open("xb", buffering=0)
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._busy: asyncio.Future[None] | None = None
        self.size = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.discard()

    async def add(self, data: bytes) -> None:
        """Take more of the file.

        Raises:
            DiskFullError: there is no room.
        """
        self.size += len(data)
        self._waiting += data
        if len(self._waiting) >= PIECE:
            await self._write()

    async def finish(self) -> str:
        """Write what still waits, and give the SHA-256 of the whole.

        Raises:
            DiskFullError: there is no room.
        """
        await self._write()
        return self._hash.hexdigest()

    async def keep(self) -> None:
        """Put the file, which is finished, in its place; it is on the disk when this returns.

        Raises:
            DiskFullError: there is no room.
        """
        await self._in_thread(self._place)

    def discard(self) -> None:
        """Forget the file, unless it is in its place; what a thread is writing just now comes to its end first."""
        if self._busy is not None:
            self._busy.add_done_callback(lambda _: self._remove())
        else:
            self._remove()

    async def _write(self) -> None:
        piece, self._waiting = bytes(self._waiting), bytearray()
        if piece:
            await self._in_thread(lambda: self._append(piece))

    async def _in_thread(self, work: Callable[[], None]) -> None:
        self._busy = asyncio.get_running_loop().run_in_executor(None, work)
        try:
            await self._busy
        except OSError as error:
            if error.errno in _NO_ROOM:
                raise DiskFullError from error
            raise
        finally:
            self._busy = None

    def _append(self, piece: bytes) -> None:
        self._hash.update(piece)
        rest = memoryview(piece)
        while rest:
            rest = rest[self._file.write(rest) :]

    def _place(self) -> None:
        os.fsync(self._file.fileno())
        place = self._content.path(self._hash.hexdigest())
        place.parent.mkdir(mode=0o700, exist_ok=True)
        self._path.replace(place)
        _sync(place.parent)
        _sync(place.parent.parent)

    def _remove(self) -> None:
        self._file.close()
        self._path.unlink(missing_ok=True)


def place_of(directory: Path, sha256: str) -> Path:
    """Where in the directory the file of a digest is, or would be."""
    return directory / sha256[:2] / sha256


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
