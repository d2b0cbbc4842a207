# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Connections of probes: pinned keys only, nothing a person typed reaches a shell, and what ssh says is explained."""

from __future__ import annotations

from pathlib import Path

import pytest

from hpcampus.probes import ssh

HOST = ssh.Host("login.example.org", "hpc.teach", "/etc/known hosts%h")


def test_the_command():
    argv = ssh.argv(HOST)
    assert argv[:2] == ["ssh", "-T"]
    assert argv[-5:] == ["-l", "hpc.teach", "--", "login.example.org", "sh -s"]
    options = set(argv[3:-5:2])
    assert {
        "BatchMode=yes",
        "StrictHostKeyChecking=yes",
        "GlobalKnownHostsFile=/dev/null",
        "ControlPath=none",
    } <= options
    assert 'UserKnownHostsFile="/etc/known hosts%%h"' in options
    assert set(argv[2:-5:2]) == {"-o"}


@pytest.mark.parametrize(
    "host",
    [
        ssh.Host("-oProxyCommand=x", "me", "/k"),
        ssh.Host("a;b", "me", "/k"),
        ssh.Host("", "me", "/k"),
        ssh.Host("login\n", "me", "/k"),
        ssh.Host("login", "-l", "/k"),
        ssh.Host("login", "$(id)", "/k"),
        ssh.Host("login", "", "/k"),
        ssh.Host("login", "me", "/k\nProxyCommand x"),
        ssh.Host("login", "me", '/k" "/etc/ssh/other'),
    ],
)
def test_what_is_no_name_reaches_no_ssh(host: ssh.Host):
    with pytest.raises(ValueError, match="@"):
        ssh.argv(host)


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("me@login: Permission denied (publickey,password).", "lets hpc.teach in with none of your keys"),
        ("Received disconnect from 10.0.0.1 port 22:2: Too many authentication failures", "with none of your keys"),
        (
            "No ED25519 host key is known for login and you have requested strict checking.\nHost key verification failed.",
            "another host key",
        ),
        ("ssh: Could not resolve hostname nothere: Name or service not known", "has no address"),
        ("ssh: connect to host login port 22: Connection timed out", "does not answer on its ssh port"),
        ("ssh: connect to host login port 22: Connection refused", "does not answer on its ssh port"),
        ("ssh: connect to host login port 22: No route to host", "does not answer on its ssh port"),
        ("kex_exchange_identification: Connection closed by remote host", "ssh failed (kex_exchange"),
        ("", "ssh failed (exit status 255)"),
    ],
)
def test_what_ssh_says(said: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "ssh"
    program.write_text(f"#!/bin/sh\ncat >&2 <<'E'\n{said}\nE\nexit 255\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ssh.SshError) as error:
        ssh.look(HOST, "host", 5)
    assert words in str(error.value)
    assert "login.example.org" in str(error.value)


def test_a_host_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    program = tmp_path / "ssh"
    program.write_text("#!/bin/sh\nexec sleep 60\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(ssh.SshError, match=r"no answer within 0\.3 s"):
        ssh.look(HOST, "host", 0.3)


def test_a_real_ssh_that_finds_nobody(tmp_path: Path):
    with pytest.raises(ssh.SshError, match=r"127\.0\.0\.1"):
        ssh.look(ssh.Host("127.0.0.1", "nobody", str(tmp_path / "none")), "host", 20)
