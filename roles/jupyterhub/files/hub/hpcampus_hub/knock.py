# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A knock at a notebook server's door through its tunnel: is the tunnel up, does the server answer?"""

import asyncio
import enum

_MOST_BYTES = 64 * 1024


class Knock(enum.Enum):
    """What a knock found."""

    NO_TUNNEL = "nothing listens on the port"
    NO_SERVER = "the tunnel is up, the server does not answer yet"
    READY = "the server answers"


async def knock(host: str, port: int, base_url: str, timeout: float = 5.0) -> Knock:  # noqa: ASYNC109
    """Ask ``GET <base_url>api``, which a notebook server answers without a login.

    Args:
        host: loopback address.
        port: the tunnel's port.
        base_url: the server's path, percent-encoded, with slashes at both ends.
        timeout: seconds for everything.

    Returns:
        Ready when the answer's status is below 500.
    """
    writer: asyncio.StreamWriter | None = None
    try:
        async with asyncio.timeout(timeout):
            reader, writer = await asyncio.open_connection(host, port, limit=_MOST_BYTES)
            request = f"GET {base_url}api HTTP/1.1\r\nHost: {host}:{port}\r\nConnection: close\r\n\r\n"
            writer.write(request.encode("ascii"))
            await writer.drain()
            status = await reader.readline()
    except (OSError, ValueError):
        return Knock.NO_TUNNEL if writer is None else Knock.NO_SERVER
    finally:
        if writer is not None:
            writer.close()
    return Knock.READY if is_ready(status) else Knock.NO_SERVER


def is_ready(status_line: bytes) -> bool:
    """Say whether an HTTP status line is one of a server that works."""
    parts = status_line.split(b" ", 2)
    return len(parts) >= 2 and parts[0].startswith(b"HTTP/1.") and parts[1].isdigit() and 200 <= int(parts[1]) < 500
