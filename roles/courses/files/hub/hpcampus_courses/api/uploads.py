# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Bodies that are files: streamed to the disk on their way in, and from it on their way out."""

from abc import abstractmethod
from collections.abc import Sequence
from urllib.parse import unquote

from tornado.iostream import StreamClosedError

from hpcampus_courses.names import SHA256
from hpcampus_courses.store.content import DiskFullError, Incoming

from .base import ApiHandler, RefusalError, checked_name

NOTEBOOKS_MAX = 200
DIGEST_HEADER = "Hpcampus-SHA256"
NOTEBOOKS_HEADER = "Hpcampus-Notebooks"


class FileHandler(ApiHandler):
    """Takes or gives a tar file. ``what`` names it in messages."""

    what = "The file"
    _incoming: Incoming | None = None
    _failure: Exception | None = None
    _is_whole = False

    @abstractmethod
    def file_max(self) -> int:
        """The most bytes that the file may have."""

    def body_max(self) -> int:
        """A file's limit where one is sent."""
        return self.file_max() if self.request.method == "PUT" else super().body_max()

    def too_large(self, size: int) -> RefusalError:
        """The refusal of the file."""
        return too_large(self.what, size, self.file_max()) if self.request.method == "PUT" else super().too_large(size)

    def receive(self) -> None:
        """Let the body become a file."""
        if self.length is None:
            raise RefusalError(411, "no-length", "The request must say with Content-Length how long the file is.")
        self._incoming = self.store.content.receive(self.length)

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the file."""
        if self._incoming is None or self._failure is not None or self._refusal is not None:
            return
        try:
            await self._incoming.add(chunk)
        except (DiskFullError, OSError) as error:
            # Raised from here it would only cut the connection; the rest of the body is read, and then comes the answer.
            self._failure = error

    async def keep(self, sha256: str) -> int:
        """Put the file where it stays, and give its size.

        Args:
            sha256: what its digest must be.
        """
        incoming, self._is_whole = self._incoming, True
        if incoming is None:
            raise RefusalError(400, "no-file", f"{self.what} is missing.")
        if self._failure is not None:
            raise self._failure
        if await incoming.finish() != sha256:
            raise RefusalError(422, "wrong-digest", f"{self.what} was damaged on its way. Please send it again.")
        await incoming.keep()
        return incoming.size

    def digest_header(self) -> str:
        """The digest that the request announces."""
        return checked_digest(self.request.headers.get(DIGEST_HEADER))

    def notebooks_header(self) -> list[str]:
        """The names of notebooks that the request announces, each percent-encoded, with commas between."""
        text = self.request.headers.get(NOTEBOOKS_HEADER, "")
        try:
            names = [unquote(name, errors="strict") for name in text.split(",") if name]
        except UnicodeDecodeError:
            raise RefusalError(
                400, "bad-name", f"The header {NOTEBOOKS_HEADER} must be percent-encoded UTF-8."
            ) from None
        return checked_notebooks(names)

    async def send(self, sha256: str, size: int, name: str) -> None:
        """Answer with a file."""
        self.set_header("Content-Type", "application/x-tar")
        self.set_header("Content-Length", str(size))
        self.set_header("Content-Disposition", f'attachment; filename="{name}.tar"')
        self.set_header(DIGEST_HEADER, sha256)
        try:
            async for piece in self.store.content.read(sha256):
                self.write(piece)
                await self.flush()
        except StreamClosedError:
            return
        await self.finish()

    def on_finish(self) -> None:
        """Forget what was not kept."""
        self._forget()

    def on_connection_close(self) -> None:
        """Forget what came before the connection was cut; a file that is whole is kept."""
        super().on_connection_close()
        if not self._is_whole:
            self._forget()

    def _forget(self) -> None:
        if self._incoming is not None:
            self._incoming.discard()


def too_large(what: str, size: int, limit: int) -> RefusalError:
    """The refusal of a file that is too large, with both sizes."""
    return RefusalError(
        413,
        "too-large",
        f"{what} has {size / 2**20:.1f} MB, and at most {limit // 2**20} MB are taken. Leave out large files that the notebooks do"
        " not need, or ask the instructor how to hand them in.",
    )


def checked_digest(value: object) -> str:
    """A SHA-256, or a refusal."""
    if not isinstance(value, str) or SHA256.fullmatch(value) is None:
        raise RefusalError(400, "bad-digest", "The SHA-256 of the file must be 64 hexadecimal digits.")
    return value


def checked_notebooks(names: object) -> list[str]:
    """Names of notebooks, or a refusal."""
    if not isinstance(names, Sequence) or isinstance(names, str) or len(names) > NOTEBOOKS_MAX:
        raise RefusalError(400, "bad-notebooks", f"The notebooks must be a list of at most {NOTEBOOKS_MAX} names.")
    return [checked_name("The name of a notebook", name) for name in names]
