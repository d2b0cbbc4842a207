# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Gone is said only of what is gone."""

import asyncio
import logging
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.jobs import BookTimes, JobBook, Snapshot, Standing, judge
from hpcampus_hub.link import LinkDownError
from hpcampus_hub.protocol import GatewayError, Job
from tests.unit.hub.hub_process import until

LOG = logging.getLogger("test")
MINE = Job(7, "RUNNING", "None", "c1", None, "hub", "alice", "", "a" * 32)
QUEUE = {MINE.spawn_id: MINE}


@pytest.mark.parametrize(
    ("history", "standing"),
    [
        ([], Standing.UNKNOWN),
        ([Snapshot(1, QUEUE)], Standing.THERE),
        ([Snapshot(1, {})], Standing.UNKNOWN),
        ([Snapshot(1, QUEUE), Snapshot(2, {})], Standing.UNKNOWN),
        ([Snapshot(1, {}), Snapshot(2, {})], Standing.GONE),
        ([Snapshot(-1, {}), Snapshot(2, {})], Standing.UNKNOWN),
        ([Snapshot(1, {}), Snapshot(2, QUEUE)], Standing.THERE),
        ([Snapshot(1, {MINE.spawn_id: replace(MINE, state="COMPLETING")})], Standing.ENDED),
        ([Snapshot(1, {MINE.spawn_id: replace(MINE, state="OUT_OF_MEMORY")})], Standing.ENDED),
        ([Snapshot(1, {MINE.spawn_id: replace(MINE, state="SUSPENDED")})], Standing.THERE),
    ],
)
def test_verdicts(history: list[Snapshot], standing: Standing) -> None:
    assert judge(history, MINE.spawn_id, since=0).standing is standing


class Cluster:
    """Answers queries as a test says: jobs, or an error."""

    def __init__(self) -> None:
        self.answer: tuple[Job, ...] | Exception = (MINE,)
        self.asked = 0

    async def fetch(self) -> tuple[Job, ...]:
        self.asked += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


@given(st.lists(st.sampled_from(["there", "absent", "failed"]), max_size=12))
def test_gone_only_after_two_good_queries_in_a_row_without_the_job(answers: list[str]) -> None:
    async def play() -> Standing:
        cluster = Cluster()
        book = JobBook(cluster.fetch, "hub", LOG)
        for answer in answers:
            cluster.answer = GatewayError("slurm", "no") if answer == "failed" else (MINE,) * (answer == "there")
            await book.ask()
        return book.verdict(MINE.spawn_id, since=0.0).standing

    standing = asyncio.run(play())
    assert (standing is Standing.GONE) == (answers[-2:] == ["absent", "absent"])
    assert (standing is Standing.THERE) == (answers[-1:] == ["there"])


async def test_a_failed_query_makes_jobs_unknown_and_a_good_one_known() -> None:
    cluster = Cluster()
    book = JobBook(cluster.fetch, "hub", LOG)
    await book.ask()
    assert book.verdict(MINE.spawn_id, 0).job == MINE
    cluster.answer = LinkDownError("the network is cut")
    await book.ask()
    assert book.verdict(MINE.spawn_id, 0).standing is Standing.UNKNOWN
    assert (book.trouble, book.latest) == ("the network is cut", None)
    cluster.answer = (MINE,)
    await book.ask()
    assert book.verdict(MINE.spawn_id, 0).standing is Standing.THERE
    assert book.trouble == ""


async def test_an_error_that_nobody_foresaw_is_told_and_the_next_query_follows(
    caplog: pytest.LogCaptureFixture,
) -> None:
    cluster = Cluster()
    cluster.answer = OverflowError("int too large")
    book = JobBook(cluster.fetch, "hub", LOG, BookTimes(fast=0.01, slow=0.01))
    book.start()
    try:
        await until(lambda: cluster.asked > 2)
        assert (book.trouble, book.latest) == ("int too large", None)
        assert caplog.text.count("Traceback") == 1
        cluster.answer = (MINE,)
        await until(lambda: book.latest is not None)
    finally:
        await book.stop()


async def test_jobs_of_another_hub_in_the_same_account_are_left_out() -> None:
    cluster = Cluster()
    cluster.answer = (replace(MINE, hub_id="other"),)
    book = JobBook(cluster.fetch, "hub", LOG)
    await book.ask()
    assert book.latest is not None
    assert book.latest.jobs == {}


async def test_one_query_serves_all_and_the_pace_follows_the_need() -> None:
    cluster = Cluster()
    book = JobBook(cluster.fetch, "hub", LOG, BookTimes(fast=0.01, slow=60.0))
    book.start()
    try:
        await until(lambda: cluster.asked == 1)
        await asyncio.sleep(0.1)
        assert cluster.asked == 1
        with book.watch(), book.watch():
            await until(lambda: cluster.asked > 5)
        await asyncio.sleep(0.05)
        asked = cluster.asked
        await asyncio.sleep(0.1)
        assert cluster.asked == asked
    finally:
        await book.stop()
