# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One login node, one signer and one hub for all tests of a module.

A module takes the fixtures under their usual names, and says with a fixture ``prepare`` how its hub is set before it starts::

    login_node, signer, hub = shared.FIXTURES


    @pytest.fixture(scope="module")
    def prepare(new_hub: HubProcess) -> None:
        new_hub.settings["grace"] = 0.5
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.unit.hub.hub_process import HubProcess
from tests.unit.hub.login_node import LoginNode
from tests.unit.hub.makers import make_hub, make_login_node, make_signer
from tests.unit.hub.signer_peer import SignerPeer
from tests.unit.hub.zygote import Zygote


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def login_node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LoginNode]:
    async with make_login_node(tmp_path_factory.mktemp("cluster")) as node:
        yield node


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def signer(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[SignerPeer]:
    async with make_signer(tmp_path_factory.mktemp("signer")) as peer:
        yield peer


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def new_hub(
    tmp_path_factory: pytest.TempPathFactory, login_node: LoginNode, signer: SignerPeer, zygote: Zygote
) -> AsyncIterator[HubProcess]:
    """The hub of the module, not yet started."""
    async with make_hub(tmp_path_factory.mktemp("hub"), login_node, signer, zygote) as process:
        yield process


@pytest.fixture(scope="module")
def prepare() -> None:
    """Leave the hub as it is made."""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(new_hub: HubProcess, prepare: None) -> HubProcess:  # noqa: ARG001 (it comes first)
    """The hub of the module, which runs."""
    await new_hub.start()
    return new_hub


FIXTURES = (login_node, signer, hub)
