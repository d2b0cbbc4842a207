# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What instructors see of files that are brought to homes: out of the file that the hub's own program writes."""

import json
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from hpcampus_courses.pages import sync_report
from hpcampus_hub.sync.record import Order
from hpcampus_hub.sync.state import CourseState, OrderState, Person, save
from tests.unit.courses.pages_site import HOSTILE, Site, Visitor, course

NOW = datetime(2026, 11, 3, 6, 5, tzinfo=UTC)
SYNC = [{"at": "2026-11-03T06:00:00+00:00", "path": "week1"}]
SLUG = "physics101"


def state() -> CourseState:
    """Two orders: one came to most homes, one waits."""
    made = CourseState(SLUG)
    order: OrderState = made.of(Order(datetime(2026, 11, 3, 6, tzinfo=UTC), "week1"))
    order.tried, order.files, order.bytes, order.commit = "2026-11-03T06:05:00+00:00", 12, 3400, "0" * 40
    order.note(Person("alice", "alice", "lab", new=12), NOW)
    order.note(
        Person(
            "bob", "bob", "lab", new=9, kept=2, beside=1, skipped=["week1/a: a link stands in the way"], skipped_more=3
        ),
        NOW,
    )
    order.note(Person("zoe", HOSTILE, "lab", error="the home is full"), NOW)
    order.missing, order.clusters, order.left_out = (
        ["linus"],
        {"big": "cannot be reached"},
        ["week1/x: a symbolic link"],
    )
    made.of(Order(datetime(2026, 12, 1, tzinfo=UTC), ""))
    return made


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    found = tmp_path / "sync"
    found.mkdir()
    return found


def read(directory: Path, *, wanted: bool = True) -> sync_report.Report:
    found = sync_report.read_report(directory, SLUG, wanted=wanted)
    assert found
    return found


def test_the_file_of_the_hubs_program_in_words(directory: Path) -> None:
    save(directory, state(), NOW)
    report = read(directory)
    assert "3 Nov 2026" in report.changed
    assert report.problem == ""
    waiting, brought = report.orders
    assert (waiting.path, waiting.state, waiting.tried, waiting.brought) == ("everything", "waits for its time", "", "")
    assert (brought.path, brought.is_bad) == ("week1", True)
    assert brought.state == "not everywhere yet; it is tried again"
    assert (
        brought.brought
        == "12 files (3.4 kB) for 2 homes: 21 new, 2 left as people have them, 1 new versions laid beside"
    )
    assert brought.notes == (
        "Cluster big cannot be reached",
        "No home yet, so that the files come with it: linus",
        "Left out of the repository: week1/x: a symbolic link",
    )
    assert {home.name: home.told for home in brought.homes} == {
        "bob": (
            "2 left as people have them",
            "1 new versions laid beside",
            "left alone: week1/a: a link stands in the way",
            "left alone: 3 more",
        ),
        HOSTILE: ("the home is full",),
    }


def test_what_failed_as_a_whole(directory: Path) -> None:
    failed = state()
    failed.error = "sync[0].path: has no such folder"
    failed.orders[0].fail("the repository cannot be fetched", NOW)
    save(directory, failed, NOW)
    report = read(directory)
    assert report.problem == "The course's record cannot be followed: sync[0].path: has no such folder"
    order = report.orders[1]
    assert (order.state, order.problem) == ("failed; it is tried again", "the repository cannot be fetched")
    assert order.notes[-1].startswith("It is tried again from Tue 3 Nov 2026")


def test_many_homes_are_told_in_part(directory: Path) -> None:
    many = state()
    for number in range(300):
        many.orders[0].note(Person(f"s{number}", f"s{number}", "lab", kept=1), NOW)
    save(directory, many, NOW)
    order = read(directory).orders[1]
    assert (len(order.homes), order.more) == (sync_report.HOMES_MAX, 302 - sync_report.HOMES_MAX)


def test_no_file_and_no_wish_is_no_report(directory: Path) -> None:
    assert sync_report.read_report(directory, SLUG, wanted=False) is None
    assert read(directory) == sync_report.Report("", "")
    save(directory, state(), NOW)
    assert read(directory, wanted=False).orders, "what was brought before the record changed is still shown"


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"orders": 5}', '{"orders": [1], "error": "", "updated": ""}', "\0"]
)
def test_a_broken_file_is_told(directory: Path, content: str) -> None:
    (directory / f"{SLUG}.json").write_text(content)
    assert read(directory).problem == "The report cannot be read. Tell the administrator of the hub."
    broken = json.loads('{"orders": [{"state": "new", "at": "x", "path": ""}], "error": "", "updated": ""}')
    (directory / f"{SLUG}.json").write_text(json.dumps(broken))
    assert read(directory).problem


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path, course(sync=SYNC))
    yield site
    await site.close()


async def page(site: Site, name: str) -> str:
    return await Visitor(site, name).text("course/physics101")


async def test_instructors_see_it_on_the_page_of_the_course(site: Site, directory: Path) -> None:
    assert "Nothing has been brought yet." in await page(site, "ida")
    save(directory, state(), NOW)
    text = await page(site, "ida")
    plain = " ".join(re.sub(r"<[^>]+>", " ", text).split())
    for part in (
        "Files for all homes",
        "12 files (3.4 kB) for 2 homes",
        "left alone in 2 homes",
        "the home is full",
        "linus",
    ):
        assert part in plain, part
    assert "<script>hacked" not in text
    for name in ("tom", "alice"):
        other = await page(site, name)
        assert "Files for all homes" not in other
        assert "linus" not in other


async def test_a_course_that_brings_nothing_has_no_word_of_it(tmp_path: Path) -> None:
    site = Site(tmp_path)
    try:
        assert "Files for all homes" not in await page(site, "ida")
    finally:
        await site.close()
