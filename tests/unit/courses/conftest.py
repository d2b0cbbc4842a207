# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course service on loopback, with a stand-in of the hub."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.unit.courses.hub_stand_in import HubStandIn
from tests.unit.courses.nursery import Nursery
from tests.unit.courses.service_process import ServiceProcess
from tests.unit.courses.site import Site


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two courses, py1 with all kinds of members and bio2 with others, in the process of the test."""
    site = Site(tmp_path)
    yield site
    await site.close()


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    """A process that has imported the service."""
    parent = Nursery()
    yield parent
    parent.close()


@pytest_asyncio.fixture
async def process(tmp_path: Path, nursery: Nursery) -> AsyncIterator[ServiceProcess]:
    """The same in a process of its own, not yet started."""
    hub = HubStandIn()
    process = ServiceProcess(tmp_path, hub, nursery)
    yield process
    await process.stop()
    await hub.close()
