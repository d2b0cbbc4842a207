# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A signer for tests: answers as the tunnel role's service does."""

import asyncio
import json
from pathlib import Path
from typing import Any

import asyncssh


class SignerPeer:
    """Signs every key it is asked for and remembers the requests; ``answer`` replaces its answer."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.requests: list[dict[str, Any]] = []
        self.answer: bytes | None = None
        self.sign_for = ""
        """The account to sign for instead of the one asked for."""
        self._ca = asyncssh.generate_private_key("ssh-ed25519")
        self._server: asyncio.Server | None = None

    @property
    def public_key(self) -> str:
        return " ".join(self._ca.export_public_key("openssh").decode().split()[:2])

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, str(self.path))

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()

    def sign(self, request: dict[str, Any]) -> str:
        key = asyncssh.import_public_key(request["pubkey"])
        if "account" in request:
            account = self.sign_for or request["account"]
            return (
                self._ca.generate_user_certificate(  # as the signer of accounts does
                    key,
                    f"hub:{account}",
                    principals=[account],
                    valid_before="+5m",
                    force_command="gateway",
                    permit_pty=False,
                )
                .export_certificate("openssh")
                .decode()
            )
        principal = f"spawn-{request['port']}"
        certificate = self._ca.generate_user_certificate(
            key,
            principal,
            principals=[principal],
            serial=request["serial"] % 2**63,
            valid_before=f"+{request['seconds']}s",
        )
        return certificate.export_certificate("openssh").decode()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = json.loads(await reader.readline())
        self.requests.append(request)
        writer.write(
            self.answer if self.answer is not None else json.dumps({"cert": self.sign(request)}).encode() + b"\n"
        )
        await writer.drain()
        writer.close()
