# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Key and certificate: made here, signed there, checked here."""

import json
from pathlib import Path

import asyncssh
import pytest

from hpcampus_hub.signer import SignerError, make_credential
from tests.unit.hub.signer_peer import SignerPeer


async def test_a_certificate_for_a_key_that_was_never_sent(signer: SignerPeer) -> None:
    credential = await make_credential(str(signer.path), 20000, 2**62 + 1, 3600)
    (request,) = signer.requests
    assert {name: request[name] for name in ("port", "serial", "seconds")} == {
        "port": 20000,
        "serial": 2**62 + 1,
        "seconds": 3600,
    }
    assert request["pubkey"].split()[0] == "ssh-ed25519"
    assert len(request["pubkey"].split()) == 2
    assert set(request) == {"port", "serial", "seconds", "pubkey"}
    key = asyncssh.import_private_key(credential.private_key)
    assert credential.private_key.startswith("-----BEGIN OPENSSH PRIVATE KEY-----\n")
    assert asyncssh.import_certificate(credential.certificate).key.public_data == key.public_data
    assert "PRIVATE" not in repr(credential)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b'{"error": "PermissionError: uid 33"}\n', "refused: PermissionError"),
        (b"{}\n", "no reason given"),
        (b"oops\n", "JSON"),
        (b"[]\n", "object"),
        (b"", "JSON"),
        (b'{"cert": "ssh-ed25519 AAAA"}\n', "not a certificate"),
        (b"x" * 20000, "JSON"),
    ],
)
async def test_an_answer_that_is_no_certificate_is_told(signer: SignerPeer, answer: bytes, message: str) -> None:
    signer.answer = answer
    with pytest.raises(SignerError, match=message):
        await make_credential(str(signer.path), 20000, 1, 3600)


async def test_a_certificate_for_another_key_is_not_taken(signer: SignerPeer) -> None:
    other = asyncssh.generate_private_key("ssh-ed25519").export_public_key("openssh").decode()
    certificate = signer.sign({"pubkey": other, "port": 20000, "serial": 1, "seconds": 60})
    signer.answer = json.dumps({"cert": certificate}).encode() + b"\n"
    with pytest.raises(SignerError, match="another key"):
        await make_credential(str(signer.path), 20000, 1, 3600)


async def test_a_missing_signer_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SignerError, match="tunnel step"):
        await make_credential(str(tmp_path / "none.sock"), 20000, 1, 3600)
