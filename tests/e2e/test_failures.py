# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a running notebook survives, and what never becomes an orphan."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.e2e.conftest import COMPUTE

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform


async def test_a_restart_of_the_hub_leaves_notebooks_usable(platform: Platform):
    async with platform.running("student1") as notebook:
        before = platform.jobs()
        platform.on("campus", "systemctl", "restart", "jupyterhub")
        await platform.until("the hub is back", notebook.has_server)
        assert await notebook.cell("print(40 + 2)") == "42"
        assert platform.jobs() == before
    await platform.until("the adopted job can be stopped", lambda: platform.jobs() == [])


async def test_a_restart_of_the_proxy_leaves_notebooks_usable(platform: Platform):
    async with platform.running("student1") as notebook:
        platform.on("campus", "systemctl", "restart", "jupyterhub-proxy")

        async def works() -> bool:
            return await notebook.cell("print(40 + 2)") == "42"

        await platform.until("the notebook answers again", works, 90)


async def test_a_killed_tunnel_comes_back(platform: Platform):
    async with platform.running("student1") as notebook:
        node = await notebook.node()
        platform.on(node, "pkill", "-KILL", "-u", "hpcampus", "-x", "ssh")

        async def works() -> bool:
            return await notebook.cell("print(40 + 2)") == "42"

        await platform.until("the notebook answers again", works, 30)


async def test_a_query_that_fails_means_unknown(platform: Platform):
    async with platform.running("student1") as notebook:
        platform.on("login", "systemctl", "stop", "slurmctld")
        try:
            await asyncio.sleep(20)
            assert await notebook.has_server()
            assert await notebook.cell("print(40 + 2)") == "42"
        finally:
            platform.on("login", "systemctl", "start", "slurmctld")
        await asyncio.sleep(8)
        assert await notebook.has_server()


async def test_a_lost_login_node_means_unknown(platform: Platform):
    async with platform.running("student1") as notebook:
        platform.on("login", "systemctl", "stop", "ssh.socket", "ssh.service", good=(0, 1, 5))
        platform.on("login", "pkill", "-KILL", "-u", "hpcampus", "-f", "gateway", good=(0, 1))
        try:
            await asyncio.sleep(15)
            assert await notebook.has_server()
            assert await notebook.cell("print(40 + 2)") == "42"
        finally:
            platform.on("login", "systemctl", "start", "ssh")
        await platform.until("the link is back", notebook.has_server, 30)


async def test_a_job_that_waits_while_the_hub_restarts_is_no_orphan(platform: Platform):
    for node in COMPUTE:
        platform.on("login", "scontrol", "update", f"nodename={node}", "state=drain", "reason=test")
    notebook = platform.notebook("student1")
    try:
        await notebook.login()
        answer = await notebook.ask("POST", "/hub/api/users/student1/server", json={})
        assert answer.code == 202
        await platform.until("the job waits", lambda: len(platform.jobs()) == 1)
        (comment,) = platform.jobs()
        platform.on("campus", "systemctl", "restart", "jupyterhub")
        await platform.until("the hub is back", notebook.has_server)
        for node in COMPUTE:
            platform.on("login", "scontrol", "update", f"nodename={node}", "state=resume")

        async def settled() -> bool:
            """Either adopted, and then it works, or cancelled, and then nothing is left."""
            if platform.jobs() == []:
                return not await notebook.has_server()
            assert platform.jobs() == [comment]
            return await notebook.cell("print(40 + 2)") == "42"

        await platform.until("the job is adopted or gone", settled, 150)
    finally:
        for node in COMPUTE:
            platform.lab.exec("login", ["scontrol", "update", f"nodename={node}", "state=resume"])
        await notebook.close()
    await platform.until("nothing is left", lambda: platform.jobs() == [])


async def test_a_cancelled_job_is_noticed(platform: Platform):
    async with platform.running("student1") as notebook:
        platform.on("login", "scancel", "--user", "hpcampus")

        async def gone() -> bool:
            return not await notebook.has_server()

        await platform.until("the hub knows that the server is gone", gone, 45)
