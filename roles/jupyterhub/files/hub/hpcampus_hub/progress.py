# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The events of a start, for whoever watches it."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from .record import SpawnRecord


class Progress:
    """The events of the newest start, from its beginning."""

    def __init__(self) -> None:
        self._events: list[dict[str, Any]] = []
        self._news = asyncio.Event()

    def begin(self) -> None:
        """Forget the events of an earlier start."""
        self._events = []

    def tell(self, percent: int | None, message: str, **more: Any) -> None:
        """Add an event, unless it says what the last one said."""
        if self._events and self._events[-1]["message"] == message:
            return
        event: dict[str, Any] = {"message": message, **more}
        if percent is not None:
            event["progress"] = percent
        self._events.append(event)
        self._news.set()
        self._news = asyncio.Event()

    async def events(self) -> AsyncIterator[dict[str, Any]]:
        """Events of the start under way, from its beginning, without an end."""
        told = 0
        while True:
            events, news = self._events, self._news
            for event in events[told:]:
                told += 1  # not the list's length afterwards: it grows while an event is sent
                yield dict(event)
            await news.wait()


def breakdown(record: SpawnRecord) -> dict[str, Any]:
    """Job, node and the seconds of each leg of a start that has come to its end."""
    legs = record.legs()
    if "ready" in record.marks:
        legs["hub"] = round(max(0.0, time.time() - record.marks["ready"]), 3)
    return {"job_id": record.job_id, "node": record.node, "cluster": record.cluster, "legs": legs}
