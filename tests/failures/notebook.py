# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What befalls one notebook while the platform is well."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.e2e.conftest import COMPUTE
from tests.e2e.waiting import until
from tests.failures.stage import NOWHERE, case

if TYPE_CHECKING:
    from tests.failures.stage import Stage

ROUND = "one notebook"
KILL_TUNNEL = """
for pid in $(pgrep -u hpcampus -x ssh); do
    tr '\\0' '\\n' <"/proc/$pid/environ" | grep -qx "SLURM_JOB_ID=$1" && kill -KILL "$pid" && exit 0
done
echo "job $1 has no ssh" >&2
exit 1
"""
CUT_SECONDS = 45
"""Longer than the job's ssh holds on to a connection (40 s), so that it has to make another one."""
QUEUE_SECONDS = 60


@case("tunnel session killed", round=ROUND, broken="SIGKILL to the job's ssh on the compute node", within=20)
async def tunnel_session_killed(stage: Stage) -> None:
    async with stage.working() as person:
        job = await stage.job()
        await stage.meet("all work")
        await stage.on(COMPUTE[0], "sh", "-c", KILL_TUNNEL, "sh", job)
        await stage.recovers("the notebook answers again", person.goes_on, time.monotonic())
        stage.saw("a short pause; every variable is still there")


@case(
    "tunnel network cut",
    round=ROUND,
    broken=f"every packet between compute node and hub is lost without a word for {CUT_SECONDS} s",
    within=15,
)
async def tunnel_network_cut(stage: Stage) -> None:
    node = COMPUTE[1]
    async with stage.working(node=node) as person:
        await stage.meet("all work")
        await asyncio.to_thread(stage.platform.lab.walls.cut, node, "campus")
        began = time.monotonic()
        try:
            await asyncio.sleep(CUT_SECONDS / 2)
            assert await person.notebook.has_server(), "a cut tunnel is no ended server"
            await asyncio.sleep(CUT_SECONDS - (time.monotonic() - began))
        finally:
            await asyncio.to_thread(stage.platform.lab.walls.mend, node, "campus")
        await stage.recovers("the notebook answers again", person.goes_on, time.monotonic())
        stage.saw(
            "cells do not answer during the cut, the server counts as running; afterwards every variable is still there"
        )


@case("job cancelled by the cluster", round=ROUND, broken="scancel of the running job", within=15)
async def job_cancelled(stage: Stage) -> None:
    async with stage.working() as person:
        job = await stage.job()
        await stage.meet("all work")
        await stage.on("login", "scancel", job)
        await stage.server_is_gone(person, time.monotonic())
        stage.saw("the server is shown as stopped")
        await person.start_on(COMPUTE[0])
        stage.saw("a new start works")


@case("job at its time limit", round=ROUND, broken="the limit of the running job is set to one minute", within=30)
async def job_at_its_time_limit(stage: Stage) -> None:
    async with stage.working() as person:
        job = await stage.job()
        await stage.meet("all work")
        await stage.on("login", "scontrol", "update", f"jobid={job}", "timelimit=1")

        async def ended() -> bool:
            return job not in await stage.jobs()

        await until("Slurm ends the job", ended, 150)
        await stage.server_is_gone(person, time.monotonic())
        stage.saw("the server is shown as stopped")


@case(
    "slow queue",
    round=ROUND,
    broken=f"every node is drained for {QUEUE_SECONDS} s after the start was asked for",
    within=40,
)
async def slow_queue(stage: Stage) -> None:
    async with stage.person() as person:
        await stage.meet("all work")
        async with stage.placement.on(NOWHERE):
            start = asyncio.create_task(person.start())
            await asyncio.sleep(QUEUE_SECONDS)
            assert not start.done(), "nothing could start so far"
        async with stage.placement.on(COMPUTE[0]):
            since = time.monotonic()
            await start
        await person.begin_work()
        await stage.recovers("the notebook answers", person.goes_on, since)
        queued = person.told_of("is queued")
        stage.saw(f"while it waits: {queued}")
        assert "drain" in queued or "down" in queued or "free" in queued, queued
