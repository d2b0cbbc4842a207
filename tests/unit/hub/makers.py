# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Makers of the peers and of the hub, for fixtures of any scope."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path

from jupyterhub.auth import Authenticator

from hpcampus_hub.auth import AccountsFileAuthenticator
from tests.unit.hub.hub_process import HubProcess
from tests.unit.hub.login_node import LoginNode
from tests.unit.hub.signer_peer import SignerPeer
from tests.unit.hub.zygote import Zygote


@contextlib.asynccontextmanager
async def make_login_node(directory: Path, trusted_ca: str = "") -> AsyncIterator[LoginNode]:
    """An ssh server on loopback whose forced command speaks the gateway's protocol."""
    node = LoginNode(directory / "login")
    node.trusted_ca = trusted_ca
    await node.start()
    yield node
    await node.close()


@contextlib.asynccontextmanager
async def make_signer(directory: Path) -> AsyncIterator[SignerPeer]:
    """A signer with a CA of its own."""
    peer = SignerPeer(directory / "signer.sock")
    await peer.start()
    yield peer
    await peer.close()


@contextlib.asynccontextmanager
async def make_hub(directory: Path, node: LoginNode, peer: SignerPeer, zygote: Zygote) -> AsyncIterator[HubProcess]:
    """A hub that is configured for the login node, not yet started."""
    process = HubProcess(directory / "hub", node, peer.path, zygote)
    yield process
    await process.stop()


class AnyName(AccountsFileAuthenticator):
    """Lets an administrator make accounts of any name that JupyterHub itself allows."""

    def validate_username(self, username: str) -> bool:
        """Ask JupyterHub only."""
        return Authenticator.validate_username(self, username)

    def normalize_username(self, username: str) -> str:
        """Leave it as it is."""
        return username
