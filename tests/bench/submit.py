# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A class of 200 hands in within a minute, through Apache, proxy, course service and hub. Needs the demo: `make demo`."""

from __future__ import annotations

import asyncio
import hashlib
import random
import statistics
import time
from typing import TYPE_CHECKING

from tests.bench.crowd import NOTEBOOK, Courses, crowd, packed
from tests.e2e.conftest import find_platform
from tests.e2e.teaching import OWNER, new_assignment

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

PERIOD_SECONDS = 60.0
BYTES = 500_000


def measure(students: int) -> None:
    """Let so many students hand in, each at a moment of her own within a minute, and tell how long each waited."""
    asyncio.run(_measure(find_platform(), [f"bench{number:03}" for number in range(students)]))


async def _measure(platform: Platform, names: list[str]) -> None:
    async with crowd(platform, names) as people:
        course, assignment = people[OWNER], new_assignment()
        await course.put(f"assignments/{assignment}/release", packed(b"{}"), Notebooks=NOTEBOOK)
        content = {name: packed(random.Random(name).randbytes(BYTES)) for name in names}  # noqa: S311 (no secret)
        chance = random.Random(1)  # noqa: S311 (no secret)
        found = await asyncio.gather(
            *(_hand_in(people[name], assignment, content[name], chance.uniform(0, PERIOD_SECONDS)) for name in names)
        )
        listed = (await course.ask("GET", f"submissions?assignment={assignment}"))["submissions"]
    right = {(one["student"], one["sha256"]) for one in listed} == {
        (name, hashlib.sha256(content[name]).hexdigest()) for name in names
    }
    cuts = statistics.quantiles(found, n=100)
    print(f"{len(listed)} of {len(names)} submissions are there, {'each as it was sent' if right else 'NOT AS SENT'}")
    print(f"median {cuts[49]:.2f} s, 95 % within {cuts[94]:.2f} s, longest {max(found):.2f} s")


async def _hand_in(student: Courses, assignment: str, content: bytes, wait: float) -> float:
    """Hand in after a while; gives the seconds that it took."""
    await asyncio.sleep(wait)
    began = time.monotonic()
    await student.hand_in(assignment, content)
    return time.monotonic() - began
