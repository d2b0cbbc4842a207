# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub's name and its certificate."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.probes import Level, Prober, certificate, name
from hpcampus.probes.name import Resolved
from tests.unit.wizard.conftest import write_certificate

PUBLIC, OTHER, PRIVATE = "8.8.8.8", "9.9.9.9", "10.1.2.3"


@pytest.mark.parametrize(
    ("resolved", "own", "reachable", "connection", "lines"),
    [
        (Resolved(error="Name or service not known"), (), None, None, ["problem: hub does not resolve (Name or service not known)"]),
        (Resolved((PUBLIC,)), (PUBLIC,), True, "local", ["ok: hub resolves to", "ok: hub is this machine", "ok: A certificate"]),
        (Resolved((PUBLIC,)), (), False, None, ["ok: hub resolves to", "note: A certificate by ACME (Let's Encrypt) could not"]),
        (Resolved((PUBLIC,)), (OTHER,), True, None, ["ok: hub resolves", "ok: A certificate"]),
        (Resolved((PRIVATE,)), (OTHER,), None, None, ["ok: hub resolves", "note: A certificate"]),
        (Resolved((PRIVATE,), "web.example.org"), (), True, None, ["ok: hub", "ok: hub is an alias of web.example.org", "note: A"]),
        (Resolved(("127.0.1.1",)), (PRIVATE,), None, "local", ["ok: hub", "note: hub resolves to this machine itself", "note: A"]),
    ],
)  # fmt: skip
def test_a_name(
    resolved: Resolved, own: tuple[str, ...], reachable: bool | None, connection: str | None, lines: list[str]
):
    finding = name.examine("hub", resolved, own, reachable)
    assert finding.proposals.get("hub_connection") == connection
    found = [f"{line.level.value}: {line.text}" for line in finding.lines]
    assert len(found) == len(lines)
    for said, beginning in zip(found, lines, strict=True):
        assert said.startswith(beginning)


@pytest.mark.parametrize(
    ("addresses", "own", "level"),
    [
        ((), (PUBLIC,), None),
        ((PUBLIC,), (), None),
        ((PUBLIC,), (OTHER, PUBLIC), None),
        (("127.0.1.1",), (PUBLIC,), None),
        ((PUBLIC,), (PRIVATE,), Level.NOTE),
        ((PUBLIC,), (OTHER,), Level.PROBLEM),
        ((PRIVATE,), (OTHER,), Level.PROBLEM),
        ((PRIVATE,), ("10.1.2.4",), Level.PROBLEM),
    ],
)
def test_a_name_that_does_not_lead_to_its_server(addresses: tuple[str, ...], own: tuple[str, ...], level: Level | None):
    assert [line.level for line in name.place_lines("hub", addresses, own)] == ([level] if level else [])


def test_names_of_this_machine():
    assert "127.0.0.1" in name.resolve("localhost").addresses
    assert name.resolve("nothere.invalid").error
    assert name.resolve("a" * 70).error
    assert name.look("localhost").lines[0].level is Level.OK


def test_a_port_that_is_reached_or_refused():
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert name.can_connect("127.0.0.1", port)
    assert name.can_connect("127.0.0.1", port)
    assert not name.can_connect("nothere.invalid", 80)


@given(st.text())
def test_addresses(text: str):
    assert isinstance(name.parse_addresses(text), tuple)
    assert name.parse_addresses(f"{PUBLIC} fe80::1 {PUBLIC} x") == (PUBLIC, "fe80::1")


def seen(pair: tuple[Path, Path], hub_name: str = "jupyter.example.org") -> list[str]:
    return [f"{line.level.value}: {line.text}" for line in certificate.look(str(pair[0]), str(pair[1]), hub_name).lines]


def test_a_certificate(tmp_path: Path):
    lines = seen(write_certificate(tmp_path, "a", days=400))
    assert lines[0].startswith("ok: The certificate is for jupyter.example.org, issued by CN=x")
    assert lines[1].endswith("399 days left.")
    assert lines[2] == "note: It is signed by its own key: browsers will warn."


@pytest.mark.parametrize(
    ("days", "name", "level", "words"),
    [
        (9, "jupyter.example.org", "note", "8 days left"),
        (-1, "jupyter.example.org", "problem", ""),
        (99, "other.example.org", "problem", "other.example.org"),
    ],
)
def test_what_is_wrong_with_a_certificate(tmp_path: Path, days: int, name: str, level: str, words: str):
    pair = write_certificate(tmp_path, "a", days=days)
    assert any(line.startswith(f"{level}: ") and words in line for line in seen(pair, name))


def test_a_key_of_another_certificate(tmp_path: Path):
    pair = (write_certificate(tmp_path, "a")[0], write_certificate(tmp_path, "b")[1])
    assert any(line.startswith("problem: ") for line in seen(pair))


@pytest.mark.parametrize(
    "content", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_files_that_are_none(tmp_path: Path, content: bytes):
    bad = tmp_path / "bad.pem"
    bad.write_bytes(content)
    assert [line.partition(":")[0] for line in seen((bad, bad))] == ["problem"]
    assert [line.partition(":")[0] for line in seen((tmp_path / "none", bad))] == ["problem"]


def test_a_certificate_that_is_written_again_is_looked_at_again(tmp_path: Path):
    pair = write_certificate(tmp_path, "a", days=-1)
    known = {
        "tls": "provided",
        "hub_name": "jupyter.example.org",
        "tls_certificate": str(pair[0]),
        "tls_key": str(pair[1]),
    }
    with Prober() as prober:
        prober.look(known)
        found = prober.finding("certificate", wait=20)
        assert found is not None
        assert found.problems
        write_certificate(tmp_path, "a", days=99)
        prober.look(known)
        found = prober.finding("certificate", wait=20)
        assert found is not None
        assert not found.problems
