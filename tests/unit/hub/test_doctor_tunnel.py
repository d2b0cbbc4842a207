# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The doctor's legs of the way back against a real signer and a real ssh server: what is taken is given back."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest
import pytest_asyncio

from hpcampus_hub.doctor.finding import Said
from hpcampus_hub.doctor.tunnel import WayBack
from hpcampus_hub.settings import Tunnel
from tests.unit.hub.hub_process import free_port
from tests.unit.hub.signer_peer import SignerPeer


class Sshd(asyncssh.SSHServer):
    """The hub's sshd: lets a certificate of the authority listen on the ports that are allowed."""

    def __init__(self, way: "Way") -> None:
        self._way = way

    def begin_auth(self, username: str) -> bool:
        return username == "tunnel"

    def server_requested(self, listen_host: str, listen_port: int) -> bool:
        return listen_host == "127.0.0.1" and self._way.allowed(listen_port)


class Way:
    """Signer, registry and sshd of a test; ``allowed`` says which ports sshd lets a certificate listen on."""

    def __init__(self, registry: Path, signer: SignerPeer, directory: Path) -> None:
        self.registry = registry
        self.allowed: Callable[[int], bool] = lambda port: (registry / str(port)).exists()
        self.ca_file = directory / "ca.pub"
        signer._ca.write_public_key(self.ca_file)
        self._host_key = asyncssh.generate_private_key("ssh-ed25519")
        self.tunnel = Tunnel(
            "127.0.0.1", 0, (self.public(self._host_key),), "tunnel", 21000, 21099, str(registry), str(signer.path)
        )

    @staticmethod
    def public(key: asyncssh.SSHKey) -> str:
        return " ".join(key.export_public_key("openssh").decode().split()[:2])

    async def start(self) -> asyncssh.SSHAcceptor:
        principals = ",".join(f"spawn-{port}" for port in range(self.tunnel.port_min, self.tunnel.port_max + 1))
        keys = f'cert-authority,principals="{principals}" {self.ca_file.read_text()}'
        acceptor = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=lambda: Sshd(self),
            server_host_keys=[self._host_key],
            authorized_client_keys=asyncssh.import_authorized_keys(keys),
        )
        self.tunnel = replace(self.tunnel, port=acceptor.get_port())
        return acceptor

    async def look(self, leg: str, **changes: Any) -> Said:
        """What a leg says; nothing may stay in the registry."""
        said: Said = await getattr(WayBack(replace(self.tunnel, **changes), self.ca_file), leg)()
        assert list(self.registry.iterdir()) == []
        return said


@pytest_asyncio.fixture
async def way(registry: Path, signer: SignerPeer, tmp_path: Path) -> AsyncIterator[Way]:
    way = Way(registry, signer, tmp_path)
    acceptor = await way.start()
    yield way
    acceptor.close()


async def test_a_healthy_way_back(way: Way, signer: SignerPeer) -> None:
    ports, signed, login = [await way.look(leg) for leg in ("ports", "signer", "login")]
    assert [said.verdict for said in (ports, signed, login)] == ["ok", "ok", "ok"]
    assert ports.seen == "0 of 100 tunnel ports in use"
    assert login.seen.startswith(f"127.0.0.1:{way.tunnel.port} lets a certificate listen on port 210")
    assert {request["seconds"] for request in signer.requests} == {120}


async def test_ports_that_run_out(way: Way, registry: Path) -> None:
    few = WayBack(replace(way.tunnel, port_min=21000, port_max=21001), way.ca_file)
    (registry / "21000").write_text("1\n")
    assert (await few.ports()).seen == "1 of 2 tunnel ports in use"
    (registry / "21001").write_text("1\n")
    none = await few.ports()
    assert (none.verdict, "all tunnel ports 21000-21001 are in use" in none.seen) == ("broken", True)
    (registry / "21000").unlink()
    (registry / "21001").unlink()


async def test_a_registry_that_is_gone(way: Way) -> None:
    said = await WayBack(replace(way.tunnel, registry_dir="/nowhere"), way.ca_file).ports()
    assert said.verdict == "broken"
    assert "cannot be written" in said.seen


async def test_a_signer_that_refuses_or_is_away(way: Way, signer: SignerPeer) -> None:
    signer.answer = b'{"error": "PermissionError: uid 33 may not ask"}\n'
    said = await way.look("signer")
    assert said.seen == "the certificate signer refused: PermissionError: uid 33 may not ask"
    assert "journalctl -u hpcampus-signer" in said.cure
    away = await way.look("signer", signer_socket="/nowhere.sock")
    assert "cannot be reached" in away.seen


async def test_a_signer_with_another_authority(way: Way) -> None:
    asyncssh.generate_private_key("ssh-ed25519").write_public_key(way.ca_file)
    said = await way.look("signer")
    assert said.seen == f"signs with another key than the one in {way.ca_file} that sshd trusts"
    way.ca_file.unlink()
    assert (await way.look("signer")).verdict == "ok"


async def test_sshd_that_shows_another_host_key(way: Way) -> None:
    other = way.public(asyncssh.generate_private_key("ssh-ed25519"))
    said = await way.look("login", host_keys=(other,))
    assert said.seen == f"127.0.0.1:{way.tunnel.port} shows another host key than jobs are told to expect"


async def test_sshd_that_does_not_trust_the_authority(way: Way, signer: SignerPeer) -> None:
    signer._ca = asyncssh.generate_private_key("ssh-ed25519")
    said = await way.look("login")
    assert said.seen == f"127.0.0.1:{way.tunnel.port} refuses tunnel with a fresh certificate"


async def test_sshd_that_lets_nobody_listen(way: Way) -> None:
    way.allowed = lambda _port: False
    said = await way.look("login")
    assert f"127.0.0.1:{way.tunnel.port} lets tunnel in, but not listen on port" in said.seen


async def test_sshd_that_lets_everybody_listen_everywhere(way: Way) -> None:
    way.allowed = lambda _port: True
    said = await way.look("login")
    assert said.verdict == "broken"
    assert "listen on port 210" in said.seen
    assert said.seen.endswith("as well")


async def test_an_address_that_is_not_reached_from_here(way: Way, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpcampus_hub.doctor.tunnel.SILENT_SECONDS", 2.0)
    said = await way.look("login", host="hub.invalid")
    assert (said.verdict, said.seen) == (
        "warning",
        f"works on 127.0.0.1:{way.tunnel.port}, but hub.invalid:{way.tunnel.port} cannot be reached from this host",
    )
    assert f"nc -vz hub.invalid {way.tunnel.port}" in said.cure
    closed = await way.look("login", port=free_port())
    assert closed.verdict == "broken"
    assert "systemctl restart ssh" in closed.cure
