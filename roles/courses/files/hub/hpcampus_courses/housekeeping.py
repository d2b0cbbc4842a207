# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the service clears up by itself: beginnings of submissions. Nothing that somebody has handed in is ever removed."""

import asyncio
import logging
import sqlite3
from datetime import timedelta

from .service import Service

LOG = logging.getLogger(__name__)

UNFINISHED_LASTS = timedelta(days=30)
"""A client whose connection broke goes on with what it has begun for minutes, as long as it runs. A month leaves time to look into it
when a student asks what became of a submission."""

EVERY_SECONDS = 6 * 3600.0


async def clear_up(service: Service) -> int:
    """Forget submissions that were begun long ago and whose content never came, and say how many there were."""
    count = await service.store.submissions.forget_unfinished(service.now() - UNFINISHED_LASTS)
    if count:
        LOG.info("Forgot %d submissions that were begun before %s ago and never came", count, UNFINISHED_LASTS)
    return count


async def keep_house(service: Service, every_seconds: float = EVERY_SECONDS) -> None:
    """Clear up now and again, until cancelled."""
    while True:
        try:
            await clear_up(service)
        except sqlite3.Error:
            LOG.exception("Could not clear up")
        await asyncio.sleep(every_seconds)
