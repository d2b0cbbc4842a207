# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A task in the background that runs until it is stopped."""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine
from typing import Any

AGAIN_SECONDS = 1.0


class Background:
    """One task at most.

    Args:
        run: what it does.
        name: what the task is called.
    """

    def __init__(self, run: Callable[[], Coroutine[Any, Any, None]], name: str) -> None:
        self._run = run
        self._name = name
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        """Begin, unless it was begun."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        """Cancel it and wait for its end; a library on the way may lose a cancellation, so it is asked again."""
        task, self._task = self._task, None
        if task is not None:
            while not task.done():
                task.cancel()
                await asyncio.wait([task], timeout=AGAIN_SECONDS)
            with contextlib.suppress(asyncio.CancelledError):
                task.result()
