# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Keys and certificates for tunnels: a key made in this process, signed by the small service that holds the CA.

The service answers one JSON line, ``{"port", "serial", "seconds", "pubkey"}``, with ``{"cert"}`` or ``{"error"}``.
"""

import asyncio
import json
from dataclasses import dataclass, field

import asyncssh

_TIMEOUT_SECONDS = 10.0
_MOST_BYTES = 16 * 1024


class SignerError(Exception):
    """No certificate; the text says why and what to do."""


@dataclass(frozen=True)
class Credential:
    """A private key in OpenSSH's form and the certificate for it."""

    private_key: str = field(repr=False)
    certificate: str = field(repr=False)


async def _ask(socket_path: str, request: dict[str, object]) -> dict[str, object]:
    """One question to the signer."""
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reader, writer = await asyncio.open_unix_connection(socket_path, limit=_MOST_BYTES)
            try:
                writer.write(json.dumps(request).encode("ascii") + b"\n")
                await writer.drain()
                line = await reader.readline()
            finally:
                writer.close()
        answer = json.loads(line)
    except TimeoutError:
        raise SignerError(f"the certificate signer at {socket_path} does not answer; see its unit's journal") from None
    except OSError as error:
        raise SignerError(
            f"the certificate signer at {socket_path} cannot be reached ({error.strerror}); run the tunnel step again"
        ) from error
    except ValueError:
        raise SignerError("the certificate signer did not answer in JSON; see its unit's journal") from None
    if not isinstance(answer, dict):
        raise SignerError("the certificate signer did not answer with an object; see its unit's journal")
    return answer


async def make_credential(socket_path: str, port: int, serial: int, seconds: int) -> Credential:
    """Make a key and have it certified for one port.

    Args:
        socket_path: the signer's socket.
        port: loopback port of the hub that the certificate opens.
        serial: the certificate's serial, as the registry holds it.
        seconds: for how long the certificate is good.

    Returns:
        Key and certificate.

    Raises:
        SignerError: the signer cannot be reached, refused, or signed something else.
    """
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
    answer = await _ask(socket_path, {"port": port, "serial": serial, "seconds": seconds, "pubkey": public})
    certificate = answer.get("cert")
    if not isinstance(certificate, str):
        raise SignerError(f"the certificate signer refused: {str(answer.get('error', 'no reason given'))[:300]}")
    try:
        signed_for = asyncssh.import_certificate(certificate).key.public_data
    except (asyncssh.KeyImportError, ValueError):
        raise SignerError("what the certificate signer sent is not a certificate; see its unit's journal") from None
    if signed_for != key.public_data:
        raise SignerError("the certificate signer signed another key; see its unit's journal")
    return Credential(key.export_private_key("openssh").decode("ascii"), certificate.strip())


async def make_account_keys(socket_path: str, account: str) -> list[tuple[asyncssh.SSHKey, asyncssh.SSHCertificate]]:
    """Make a key and have it certified for one account of a cluster, for some minutes; neither is ever written down.

    Args:
        socket_path: the socket of the signer of accounts.
        account: the Unix account.

    Returns:
        What asyncssh takes as client keys.

    Raises:
        SignerError: the signer cannot be reached, refused, or signed something else.
    """
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = " ".join(key.export_public_key("openssh").decode("ascii").split()[:2])
    answer = await _ask(socket_path, {"account": account, "pubkey": public})
    certificate = answer.get("cert")
    if not isinstance(certificate, str):
        raise SignerError(f"no certificate for account {account}: {str(answer.get('error', 'no reason given'))[:300]}")
    try:
        signed = asyncssh.import_certificate(certificate)
    except (asyncssh.KeyImportError, ValueError):
        raise SignerError("what the signer of accounts sent is not a certificate; see its unit's journal") from None
    principals = list(getattr(signed, "principals", ()))  # of OpenSSH certificates only
    if signed.key.public_data != key.public_data or principals != [account]:
        raise SignerError("the signer of accounts signed something else; see its unit's journal")
    return [(key, signed)]
