# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Waiting for what a running platform comes to by itself."""

from __future__ import annotations

import asyncio
import inspect
import time
from typing import TYPE_CHECKING

from hpcampus_hub.probe import ProbeError

if TYPE_CHECKING:
    from collections.abc import Callable

TRY_SECONDS = 20


async def until(what: str, condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait until a condition holds; it may fail, or not come to an end, while services are away.

    Args:
        what: what is waited for, for the message.
        condition: gives something true in the end, or something to await that does.
        seconds: how long.

    Raises:
        AssertionError: it did not hold in time; the last error stands in it.
    """
    deadline = time.monotonic() + seconds
    problem: object = ""
    while True:
        try:
            async with asyncio.timeout(TRY_SECONDS):
                found = condition()
                if await found if inspect.isawaitable(found) else found:
                    return
        except (AssertionError, ProbeError, TimeoutError) as error:
            problem = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what}. {problem}")
        await asyncio.sleep(0.2)
