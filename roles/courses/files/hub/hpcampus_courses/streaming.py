# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Long answers whose pieces a generator makes, in a thread."""

import asyncio
from collections.abc import Iterator

from tornado.iostream import StreamClosedError
from tornado.web import RequestHandler


async def send_pieces(handler: RequestHandler, pieces: Iterator[bytes]) -> None:
    """Send them as the body; there is never more than one in memory.

    What fails in between breaks the connection off, so that nobody takes the half for the whole.
    """
    loop = asyncio.get_running_loop()
    try:
        while piece := await loop.run_in_executor(None, next, pieces, b""):
            handler.write(piece)
            await handler.flush()
    except StreamClosedError:
        return
    except BaseException:
        # An answer whose length was not told would end here as if it were whole.
        handler.detach().close()
        raise
    await handler.finish()
