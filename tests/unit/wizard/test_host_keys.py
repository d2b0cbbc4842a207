# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Host keys: fingerprints as ssh-keygen shows them, changes seen, only confirmed keys pinned."""

from __future__ import annotations

import socket
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.errors import HostKeyError
from hpcampus.host_keys import HostKey, compare, fetch, parse_keys, pin


def make_key(path: Any, kind: Any = "ed25519") -> Any:
    subprocess.run(["ssh-keygen", "-q", "-t", kind, "-N", "", "-f", str(path)], check=True)
    name, blob = path.with_suffix(".pub").read_text().split()[:2]
    return HostKey("c1", name, blob)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Any:
    base = tmp_path_factory.mktemp("keys")
    return make_key(base / "a"), make_key(base / "b"), make_key(base / "c", "ecdsa")


def test_the_fingerprint_is_that_of_ssh_keygen(keys: Any, tmp_path: Path) -> None:
    for key in keys:
        path = tmp_path / "k"
        path.write_text(key.line + "\n")
        shown = subprocess.run(["ssh-keygen", "-lf", str(path)], capture_output=True, text=True, check=True).stdout
        assert key.fingerprint in shown


def test_a_new_key_is_pinned_once_confirmed(keys: Any) -> None:
    first, _, ecdsa = keys
    comparison = compare("c1", [first, ecdsa], [])
    assert (comparison.new, comparison.changed) == (True, False)
    text = pin("# mine\nother ssh-rsa AAAA\n", [comparison])
    assert text == f"# mine\nother ssh-rsa AAAA\n{first.line}\n{ecdsa.line}\n"
    assert compare("c1", [first, ecdsa], parse_keys(text)) == compare("c1", [first, ecdsa], [first])
    assert not compare("c1", [first], parse_keys(text)).new


def test_a_changed_key_is_seen_and_replaced_once_confirmed(keys: Any) -> None:
    first, second, _ = keys
    before = pin("", [compare("c1", [first], [])])
    comparison = compare("c1", [second], parse_keys(before))
    assert comparison.changed
    assert pin(before, [comparison]) == second.line + "\n"
    assert pin(before, []) == before


def test_keys_of_other_hosts_do_not_count(keys: Any) -> None:
    first, second, _ = keys
    assert compare("c2", [HostKey("c2", second.kind, second.blob)], [first]).new


def test_what_is_not_a_key_is_left_out(keys: Any) -> None:
    first = keys[0]
    lines = ["# c1:22 SSH-2.0", "c1", "c1 ssh-ed25519", "c1 ssh-dss AAAA", "c1 ssh-ed25519 !!!", "c1 ssh-ed25519 AAAA"]
    assert parse_keys("\n".join([*lines, first.line, "|1|hash ssh-ed25519 AAAA"]), "c1") == [first]
    assert parse_keys(first.line, "c2") == []


@given(st.text())
def test_no_text_breaks_the_parser(text: Any) -> None:
    assert all(key.fingerprint.startswith("SHA256:") for key in parse_keys(text))


@pytest.mark.parametrize("host", ["127.0.0.1", "-oProxyCommand=touch /tmp/x", "no-such-host.invalid"])
def test_a_silent_host_is_an_error(host: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    # A port that nobody listens on, whatever runs on this machine.
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    real = subprocess.run
    monkeypatch.setattr(subprocess, "run", lambda argv, **rest: real([argv[0], "-p", str(port), *argv[1:]], **rest))
    with pytest.raises(HostKeyError) as caught:
        fetch(host)
    assert "--skip-host-keys" in caught.value.cure
