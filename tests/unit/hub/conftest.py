# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A cluster's login node and a signer on loopback, and a real hub that uses them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.unit.hub.hub_process import HubProcess
from tests.unit.hub.login_node import LoginNode
from tests.unit.hub.makers import make_hub, make_login_node, make_signer
from tests.unit.hub.shared import new_hub, prepare  # noqa: F401 (fixtures of the modules that share a hub)
from tests.unit.hub.signer_peer import SignerPeer
from tests.unit.hub.zygote import Zygote


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """A process that has imported the hub."""
    parent = Zygote()
    yield parent
    parent.close()


@pytest_asyncio.fixture
async def login_node(tmp_path: Path) -> AsyncIterator[LoginNode]:
    async with make_login_node(tmp_path) as node:
        yield node


@pytest_asyncio.fixture
async def signer(tmp_path: Path) -> AsyncIterator[SignerPeer]:
    async with make_signer(tmp_path) as peer:
        yield peer


@pytest_asyncio.fixture
async def hub(tmp_path: Path, login_node: LoginNode, signer: SignerPeer, zygote: Zygote) -> AsyncIterator[HubProcess]:
    async with make_hub(tmp_path, login_node, signer, zygote) as process:
        yield process


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """An empty port registry."""
    path = tmp_path / "registry"
    path.mkdir()
    return path
