# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What befalls the hub's own processes and its database."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.e2e.conftest import COMPUTE
from tests.e2e.waiting import until
from tests.failures.stage import NOWHERE, case

if TYPE_CHECKING:
    from tests.failures.stage import Person, Stage

ROUND = "hub killed"
KILL = "SIGKILL to all processes of the hub's unit"
RESTART = "systemctl restart of the hub's unit"
DATABASE = "/var/lib/jupyterhub/jupyterhub.sqlite"
YESTERDAY = "/root/yesterday.sqlite"
COPY = f"import sqlite3; sqlite3.connect('{DATABASE}').backup(sqlite3.connect('{YESTERDAY}'))"


async def kill_hub(stage: Stage) -> float:
    """Kill the hub, once for all cases of the round that are in the midst of something."""
    argv = ("systemctl", "kill", "--signal", "KILL", "jupyterhub")
    return await stage.strike("all are in the midst of it", "the hub is killed", lambda: stage.on("campus", *argv))


async def goes_on_without_hub(stage: Stage, person: Person, since: float) -> None:
    """Make sure that a kernel works while the hub is away, and that the hub knows the server afterwards."""
    assert await person.notebook.cell_in(person.kernel, "print(kept + 2)") == "42"
    stage.saw("nothing: cells go on while the hub is away")
    await stage.recovers("the hub knows the server", person.notebook.has_server, since)
    assert await person.goes_on()


@case("hub killed while a notebook starts", round=ROUND, broken=KILL, within=60)
async def hub_killed_while_starting(stage: Stage) -> None:
    async with stage.person() as person:
        await stage.meet("the others work")
        # It is answered when the server is ready, or after ten seconds.
        asking = asyncio.create_task(person.ask_for_server())
        job = await stage.one_job("the job is submitted")
        since = await kill_hub(stage)
        await asyncio.gather(asking, return_exceptions=True)
        await stage.recovers("the notebook answers", person.notebook.answers, since)
        assert await stage.jobs() == [job], "the same job, not a second one"
        await person.begin_work()
        assert await person.goes_on()
        stage.saw("the waiting page stands still for some seconds, then the notebook opens")


@case("hub killed while a notebook runs", round=ROUND, broken=KILL, within=30)
async def hub_killed_while_running(stage: Stage) -> None:
    async with stage.working() as person:
        job = await stage.job()
        await stage.meet("the others work")
        await goes_on_without_hub(stage, person, await kill_hub(stage))
        assert await stage.job() == job


@case("hub killed while a notebook stops", round=ROUND, broken=KILL, within=60)
async def hub_killed_while_stopping(stage: Stage) -> None:
    async with stage.working() as person:
        await stage.meet("the others work")
        stop = asyncio.create_task(person.notebook.ask("DELETE", f"/hub/api/users/{person.name}/server"))
        await until("the hub has begun to stop the server", person.is_stopping, 30)
        since = await kill_hub(stage)
        await asyncio.gather(stop, return_exceptions=True)

        async def gone() -> bool:
            return await person.has_no_server() and not await stage.jobs()

        await stage.recovers("server and job are gone", gone, since)
        stage.saw("the server is shown as stopped")
        await person.start()
        stage.saw("a new start works")


async def restart_hub(stage: Stage) -> float:
    """Restart the hub as an administrator does, once for all cases of the round."""
    argv = ("systemctl", "restart", "jupyterhub")
    return await stage.strike("the hub may be restarted", "the hub is restarted", lambda: stage.on("campus", *argv))


@case("hub restarted while a notebook runs", round="hub restarted", broken=RESTART, within=30)
async def hub_restarted_while_running(stage: Stage) -> None:
    async with stage.working() as person:
        await stage.meet("all work")
        await goes_on_without_hub(stage, person, await restart_hub(stage))


@case("hub restarted while a job waits in the queue", round="hub restarted", broken=RESTART, within=60)
async def hub_restarted_while_queued(stage: Stage) -> None:
    async with stage.person() as person:
        await stage.meet("all work")
        async with stage.placement.on(NOWHERE):
            answer = await person.ask_for_server()
            assert answer.code == 202, answer.body
            job = await stage.one_job("the job is queued")
            since = await restart_hub(stage)
            await until("the hub is back", person.notebook.has_server, 60)
        async with stage.placement.on(COMPUTE[0]):
            await stage.recovers("the notebook answers", person.notebook.answers, since)
        assert await stage.job() == job, "the same job, not a second one"
        stage.saw("the waiting page stands still for some seconds; the place in the queue is kept")


@case("proxy killed", round="host key", broken="SIGKILL to the proxy", within=20)
async def proxy_killed(stage: Stage) -> None:
    async with stage.working() as person:
        await stage.meet("all work")
        await stage.on("campus", "systemctl", "kill", "--signal", "KILL", "jupyterhub-proxy")
        await stage.recovers("the notebook answers again", person.goes_on, time.monotonic())
        await stage.meet("the proxy is back")
        stage.saw("an error page for a moment; the open notebook connects again by itself and has lost nothing")


@case(
    "hub restored from yesterday's database",
    round="restore",
    broken="the hub is stopped and a copy of its database from before one stop and one start is put back",
    within=120,
    people=2,
)
async def hub_restored(stage: Stage) -> None:
    one, other = stage.people
    async with stage.person(0) as newcomer, stage.working(1) as worker:
        await stage.on("campus", "python3", "-c", COPY)
        await worker.notebook.stop()
        await newcomer.start_on(COMPUTE[0])
        orphan = await stage.job(one)
        assert await stage.jobs(other) == []
        await stage.on("campus", "systemctl", "stop", "jupyterhub")
        await stage.on("campus", "install", "-m", "600", "-o", "jupyterhub", "-g", "jupyterhub", YESTERDAY, DATABASE)
        await stage.on("campus", "rm", YESTERDAY)
        await stage.on("campus", "systemctl", "start", "jupyterhub")
        since = time.monotonic()
        await stage.meet("the hub is restored")
        await until("a server that has ended since is noticed", worker.has_no_server, 60)
        stage.saw("who had stopped since: the server is shown as stopped")
        await until("the hub answers", newcomer.has_no_server, 30)
        await newcomer.start_on(COMPUTE[0])
        stage.saw("who had started since: the server is shown as stopped, and a new start works")

        async def reaped() -> bool:
            return orphan not in await stage.jobs(one)

        await stage.recovers("the job that no server owns is cancelled", reaped, since)
        assert len(await stage.jobs(one)) == 1, "the job of the new start is nobody's orphan"
        await newcomer.begin_work()
        assert await newcomer.goes_on()
