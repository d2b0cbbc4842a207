# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The way of a course's server to its gradebook, a database on this host.

The server's request is asked to become a connection of PostgreSQL. What it begins with must name the course's own role and database;
from then on the bytes go through as they are. PostgreSQL lets this service's account in as any course (``pg_ident.conf``), so there is
no password: the token of the request says which course it is.
"""

import asyncio
import contextlib
import logging
import struct
from typing import ClassVar

from tornado.iostream import IOStream, StreamClosedError

from hpcampus_hub.names import gradebook_of

from .api.base import Allowed, ApiHandler, RefusalError
from .people import Role

LOG = logging.getLogger(__name__)

PROTOCOL = "hpcampus-gradebook"
STARTUP_SECONDS = 15.0
CONNECT_SECONDS = 10.0
PIECE_BYTES = 65536
STARTUP_MAX = 10_000
"""What PostgreSQL itself takes at most."""

_ENCRYPTION = frozenset({80877103, 80877104})
"""Codes of SSLRequest and GSSENCRequest."""
_CANCEL = 80877102
_CANCEL_BYTES = 16
_VERSION = 3


class StartupError(Exception):
    """A connection does not begin as it should; ``message`` is for the client, with PostgreSQL's own code of the error."""

    def __init__(self, message: str, code: str = "28000") -> None:
        super().__init__(message)
        self.code = code


class GradebookHandler(ApiHandler):
    """Becomes a connection to the gradebook."""

    ALLOWED: ClassVar[Allowed] = {"GET": frozenset({Role.COURSE})}

    async def get(self, slug: str) -> None:
        """Switch the protocol, and carry the connection until one side ends it."""
        database = self.settings_now.gradebook.get("socket")
        if not isinstance(database, str):
            raise RefusalError(404, "no-gradebook", "The gradebooks of this hub are no databases.")
        if self.request.headers.get("Upgrade", "").lower() != PROTOCOL:
            raise RefusalError(
                426, "no-upgrade", f"The request must ask for an upgrade to {PROTOCOL}.", Upgrade=PROTOCOL
            )
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                reader, writer = await asyncio.open_unix_connection(database)
        except (OSError, TimeoutError) as error:
            LOG.error("The database of gradebooks does not answer at %s: %s", database, error)  # noqa: TRY400 (one line says it)
            raise RefusalError(
                503, "no-database", "The database of gradebooks does not answer at the moment.", Retry_After="5"
            ) from None
        await self._switch(slug, reader, writer)

    async def _switch(self, slug: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.clear_header("Content-Type")
        self.set_status(101)
        self.set_header("Upgrade", PROTOCOL)
        self.set_header("Connection", "Upgrade")
        await self.finish()
        client: IOStream = self.detach()
        client.set_nodelay(True)
        with contextlib.suppress(StreamClosedError, OSError):
            await carry(client, reader, writer, gradebook_of(slug))
        client.close()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


async def carry(client: IOStream, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str) -> None:
    """Check how a client begins, then copy in both directions until one side ends."""
    try:
        async with asyncio.timeout(STARTUP_SECONDS):
            writer.write(await begin(client, name))
    except StartupError as error:
        LOG.warning("Refused a connection to the gradebook %s: %s", name, error)
        await client.write(error_message(error))
        return
    except TimeoutError:
        return
    ways = [asyncio.create_task(_to_database(client, writer)), asyncio.create_task(_to_client(reader, client))]
    try:
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in ways:
            way.cancel()
        await asyncio.gather(*ways, return_exceptions=True)


async def begin(client: IOStream, name: str) -> bytes:
    """The packet with which a client begins, if it is one that may go to the database.

    Raises:
        StartupError: it is not, or names another role or database.
    """
    while True:
        head = await client.read_bytes(8)
        length, code = struct.unpack("!ii", head)
        if code in _ENCRYPTION and length == 8:
            await client.write(b"N")  # the way is closed to others already
            continue
        if code == _CANCEL and length == _CANCEL_BYTES:
            return head + await client.read_bytes(length - 8)  # holds a secret that only who runs the query knows
        if code >> 16 != _VERSION or not 8 < length <= STARTUP_MAX:
            raise StartupError("the connection does not begin in PostgreSQL's protocol 3", "08P01")
        body = await client.read_bytes(length - 8)
        check_parameters(body, name)
        return head + body


def check_parameters(body: bytes, name: str) -> None:
    """See that a connection is for one role and its database.

    Args:
        body: names and values, each with a zero behind it, and a zero at the end.
        name: of the role and of the database.

    Raises:
        StartupError: it is for something else.
    """
    words = body.split(b"\0")
    if len(words) % 2 or words[-2:] != [b"", b""]:
        raise StartupError("the parameters of the connection are broken", "08P01")
    pairs = list(zip(words[0:-2:2], words[1:-2:2], strict=True))
    given = dict(pairs)
    if b"" in given or len(given) != len(pairs):
        raise StartupError("a parameter of the connection has no name, or is there twice", "08P01")
    if given.get(b"user") != name.encode() or given.get(b"database", name.encode()) != name.encode():
        raise StartupError(f"this server's gradebook is the database {name} of the role {name}, and no other")
    if b"replication" in given:
        raise StartupError("a gradebook is not replicated")


def error_message(error: StartupError) -> bytes:
    """An error as PostgreSQL says it."""
    fields = [b"SFATAL", b"VFATAL", b"C" + error.code.encode(), b"M" + str(error).encode(), b""]
    body = b"".join(field + b"\0" for field in fields)
    return b"E" + struct.pack("!i", len(body) + 4) + body


async def _to_database(client: IOStream, writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(await client.read_bytes(PIECE_BYTES, partial=True))
        await writer.drain()


async def _to_client(reader: asyncio.StreamReader, client: IOStream) -> None:
    while data := await reader.read(PIECE_BYTES):
        await client.write(data)
