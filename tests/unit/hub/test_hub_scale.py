# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Many servers: one ssh session and one question to Slurm per interval, and a hub that rests while they do."""

import asyncio
import time

import pytest

from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = [pytest.mark.asyncio, pytest.mark.processes]

SERVERS = 200
FAST, SLOW, REAPER = 0.3, 5.0, 15.0
# 2.05 % were measured on a machine that was busy with other tests.
CORE_SHARE = 0.04


def queries(login_node: LoginNode) -> int:
    return sum(call["op"] == "list" for call in login_node.calls)


async def test_the_link_does_not_grow_with_the_jobs(hub: HubProcess, login_node: LoginNode) -> None:
    """With the pauses of a real site."""
    hub.settings |= {
        "query_fast": FAST,
        "query_slow": SLOW,
        "reaper_pause": REAPER,
        "start_timeout": 120,
    }
    users = [f"u{number:03}" for number in range(SERVERS)]
    hub.write_accounts(*users)
    await hub.start()

    async def all_ready() -> bool:
        return login_node.jobs_running() == SERVERS and await hub.ready_count() == SERVERS

    before, began = queries(login_node), time.monotonic()
    for some in (users[:100], users[100:]):
        await asyncio.gather(*(hub.spawn(user) for user in some))
    await until(all_ready, 90)
    seconds = time.monotonic() - began
    assert login_node.sessions == 1
    assert queries(login_node) - before <= seconds / FAST + 2

    await asyncio.sleep(SLOW)
    before, cpu, began = queries(login_node), hub.cpu_seconds(), time.monotonic()
    await asyncio.sleep(4 * SLOW)
    seconds = time.monotonic() - began
    share = (hub.cpu_seconds() - cpu) / seconds
    asked = queries(login_node) - before
    print(
        f"{SERVERS} idle servers: {share:.2%} of a core, {asked} queries in {seconds:.0f} s, {login_node.sessions} session"
    )
    assert 1 <= asked <= seconds / SLOW + 1
    assert login_node.sessions == 1
    assert share < CORE_SHARE, f"{share:.1%} of a core"
    assert await hub.ready_count() == SERVERS
