# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A deadline: a class hands in at once."""

import asyncio
import secrets
import statistics
import time

import pytest

from tests.unit.courses.client import Client, digest
from tests.unit.courses.service_process import ServiceProcess

pytestmark = pytest.mark.processes

STUDENTS = 200
PERIOD_SECONDS = 20.0
LIMIT_SECONDS = 2.0
BYTES = 500_000


async def hand_in(client: Client, data: bytes, wait: float, tries: int) -> tuple[list[str], list[float]]:
    """Hand something in some time from now; gives ids and the seconds that each took."""
    await asyncio.sleep(wait)
    ids, seconds = [], []
    for _ in range(tries):
        began = time.monotonic()
        ids.append(await client.submit("py1", "ps1", data))
        seconds.append(time.monotonic() - began)
    return ids, seconds


def told(seconds: list[float]) -> str:
    cuts = statistics.quantiles(seconds, n=100)
    return f"median {cuts[49]:.3f} s, 95 % within {cuts[94]:.3f} s, longest {max(seconds):.3f} s"


async def test_a_class_of_200_hands_in_within_a_minute(process: ServiceProcess) -> None:
    """Harder than that: within a third of a minute, everybody twice, and the instructor looks at the list meanwhile."""
    names = [f"student{number:03}" for number in range(STUDENTS)]
    process.hub.users |= {name: ["course-py1-students"] for name in names}
    await process.start()
    await process.as_("ida").release("py1", "ps1")
    data = {name: name.encode() * (BYTES // len(name)) for name in names}
    chance = secrets.SystemRandom()
    waits = [chance.uniform(0, PERIOD_SECONDS) for _ in names]

    async def look() -> None:
        while True:
            await process.as_("ida").submissions("py1")
            await asyncio.sleep(1)

    looking = asyncio.create_task(look())
    began = time.monotonic()
    found = await asyncio.gather(
        *(hand_in(process.as_(name), data[name], wait, 2) for name, wait in zip(names, waits, strict=True))
    )
    print(
        f"{2 * STUDENTS} submissions in {time.monotonic() - began:.0f} s: {told([s for _, many in found for s in many])}"
    )
    looking.cancel()
    first = [seconds[0] for _, seconds in found]
    listed = {one["id"]: one for one in await process.as_("ida").submissions("py1")}
    assert len(listed) == 2 * STUDENTS
    for name, (ids, _) in zip(names, found, strict=True):
        assert len(set(ids)) == 2
        assert {(listed[one]["student"], listed[one]["sha256"]) for one in ids} == {(name, digest(data[name]))}
    assert set(process.files()) >= {digest(one) for one in data.values()}
    assert statistics.quantiles(first, n=100)[94] < LIMIT_SECONDS, told(first)


async def test_a_class_of_200_hands_in_at_the_same_moment(process: ServiceProcess) -> None:
    names = [f"student{number:03}" for number in range(STUDENTS)]
    process.hub.users |= {name: ["course-py1-students"] for name in names}
    await process.start()
    await process.as_("ida").release("py1", "ps1")
    data = {name: name.encode() * 2000 for name in names}
    found = await asyncio.gather(*(hand_in(process.as_(name), data[name], 0, 1) for name in names))
    print(f"{STUDENTS} submissions at the same moment: {told([seconds[0] for _, seconds in found])}")
    assert len({ids[0] for ids, _ in found}) == STUDENTS
    assert len(await process.as_("ida").submissions("py1")) == STUDENTS
