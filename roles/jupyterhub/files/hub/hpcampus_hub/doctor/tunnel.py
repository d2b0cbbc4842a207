# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Legs of the way back: a real port, a real certificate, and a real login of the tunnel user, all given back at the end."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncssh

from hpcampus_hub.link import host_key_algorithms
from hpcampus_hub.ports import LOOPBACK, Lease, NoPortError, PortRegistry, is_free
from hpcampus_hub.settings import Tunnel
from hpcampus_hub.signer import Credential, SignerError, make_credential

from .finding import Said
from .network import SILENT_SECONDS, reason
from .words import say

_CERTIFICATE_SECONDS = 120
_FEW = 0.9


@dataclass(frozen=True)
class WayBack:
    """The legs of the way back; ``ca_file`` holds the authority that sshd trusts."""

    tunnel: Tunnel
    ca_file: Path

    async def ports(self) -> Said:
        """The registry can be written, and ports are left."""
        registry = self._open()
        try:
            registry.release(registry.take())
        except NoPortError as error:
            return say("ports.none", error=error)
        count = self.tunnel.port_max - self.tunnel.port_min + 1
        used = sum(1 for _ in registry.entries())
        return say("ports.few" if used > _FEW * count else "ports.good", used=used, count=count)

    async def signer(self) -> Said:
        """The signer signs, with the key that sshd trusts."""
        try:
            async with self._credential() as (lease, credential):
                certificate = asyncssh.import_certificate(credential.certificate)
        except (NoPortError, SignerError) as error:
            return say("signer.broken", error=error)
        if not self._is_trusted(certificate):
            return say("signer.other-ca", path=self.ca_file)
        return say("signer.good", port=lease.port)

    async def login(self) -> Said:
        """A certificate opens its one port at sshd, at the address by which jobs come."""
        tunnel = self.tunnel
        try:
            async with self._credential() as (lease, credential):
                said = await self._try(tunnel.host, lease, credential)
                if isinstance(said, Said):
                    return said
                # Behind address translation a host may not reach its own public address.
                inside = await self._try(LOOPBACK, lease, credential)
        except (NoPortError, SignerError) as error:
            return say("signer.broken", error=error)
        where = {"host": tunnel.host, "port": tunnel.port}
        if isinstance(inside, Said) and inside.verdict.carries:
            return say("tunnel.not-from-here", **where)
        return inside if isinstance(inside, Said) else say("tunnel.silent", **where, error=said)

    async def _try(self, host: str, lease: Lease, credential: Credential) -> Said | str:
        """Log in and listen; a text says why the address cannot be reached at all."""
        tunnel = self.tunnel
        where = {"host": host, "port": tunnel.port}
        keys = [asyncssh.import_public_key(key) for key in tunnel.host_keys]
        identity = (
            asyncssh.import_private_key(credential.private_key),
            asyncssh.import_certificate(credential.certificate),
        )
        try:
            connection = await asyncssh.connect(
                host,
                tunnel.port,
                username=tunnel.user,
                client_keys=[identity],
                known_hosts=(keys, [], []),
                server_host_key_algs=[name for key in tunnel.host_keys for name in host_key_algorithms(key)],
                config=None,
                agent_path=None,
                preferred_auth="publickey",
                connect_timeout=SILENT_SECONDS,
                login_timeout=SILENT_SECONDS,
            )
        except (asyncssh.HostKeyNotVerifiable, asyncssh.KeyExchangeFailed):
            return say("tunnel.host-key", **where)
        except asyncssh.PermissionDenied:
            return say("tunnel.refused", **where, user=tunnel.user)
        except (OSError, asyncssh.Error) as error:
            return reason(error)
        async with connection:
            if not await _listens(connection, lease.port):
                return say("tunnel.no-listen", **where, user=tunnel.user, listen=lease.port)
            other = self._another(lease.port)
            if other is not None and await _listens(connection, other):
                return say("tunnel.too-much", **where, listen=lease.port, other=other)
        return say("tunnel.good", **where, listen=lease.port)

    def _open(self) -> PortRegistry:
        return PortRegistry(self.tunnel.registry_dir, self.tunnel.port_min, self.tunnel.port_max)

    @contextlib.asynccontextmanager
    async def _credential(self) -> AsyncIterator[tuple[Lease, Credential]]:
        """A port with its certificate; the port is given back."""
        registry = self._open()
        lease = registry.take()
        try:
            yield (
                lease,
                await make_credential(self.tunnel.signer_socket, lease.port, lease.serial, _CERTIFICATE_SECONDS),
            )
        finally:
            registry.release(lease)

    def _another(self, port: int) -> int | None:
        """A port of the range that nothing listens on and that is not the given one."""
        tunnel = self.tunnel
        return next(
            (other for other in range(tunnel.port_min, tunnel.port_max + 1) if other != port and is_free(other)), None
        )

    def _is_trusted(self, certificate: Any) -> bool:
        """Whether the certificate is signed by a key in the file; a file that cannot be read is sshd's own leg."""
        try:
            lines = self.ca_file.read_text(encoding="ascii").splitlines()
        except (OSError, UnicodeDecodeError):
            return True
        keys = [asyncssh.import_public_key(line) for line in lines if line.strip() and not line.startswith("#")]
        return certificate.signing_key in keys


async def _listens(connection: asyncssh.SSHClientConnection, port: int) -> bool:
    """Whether sshd lets this connection listen on a loopback port; it is closed at once."""
    try:
        listener = await connection.forward_remote_port(LOOPBACK, port, LOOPBACK, 1)
    except (asyncssh.ChannelListenError, OSError):
        return False
    listener.close()
    return True
