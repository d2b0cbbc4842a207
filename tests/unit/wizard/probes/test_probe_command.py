# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command `hpcampus probe`: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from hpcampus.cli import run
from hpcampus.errors import ExitCode


def ended(*arguments: str) -> int:
    try:
        return run(["probe", *arguments])
    except SystemExit as end:
        return int(end.code or 0)


def test_a_name_that_is_there(capfd: pytest.CaptureFixture[str]):
    assert ended("name", "localhost") == ExitCode.OK
    out = capfd.readouterr().out
    assert "     ok  localhost resolves to " in out
    assert "  hub_connection = local" in out


def test_a_name_that_is_not_there(capfd: pytest.CaptureFixture[str]):
    assert ended("name", "nothere.invalid", "--json") == ExitCode.VERIFY_FAILED
    found = json.loads(capfd.readouterr().out)
    assert (found["probe"], found["problems"]) == ("name", 1)
    assert found["lines"][0]["level"] == "problem"


def test_this_machine(capfd: pytest.CaptureFixture[str]):
    assert ended("machine", "--json") in {ExitCode.OK, ExitCode.VERIFY_FAILED}
    found = json.loads(capfd.readouterr().out)
    assert found["facts"]["cpus"] >= 1


def test_hosts_over_ssh(ssh_program: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    keys = tmp_path / "k"
    keys.write_text("")
    ended("nodes", "c1", "c2", "--user", "me", "--known-hosts", str(keys))
    out = capfd.readouterr().out
    assert "c1, c2: " in out
    assert ssh_program.read_text().splitlines()[-4] == "me"
    assert ended("centre", "login", "--account", "me.too", "--known-hosts", str(keys)) == ExitCode.VERIFY_FAILED
    assert "PROBLEM  There is no sbatch" in capfd.readouterr().out


@pytest.mark.parametrize(
    "arguments",
    [
        ("name", "a b"),
        ("nodes",),
        ("nodes", "--user", "-x", "c1"),
        ("nodes", "c1", "-oProxyCommand=x"),
        ("nodes", "c1;x"),
        ("centre", "login"),
        ("centre", "login", "--account", "$(id)"),
    ],
)
def test_what_is_no_name_is_refused(arguments: tuple[str, ...], ssh_program: Path, tmp_path: Path, monkeypatch: Any):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh/known_hosts").write_text("")
    assert ended(*arguments) == ExitCode.USAGE
    assert not ssh_program.exists()


def test_without_keys_nobody_is_spoken_to(ssh_program: Path, capfd: pytest.CaptureFixture[str]):
    assert ended("centre", "login", "--account", "me", "--known-hosts", "/no/such/file") == ExitCode.HOST_KEY
    assert "no file /no/such/file" in capfd.readouterr().err
    assert not ssh_program.exists()
