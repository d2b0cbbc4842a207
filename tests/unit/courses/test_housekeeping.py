# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What was begun and never came goes after a month; everything that was handed in stays."""

import asyncio
import sqlite3
from contextlib import closing

from hpcampus_courses.housekeeping import clear_up, keep_house
from tests.unit.courses.service_process import ServiceProcess
from tests.unit.courses.site import Site
from tests.unit.hub.hub_process import until

BEGUN = "2026-11-26T10:00:00+00:00"
JUST_BEFORE = "2026-12-26T10:00:00+00:00"
AFTER = "2026-12-26T10:00:01+00:00"


async def test_only_beginnings_of_long_ago_go(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    bob = site.as_("bob")
    kept = await bob.submit("py1", "ps1", b"handed in")
    begun = (await bob.begin_submission("py1", "ps1", b"never sent")).json["id"]
    site.set_time(JUST_BEFORE)
    assert await clear_up(site.service) == 0
    assert (await bob.send_content("py1", begun, b"never sent?")).status == 400, (
        "it still waits, for what was announced"
    )
    site.set_time(AFTER)
    recent = (await bob.begin_submission("py1", "ps1", b"just begun")).json["id"]
    assert await clear_up(site.service) == 1
    assert (await bob.send_content("py1", begun, b"never sent")).status == 404
    assert (await bob.send_content("py1", recent, b"just begun")).status == 200
    assert [one["id"] for one in await bob.submissions("py1")] == [kept, recent]


async def test_content_that_comes_while_its_beginning_is_forgotten_does_not_count(site: Site) -> None:
    """The student is told so, and hands in anew; nobody believes in a submission that is not there."""
    await site.as_("ida").release("py1", "ps1")
    bob = site.as_("bob")
    begun = (await bob.begin_submission("py1", "ps1", b"12345678")).json["id"]
    path = f"/services/courses/api/v1/courses/py1/submissions/{begun}/content"
    reader, writer = await bob.begin("PUT", path, 8)
    writer.write(b"1234")
    await writer.drain()
    await until(lambda: _receives(site), 10)
    site.set_time(AFTER)
    assert await clear_up(site.service) == 1
    writer.write(b"5678")
    await writer.drain()
    head = await reader.readuntil(b"\r\n")
    writer.close()
    assert b" 404 " in head
    assert await bob.submissions("py1") == []


async def _receives(site: Site) -> bool:
    return bool(site.incoming)


async def test_it_is_done_again_and_again(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    house = asyncio.create_task(keep_house(site.service, 0.01))
    bob = site.as_("bob")
    for day in (AFTER, "2027-03-01T00:00:00+00:00"):
        site.set_time(BEGUN)
        await bob.begin_submission("py1", "ps1", day.encode())
        site.set_time(day)
        await until(lambda: _nothing_waits(site), 10)
    house.cancel()


async def _nothing_waits(site: Site) -> bool:
    return site.store.database.row("SELECT 1 FROM submissions") is None


async def test_the_service_does_it_when_it_starts(process: ServiceProcess) -> None:
    await process.start()
    await process.as_("ida").release("py1", "ps1")
    await process.as_("bob").begin_submission("py1", "ps1", b"never sent")
    await process.stop()
    database = process.state / "courses.sqlite"
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("UPDATE submissions SET time = '2020-01-01T00:00:00.000000+00:00'")
    await process.start()
    await until(lambda: _forgot(process), 20)
    assert "Forgot 1 submissions" in process.log


async def _forgot(process: ServiceProcess) -> bool:
    return "Forgot" in process.log
