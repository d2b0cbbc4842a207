# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The walk: every leg in its order, each with a time limit; what needs a broken leg is not tried, everything else is."""

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from .finding import Finding, Said, Verdict
from .words import say

T = TypeVar("T")


@dataclass(frozen=True)
class Leg:
    """One leg.

    Args:
        name: its name in the catalogue.
        look: looks and says what it saw.
        needs: legs without which it cannot be tried; of the same cluster, or of the hub.
        cluster: the cluster's name, or "" for a leg of the hub.
        seconds: its time limit.
    """

    name: str
    look: Callable[[], Awaitable[Said]]
    needs: tuple[str, ...] = ()
    cluster: str = ""
    seconds: float = 10.0


class Walk:
    """Walks legs and remembers, for those that follow, what each found."""

    def __init__(self) -> None:
        self._causes: dict[tuple[str, str], str] = {}
        """What is missing behind a leg that does not carry: its own label, or that of the leg it waits for."""

    async def walk(self, legs: Sequence[Leg]) -> AsyncIterator[Finding]:
        """Yield the finding of each leg as it is made."""
        for leg in legs:
            began = time.monotonic()
            missing = self._missing(leg)
            said = say("walk.needs", leg=missing) if missing else await _look(leg)
            if not said.verdict.carries:
                self._causes[leg.cluster, leg.name] = missing or label(leg.name, leg.cluster)
            seconds = round(time.monotonic() - began, 3)
            yield Finding(leg.name, leg.cluster, said.verdict, said.seen, said.cure, seconds)

    def _missing(self, leg: Leg) -> str:
        """Label of the leg for want of which this one cannot be tried, or ""."""
        for need in leg.needs:
            for place in (leg.cluster, ""):
                if (place, need) in self._causes:
                    return self._causes[place, need]
        return ""


def label(name: str, cluster: str) -> str:
    """Name of a leg for people."""
    return f"{name} of {cluster}" if cluster else name


async def _look(leg: Leg) -> Said:
    """Let a leg look. Whatever goes wrong in it is a finding: the walk goes on."""
    try:
        async with asyncio.timeout(leg.seconds):
            return await leg.look()
    except TimeoutError:
        return say("walk.late", seconds=f"{leg.seconds:g}", leg=leg.name)
    except Exception as error:  # noqa: BLE001 (an unforeseen answer of a sick host must not end the walk)
        return say("walk.unforeseen", kind=type(error).__name__, error=error, leg=leg.name)


def worst(findings: Sequence[Finding]) -> Verdict:
    """The verdict on the whole: broken, else warning, else ok. A leg that was not tried counts by what it waits for."""
    found = {finding.verdict for finding in findings}
    return next((verdict for verdict in (Verdict.BROKEN, Verdict.WARNING) if verdict in found), Verdict.OK)


async def in_thread(work: Callable[[], T]) -> T:
    """Run what blocks in a thread that is left behind when it does not end in time."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, failure = None, None
        try:
            result = work()
        except BaseException as error:  # noqa: BLE001 (handed to who waits)
            failure = error
        with contextlib.suppress(RuntimeError):  # the loop is gone: nobody waits any more
            loop.call_soon_threadsafe(settle, result, failure)

    threading.Thread(target=run, daemon=True).start()
    return await future
