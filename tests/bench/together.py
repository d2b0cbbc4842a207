# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Twenty students press the button at the same moment. Needs the demo: `make demo`."""

from __future__ import annotations

import asyncio
import statistics
import time
from typing import TYPE_CHECKING

from hpcampus_hub.probe import Client, ProbeError
from tests.e2e.conftest import find_platform

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

ADMIN = "admin"


def measure(students: int) -> None:
    """Start as many servers at once, tell when each was ready, and take everything away again."""
    asyncio.run(_measure(find_platform(), [f"bench{number:02}" for number in range(students)]))


async def _measure(platform: Platform, names: list[str]) -> None:
    clients = [Client(platform.url, ADMIN, platform.context, owner=name) for name in names]
    try:
        for client, name in zip(clients, names, strict=True):
            await client.login(platform.passwords[ADMIN])
            await client.fetch("user", "POST", f"/hub/api/users/{name}", (201, 409))
        began = time.monotonic()
        found = await asyncio.gather(*(_ready(client, began) for client in clients))
        ready = sorted(seconds for seconds in found if seconds is not None)
        print(f"{len(ready)} of {len(names)} ready, {len(names) - len(ready)} failed")
        if ready:
            print(f"first {ready[0]:.1f} s  median {statistics.median(ready):.1f} s  last {ready[-1]:.1f} s")
    finally:
        for client, name in zip(clients, names, strict=True):
            await _remove(client, name)


async def _ready(client: Client, began: float) -> float | None:
    try:
        await client.spawn({})
    except ProbeError as error:
        print(error, flush=True)
        return None
    return time.monotonic() - began


async def _remove(client: Client, name: str) -> None:
    if await client.has_server():
        await client.stop_server(120)
    await client.fetch("user", "DELETE", f"/hub/api/users/{name}", (204, 404))
    await client.logout()
    client.close()
