# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The signer: strict fields, the right caller, and certificates that ssh-keygen reads as they should be."""

import json
import re
import socket
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.tunnel import asking
from tests.unit.tunnel.asking import ME, PUBKEY, Authority
from tests.unit.tunnel.loading import load

signer = load("signer")


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


def ask(request: bytes, limit: object) -> dict[str, str]:
    return asking.ask(request, lambda connection: signer.answer(connection, limit))


def test_the_certificate_says_what_it_must(ca: Authority) -> None:
    answer = ask(line(pubkey=ca.pubkey), limits(ca.key))
    assert set(answer) == {"cert"}
    assert len(answer["cert"].split()) == 2
    shown = ca.show(answer["cert"])
    assert re.search(r'Key ID: "spawn-20017"', shown)
    assert re.search(r"Serial: 5\n", shown)
    assert re.search(r"Principals: \n\s+spawn-20017\n\s+Critical Options: \(none\)", shown)
    assert re.search(r"Extensions: \n\s+permit-port-forwarding\s*\Z", shown)
    found = re.search(r"Valid: from (\S+) to (\S+)", shown)
    assert found is not None
    begins, ends = (datetime.fromisoformat(time).replace(tzinfo=UTC) for time in found.groups())
    assert begins < datetime.now(UTC) - timedelta(minutes=5), "a clock that goes back by five minutes refuses no job"
    assert begins < ends


def test_others_are_refused(ca: Authority) -> None:
    answer = ask(line(), limits(ca.key, users=frozenset({"somebody"})))
    assert answer["error"].startswith("PermissionError")


def test_a_key_that_is_none_is_refused_without_details(ca: Authority) -> None:
    answer = ask(line(), limits(ca.key))
    assert answer == {"error": "CalledProcessError: see the signer's journal"}


@pytest.mark.parametrize("request_", [b"", b"{}", b"x" * 5000 + b"\n", b'{"port": 1}\n', b"[" * 4000 + b"\n"])
def test_bad_requests_are_answered(request_: bytes) -> None:
    assert set(ask(request_, limits())) == {"error"}


def test_the_service_outlives_callers_that_go_away(tmp_path: Path, ca: Authority) -> None:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(tmp_path / "s"))
    listener.listen()
    threading.Thread(target=signer.serve, args=(listener, limits(ca.key)), daemon=True).start()
    with socket.socket(socket.AF_UNIX) as rude:
        rude.connect(str(tmp_path / "s"))
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(20)
        client.connect(str(tmp_path / "s"))
        client.sendall(line(pubkey=ca.pubkey))
        assert "cert" in json.loads(client.makefile().readline())
