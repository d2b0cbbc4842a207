# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A cluster's login node and a signer on loopback, and a real hub that uses them."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.unit.hub.hub_process import HubProcess
from tests.unit.hub.login_node import LoginNode
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
    """An ssh server on loopback whose forced command speaks the gateway's protocol."""
    node = LoginNode(tmp_path / "login")
    await node.start()
    yield node
    await node.close()


@pytest_asyncio.fixture
async def signer(tmp_path: Path) -> AsyncIterator[SignerPeer]:
    """A signer with a CA of its own."""
    peer = SignerPeer(tmp_path / "signer.sock")
    await peer.start()
    yield peer
    await peer.close()


@pytest_asyncio.fixture
async def hub(tmp_path: Path, login_node: LoginNode, signer: SignerPeer, zygote: Zygote) -> AsyncIterator[HubProcess]:
    """A hub that is configured for the login node, not yet started."""
    process = HubProcess(tmp_path / "hub", login_node, signer.path, zygote)
    yield process
    await process.stop()


@pytest.fixture
def registry(tmp_path: Path) -> Path:
    """An empty port registry."""
    path = tmp_path / "registry"
    path.mkdir()
    return path
