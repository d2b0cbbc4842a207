# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What befalls the login node, by which the hub reaches the cluster."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from tests.e2e.waiting import until
from tests.failures.stage import case

if TYPE_CHECKING:
    from tests.failures.stage import Stage

SSH_ROUND = "ssh down"
SSH_SECONDS = 75
WAITING_SECONDS = 10
HOST_KEY = "/etc/ssh/ssh_host_ed25519_key"
REFUSAL = "is not the pinned one; if it was renewed on purpose, run the hub step again"
KEPT = "/root/kept-host-key"


async def cut_sessions(stage: Stage) -> None:
    """End the hub's session on the login node."""
    await stage.on("login", "pkill", "-KILL", "-u", "hpcampus", "-f", "gateway", good=(0, 1))


async def stop_ssh(stage: Stage) -> float:
    """Stop sshd of the login node, and end the session that outlives it."""
    back = await stage.down("login", "ssh", SSH_SECONDS)
    await cut_sessions(stage)
    return back


@case(
    "ssh down, a notebook runs",
    round=SSH_ROUND,
    broken=f"sshd of the login node is stopped for {SSH_SECONDS} s",
    within=30,
)
async def ssh_down_while_running(stage: Stage) -> None:
    async with stage.working() as person:
        back = await stop_ssh(stage)
        await person.goes_on_until(back)
        stage.saw("nothing: cells go on")
        await stage.recovers("the notebook answers", person.goes_on, back)


@case(
    "ssh down, a start is asked for",
    round=SSH_ROUND,
    broken=f"sshd of the login node is stopped for {SSH_SECONDS} s",
    within=60,
)
async def ssh_down_while_starting(stage: Stage) -> None:
    async with stage.person() as person:
        back = await stop_ssh(stage)
        await stage.starts(person, back)
        stage.saw(f"the page waits and says: {person.told_of('Waiting')}")


@case(
    "login node rebooted",
    round="reboot",
    broken="the container with sshd and slurmctld is shut down and started again",
    within=90,
    people=2,
)
async def login_rebooted(stage: Stage) -> None:
    async with stage.working(0) as worker, stage.person(1) as newcomer:
        job = await stage.job()
        booting = asyncio.create_task(asyncio.to_thread(stage.platform.lab.restart, "login"))
        await asyncio.sleep(2)
        start = asyncio.create_task(newcomer.start())
        assert await worker.goes_on()
        stage.saw("who works: nothing, cells go on")
        await booting
        since = time.monotonic()
        await start
        await newcomer.begin_work()
        await stage.recovers("a start that was asked for meanwhile is ready", newcomer.goes_on, since)
        said = [text for text in newcomer.told() if text.startswith("Waiting")]
        stage.saw(f"who starts meanwhile: {said[0] if said else 'a longer start'}")
        assert await worker.goes_on()
        assert await stage.job() == job


@case(
    "login node's host key changed",
    round="host key",
    broken="sshd of the login node gets a new key; then the old one is put back",
    within=60,
    people=2,
)
async def host_key_changed(stage: Stage) -> None:
    async with stage.working(0) as worker, stage.person(1) as newcomer:
        await stage.meet("all work")
        await stage.meet("the proxy is back")
        await stage.on("login", "mkdir", "-p", "-m", "700", KEPT)
        await stage.on("login", "cp", "-p", HOST_KEY, f"{HOST_KEY}.pub", KEPT)
        await stage.on("login", "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", HOST_KEY, stdin="y\n")
        try:
            await stage.on("login", "systemctl", "restart", "ssh")
            since = (await stage.on("campus", "date", "+%s")).strip()
            await cut_sessions(stage)

            async def refused() -> bool:
                journal = (
                    "journalctl",
                    "--unit",
                    "jupyterhub",
                    "--since",
                    f"@{since}",
                    "--output",
                    "cat",
                    "--no-pager",
                )
                return REFUSAL in await stage.on("campus", *journal)

            await until("the hub refuses the login node", refused, 40)
            start = asyncio.create_task(newcomer.start())
            await asyncio.sleep(WAITING_SECONDS)
            assert not start.done(), "nothing can start so far"
            assert await worker.goes_on()
            stage.saw("who works: nothing, cells go on")
        finally:
            await stage.on("login", "sh", "-c", f"cp -p {KEPT}/ssh_host_ed25519_key* /etc/ssh/")
            await stage.on("login", "rm", "-r", KEPT)
            await stage.on("login", "systemctl", "restart", "ssh")
        back = time.monotonic()
        await start
        await newcomer.begin_work()
        await stage.recovers("the start goes on", newcomer.goes_on, back)
        said = newcomer.told_of("Waiting")
        assert REFUSAL in said
        stage.saw(f"who starts: {said}")
