# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course service on loopback, with a stand-in of the hub."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.unit.courses.site import Site


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    """Two courses: py1 with all kinds of members, and bio2 with others."""
    site = Site(tmp_path)
    yield site
    await site.close()
