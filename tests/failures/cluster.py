# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What befalls Slurm, the compute nodes, the account's disk and the clocks."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from hpcampus_hub.probe import ProbeError
from tests.e2e.conftest import COMPUTE
from tests.e2e.waiting import until
from tests.failures.full_disk import small_disk
from tests.failures.stage import case

if TYPE_CHECKING:
    from tests.failures.stage import Stage

SLURM_ROUND = "Slurm down"
SLURM_SECONDS = 70
OFF_SECONDS = 20
SKEW_SECONDS = 300
FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"


@case("Slurm down, a notebook runs", round=SLURM_ROUND, broken=f"slurmctld is stopped for {SLURM_SECONDS} s", within=30)
async def slurm_down_while_running(stage: Stage) -> None:
    async with stage.working() as person:
        job = await stage.job()
        back = await stage.down("login", "slurmctld", SLURM_SECONDS)
        await person.goes_on_until(back)
        stage.saw("nothing: cells go on while Slurm is away")

        async def known() -> bool:
            return await stage.jobs() == [job]

        await stage.recovers("Slurm lists the job again", known, back)
        await asyncio.sleep(8)
        assert await person.goes_on()


@case(
    "Slurm down, a start is asked for",
    round=SLURM_ROUND,
    broken=f"slurmctld is stopped for {SLURM_SECONDS} s",
    within=60,
)
async def slurm_down_while_starting(stage: Stage) -> None:
    async with stage.person() as person:
        back = await stage.down("login", "slurmctld", SLURM_SECONDS)
        await stage.starts(person, back)
        stage.saw(f"the page waits and says: {person.told_of('Waiting')}")


@case(
    "compute node killed",
    round="restore",
    broken=f"the node's container is killed and started again {OFF_SECONDS} s later",
    within=90,
)
async def compute_node_killed(stage: Stage) -> None:
    node, lab = COMPUTE[1], stage.platform.lab
    async with stage.working(node=node) as person:
        await stage.meet("the hub is restored")
        await asyncio.to_thread(lab.power_off, node)
        since = time.monotonic()
        await asyncio.sleep(OFF_SECONDS)
        assert await person.notebook.has_server(), "a node that is silent is not known to be gone"
        stage.saw("cells do not answer")
        await asyncio.to_thread(lab.restart, node)
        await stage.server_is_gone(person, since)
        stage.saw("then the server is shown as stopped")
        await person.start_on(node)
        stage.saw("a new start works, on the same node too")


@case(
    "disk of the account full",
    round="disk",
    broken="homes, logs and job files lie on a file system of 24 MB that is filled",
    within=60,
)
async def disk_full(stage: Stage) -> None:
    async with small_disk(stage.platform) as disk, stage.working() as person:
        await disk.fill()
        with_error = (
            "try:\n    open('essay.txt', 'w').write('x' * 300000)\nexcept OSError as error:\n    print(error.strerror)"
        )
        said = await person.notebook.cell_in(person.kernel, with_error)
        assert said == "No space left on device", said
        stage.saw(f"a file cannot be saved: {said}")
        assert await person.goes_on()
        await person.notebook.stop()
        refusal = await person.refusal()
        assert "space" in refusal, refusal
        stage.saw(f"a new start: {refusal}")
        assert await stage.jobs() == []
        await disk.free()
        await stage.starts(person, time.monotonic())


@case(
    "clock skew of five minutes",
    round="clock",
    broken="hub and certificate signer run five minutes ahead of everything else, then five minutes behind (libfaketime)",
    within=60,
)
async def clock_skew(stage: Stage) -> None:
    async with stage.person() as person:
        await stage.on("campus", "apt-get", "--quiet=2", "--yes", "install", "libfaketime")
        units = ("jupyterhub", "hpcampus-signer")
        try:
            for sign in ("+", "-"):
                lines = f"[Service]\nEnvironment=LD_PRELOAD={FAKETIME} FAKETIME={sign}{SKEW_SECONDS} FAKETIME_DONT_FAKE_MONOTONIC=1\n"
                for unit in units:
                    folder = f"/etc/systemd/system/{unit}.service.d"
                    await stage.on("campus", "mkdir", "-p", folder)
                    await stage.on("campus", "tee", f"{folder}/clock.conf", stdin=lines)
                await restart(stage, *units)
                await until("the hub answers", person.has_no_server, 60)
                since = time.monotonic()
                try:
                    await person.start()
                except ProbeError as error:
                    raise AssertionError(f"clock {sign}{SKEW_SECONDS} s: {error}") from error
                await person.begin_work()
                await stage.recovers("the notebook answers", person.goes_on, since)
                await person.notebook.stop()
        finally:
            for unit in units:
                await stage.on("campus", "rm", "-f", f"/etc/systemd/system/{unit}.service.d/clock.conf")
            await restart(stage, *units)
            await until("the hub answers", person.has_no_server, 60)
        stage.saw("nothing: notebooks start as ever")


async def restart(stage: Stage, *units: str) -> None:
    """Restart units of the hub's host by their files as they are now."""
    await stage.on("campus", "systemctl", "daemon-reload")
    await stage.on("campus", "systemctl", "restart", *units)
