# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Names and ports: what the legs of the hub and of the clusters have in common."""

import asyncio
import os
import socket
from collections.abc import Sequence

from .walk import in_thread

SILENT_SECONDS = 5.0


async def addresses(host: str) -> Sequence[str]:
    """Addresses of a host, each once.

    Raises:
        OSError: the name has none, or cannot be asked for.
    """
    found = await in_thread(lambda: socket.getaddrinfo(host, None, type=socket.SOCK_STREAM))
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


async def knock(host: str, port: int) -> None:
    """Open a TCP connection and close it again.

    Raises:
        ConnectionRefusedError: nothing listens there.
        OSError: it cannot be reached, or not within ``SILENT_SECONDS``.
    """
    try:
        async with asyncio.timeout(SILENT_SECONDS):
            _, writer = await asyncio.open_connection(host, port)
    except TimeoutError:
        raise OSError(f"no answer within {SILENT_SECONDS:g} s") from None
    writer.close()


def reason(error: BaseException) -> str:
    """An error of the system in its own words, without its number."""
    words = (getattr(error, "strerror", None) or str(error) or type(error).__name__).strip()
    if isinstance(error, OSError) and error.errno and words.startswith("Connect call failed"):
        return os.strerror(error.errno)  # asyncio puts an address there
    return words


def refused(error: OSError) -> bool:
    """Whether every address refused the connection; with several, asyncio tells only by its text."""
    return isinstance(error, ConnectionRefusedError) or (
        str(error).startswith("Multiple exceptions") and str(error).count("Errno 111") == str(error).count("Errno")
    )
