# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The signer: strict fields, the right caller, and certificates that ssh-keygen reads as they should be."""

import json
import os
import pwd
import re
import socket
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tunnel.loading import load

signer = load("signer")

PUBKEY = "ssh-ed25519 " + "A" * 68
ME = pwd.getpwuid(os.getuid()).pw_name


def limits(ca_key: str = "/nowhere", users: frozenset[str] = frozenset({ME})) -> object:
    return signer.Limits(ca_key, users, 20000, 24999, 86400)


def line(**changes: object) -> bytes:
    return json.dumps({"port": 20017, "serial": 5, "seconds": 3600, "pubkey": PUBKEY, **changes}).encode() + b"\n"


def refused(request: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (every message is a text of the field at fault)
        signer.check_request(request, limits())


def test_good_request_passes() -> None:
    assert signer.check_request(line(), limits()) == (20017, 5, 3600, PUBKEY)


@pytest.mark.parametrize("field", ["port", "serial", "seconds"])
@given(value=st.one_of(st.none(), st.booleans(), st.floats(allow_nan=False), st.text(), st.lists(st.integers())))
def test_numbers_must_be_integers(field: str, value: object) -> None:
    refused(line(**{field: value}))


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("port", 19999),
        ("port", 25000),
        ("port", -1),
        ("serial", 0),
        ("serial", 2**63),
        ("seconds", 59),
        ("seconds", 86401),
    ],
)
def test_numbers_must_lie_in_range(field: str, value: int) -> None:
    refused(line(**{field: value}))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "ssh-rsa " + "A" * 68,
        PUBKEY + " comment",
        PUBKEY + "\n",
        PUBKEY + "\n" + PUBKEY,
        "ssh-ed25519 " + "A" * 67,
        'command="id" ' + PUBKEY,
        " " + PUBKEY,
        "ssh-ed25519-cert-v01@openssh.com " + "A" * 68,
        None,
        7,
        [PUBKEY],
    ],
)
def test_public_keys_are_one_line_of_one_kind(value: object) -> None:
    refused(line(pubkey=value))


@given(name=st.text().filter(lambda text: text not in signer.FIELDS))
def test_unknown_fields_are_refused(name: str) -> None:
    refused(line(**{name: 1}))


@pytest.mark.parametrize("field", signer.FIELDS)
def test_missing_fields_are_refused(field: str) -> None:
    request = json.loads(line())
    del request[field]
    refused(json.dumps(request).encode())


@given(data=st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    refused(data)


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("ca")
    for name in ("ca", "job"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", folder / name], check=True)
    return folder


def ask(request: bytes, limit: object) -> dict[str, str]:
    """Send bytes to the signer's answering function over a real socket pair."""
    ours, theirs = socket.socketpair(socket.AF_UNIX)
    with ours, theirs:
        ours.sendall(request)
        ours.shutdown(socket.SHUT_WR)
        found: dict[str, str] = signer.answer(theirs, limit)
        return found


def test_the_certificate_says_what_it_must(ca: Path) -> None:
    pubkey = " ".join((ca / "job.pub").read_text().split()[:2])
    answer = ask(line(pubkey=pubkey), limits(str(ca / "ca")))
    assert set(answer) == {"cert"}
    assert len(answer["cert"].split()) == 2
    (ca / "shown.pub").write_text(answer["cert"] + "\n")
    argv = ["ssh-keygen", "-L", "-f", str(ca / "shown.pub")]
    shown = subprocess.run(argv, capture_output=True, text=True, check=True, env={"TZ": "UTC"}).stdout
    assert re.search(r'Key ID: "spawn-20017"', shown)
    assert re.search(r"Serial: 5\n", shown)
    assert re.search(r"Principals: \n\s+spawn-20017\n\s+Critical Options: \(none\)", shown)
    assert re.search(r"Extensions: \n\s+permit-port-forwarding\s*\Z", shown)
    found = re.search(r"Valid: from (\S+) to (\S+)", shown)
    assert found is not None
    begins, ends = (datetime.fromisoformat(time).replace(tzinfo=UTC) for time in found.groups())
    assert begins < datetime.now(UTC) - timedelta(minutes=5), "a clock that goes back by five minutes refuses no job"
    assert begins < ends


def test_others_are_refused(ca: Path) -> None:
    answer = ask(line(), limits(str(ca / "ca"), users=frozenset({"somebody"})))
    assert answer["error"].startswith("PermissionError")


def test_a_key_that_is_none_is_refused_without_details(ca: Path) -> None:
    answer = ask(line(), limits(str(ca / "ca")))
    assert answer == {"error": "CalledProcessError: see the signer's journal"}


@pytest.mark.parametrize("request_", [b"", b"{}", b"x" * 5000 + b"\n", b'{"port": 1}\n', b"[" * 4000 + b"\n"])
def test_bad_requests_are_answered(request_: bytes) -> None:
    assert set(ask(request_, limits())) == {"error"}


def test_the_service_outlives_callers_that_go_away(tmp_path: Path, ca: Path) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    threading.Thread(target=signer.serve, args=(listener, limits(str(ca / "ca"))), daemon=True).start()
    with socket.socket(socket.AF_UNIX) as rude:
        rude.connect(str(tmp_path / "s"))
    pubkey = " ".join((ca / "job.pub").read_text().split()[:2])
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(tmp_path / "s"))
        client.sendall(line(pubkey=pubkey))
        assert "cert" in json.loads(client.makefile().readline())
