# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A directory: encrypted or not, open or closed, with people or without; a password is sent to no stranger."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.errors import ExitCode
from hpcampus.probes import ldap
from hpcampus.probes.ldap import Address, Directory
from tests.unit.wizard.conftest import write_certificate
from tests.unit.wizard.probes.directory import Behaviour, serving
from tests.unit.wizard.probes.test_probe_command import ended

PEOPLE = [{"uid": "ada", "mail": "ada@example.org"}, {"uid": "bob"}]
READER = "cn=reader,dc=example,dc=org"
SECRET = "kanarienvogel"


@contextmanager
def directory(
    tmp_path: Path, behaviour: Behaviour, *, encrypted: bool = True, host: str = "localhost", **changes: Any
) -> Iterator[Directory]:
    certificate, key = write_certificate(tmp_path, "ldap", host)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    with serving(behaviour, context, encrypted=encrypted) as port:
        url = f"{'ldaps' if encrypted else 'ldap'}://localhost:{port}"
        given = {"url": url, "base": behaviour.base, "authorities": str(certificate), **changes}
        yield Directory(**given)


def texts(looked_at: Directory) -> list[str]:
    return [f"{line.level.value}: {line.text}" for line in ldap.look(looked_at).lines]


def test_an_open_directory(tmp_path: Path):
    with directory(tmp_path, Behaviour(PEOPLE)) as found:
        lines = texts(found)
    assert [line.partition(":")[0] for line in lines] == ["ok", "ok", "ok"]
    assert lines[2] == "ok: People are found below ou=people,dc=example,dc=org. They have: uid, mail."


def test_a_directory_that_wants_a_name(tmp_path: Path):
    with directory(tmp_path, Behaviour(PEOPLE, SECRET)) as found:
        lines = texts(found)
    assert lines[1].startswith("problem: It lets nobody in without a name (anonymous bind disallowed)")
    behaviour = Behaviour(PEOPLE, SECRET)
    with directory(tmp_path, behaviour, user=READER, password=SECRET) as found:
        assert texts(found)[1] == f"ok: It lets {READER} in."
    assert behaviour.passwords == [SECRET.encode()]


def test_a_wrong_password(tmp_path: Path):
    with directory(tmp_path, Behaviour(PEOPLE, "other"), user=READER, password=SECRET) as found:
        lines = texts(found)
    assert lines[1] == f"problem: It does not let {READER} in (wrong name or password)."
    assert SECRET not in " ".join(lines) + repr(found)


@pytest.mark.parametrize("starts_tls", [True, False])
def test_a_connection_that_begins_in_the_open(tmp_path: Path, *, starts_tls: bool):
    with directory(tmp_path, Behaviour(PEOPLE, starts_tls=starts_tls), encrypted=False) as found:
        lines = texts(found)
    assert lines[0].partition(":")[0] == ("ok" if starts_tls else "note")
    assert lines[-1].startswith("ok: People are found")


def test_no_password_is_sent_in_the_open(tmp_path: Path):
    behaviour = Behaviour(PEOPLE, SECRET)
    with directory(tmp_path, behaviour, encrypted=False, user=READER, password=SECRET) as found:
        lines = texts(found)
    assert [line.partition(":")[0] for line in lines] == ["problem"]
    assert "the password was not sent" in lines[0]
    assert behaviour.passwords == []


@pytest.mark.parametrize("encrypted", [True, False])
@pytest.mark.parametrize("changes", [{"authorities": ""}, {"host": "elsewhere.example.org"}])
def test_no_password_is_sent_to_a_stranger(tmp_path: Path, changes: dict[str, str], *, encrypted: bool):
    behaviour = Behaviour(PEOPLE, SECRET, starts_tls=True)
    with directory(tmp_path, behaviour, encrypted=encrypted, user=READER, password=SECRET, **changes) as found:
        lines = texts(found)
    assert [line.partition(":")[0] for line in lines] == ["problem"]
    assert "certificate" in lines[0]
    assert behaviour.passwords == []


@pytest.mark.parametrize(
    ("people", "base", "words"),
    [
        ([], "ou=people,dc=example,dc=org", "problem: Nobody was found"),
        (PEOPLE, "dc=wrong", "problem: Searching below dc=wrong failed"),
        ([{"cn": "Ada"}], "ou=people,dc=example,dc=org", "note: None of them shows a login name"),
    ],
)
def test_what_is_not_found(tmp_path: Path, people: list[dict[str, str]], base: str, words: str):
    with directory(tmp_path, Behaviour(people), base=base) as found:
        assert texts(found)[-1].startswith(words)


def test_nobody_there(tmp_path: Path):
    with directory(tmp_path, Behaviour()) as found:
        pass
    assert [line.partition(":")[0] for line in texts(found)] == ["problem"]
    assert texts(Directory("ldaps://nothere.invalid", "dc=x"))[0].startswith("problem: ldaps://nothere.invalid: ")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("ldaps://ldap.example.org", Address("ldap.example.org", 636, encrypted=True)),
        ("ldap://ldap.example.org:1389/", Address("ldap.example.org", 1389, encrypted=False)),
        ("https://ldap.example.org", None),
        ("ldap.example.org", None),
        ("ldaps://", None),
        ("ldaps://x:port", None),
        ("ldaps://x/dc=y", None),
        ("ldaps://[x", None),
    ],
)
def test_addresses(url: str, address: Address | None):
    assert ldap.parse_url(url) == address


@given(st.text())
def test_garbage_is_no_address(url: str):
    assert ldap.parse_url(url) is None or url.lower().lstrip().startswith("ldap")


def test_the_command(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    secret = tmp_path / "secret"
    secret.write_text(SECRET + "\n")
    with directory(tmp_path, Behaviour(PEOPLE, SECRET)) as found:
        arguments = ("ldap", found.url, "--base", found.base, "--ca-file", found.authorities)
        assert ended(*arguments, "--user", READER, "--password-file", str(secret)) == ExitCode.OK
        assert "They have: uid, mail" in capfd.readouterr().out
        assert ended(*arguments) == ExitCode.VERIFY_FAILED
        assert ended(*arguments, "--user", READER) == ExitCode.USAGE
        capfd.readouterr()
        assert ended("ldap", found.url, "--base", found.base) == ExitCode.VERIFY_FAILED
        assert "certificate" in capfd.readouterr().out
