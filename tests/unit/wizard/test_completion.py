# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The shell completes what can be typed: asked in a real bash, with the script that the command prints."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from hpcampus import cli
from hpcampus.catalogue import parse_catalogue
from hpcampus.places import CATALOGUE
from hpcampus.yaml_files import read_plain
from tests.unit.wizard.conftest import ROOT

STEPS = [step.name for step in parse_catalogue(read_plain(ROOT / CATALOGUE), "")]
# Does what readline does when somebody presses Tab behind these words, and prints the choices.
ASK = """\
source "$1"; shift
rule=$(complete -p hpcampus) || exit 1
function=$(sed -E 's/.*-F ([^ ]+).*/\\1/' <<< "$rule")
COMP_WORDS=(hpcampus "$@"); COMP_CWORD=$#; COMPREPLY=()
"$function" hpcampus "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """The script, and beside it a program `hpcampus` for it to ask."""
    path = tmp_path / "completion.bash"
    program = tmp_path / "bin" / "hpcampus"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT}/wizard exec {sys.executable} -m hpcampus "$@"\n')
    program.chmod(0o755)
    with path.open("w") as output:
        subprocess.run([program, "completion", "bash"], check=True, stdout=output)
    return path


def completed(script: Path, *words: str) -> list[str]:
    """Give the choices for the last word."""
    path = f"{script.parent / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "--norc", "-c", ASK, "bash", str(script), *words],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        env={**os.environ, "PATH": path},
    )
    assert done.stderr == ""
    return done.stdout.split()


def test_commands_are_completed(script: Path) -> None:
    assert completed(script, "") == sorted(cli.cli.commands)
    assert completed(script, "ver") == ["verify"]
    assert completed(script, "demo", "s") == ["shell", "status"]


def test_names_of_steps_are_completed(script: Path) -> None:
    assert completed(script, "apply", "--step", "") == STEPS
    assert completed(script, "apply", "--from", "ap") == [name for name in STEPS if name.startswith("ap")]
    assert completed(script, "apply", "--step", "zz") == []


def test_hosts_of_the_demo_are_completed(script: Path) -> None:
    assert completed(script, "demo", "shell", "c") == ["campus", "c1", "c2"]


def test_choices_are_completed(script: Path) -> None:
    assert completed(script, "--language", "") == ["en", "de"]
    assert completed(script, "completion", "z") == ["zsh"]
    assert completed(script, "open", "--page", "a") == ["admin"]


def test_inventories_are_completed(script: Path, tmp_path: Path) -> None:
    for name in ("site-a", "site-b", "other"):
        (tmp_path / "sites" / name).mkdir(parents=True)
    for name in ("site-a", "site-b"):
        (tmp_path / "sites" / name / "hosts.yml").touch()
    shutil.copytree(tmp_path / "sites/site-a", tmp_path / "inventory")
    assert completed(script, "apply", "-i", "") == ["inventory"]
    assert completed(script, "verify", "--inventory", "sites/site") == ["sites/site-a", "sites/site-b"]
    assert completed(script, "apply", "-i", f"{tmp_path}/sites/") == [f"{tmp_path}/sites/site-{x}" for x in "ab"]


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("hpcampus ver", "hpcampus verify "),
        ("hpcampus apply --fr", "hpcampus apply --from "),
        ("hpcampus apply --from tun", "hpcampus apply --from tunnel "),
        ("hpcampus demo shell lo", "hpcampus demo shell login "),
        # On the way to an inventory, bash itself completes directories.
        ("hpcampus apply -i sit", "hpcampus apply -i sites/"),
    ],
)
def test_tab_completes_in_a_terminal(script: Path, tmp_path: Path, typed: Any, shown: Any) -> None:
    (tmp_path / "sites/site-a").mkdir(parents=True)
    (tmp_path / "sites/site-a/hosts.yml").touch()
    path = f"{script.parent / 'bin'}:{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "PS1": "> ", "TERM": "dumb", "INPUTRC": "/dev/null"}
    shell = pexpect.spawn(
        "bash",
        ["--norc", "--noprofile"],
        env=environment,
        cwd=tmp_path,
        encoding="utf-8",
        timeout=30,
        dimensions=(24, 200),
    )
    try:
        shell.expect_exact("> ")
        shell.sendline(f"source {script}; echo ready")
        shell.expect_exact("\nready")
        shell.send(f"{typed}\t")
        shell.expect_exact(shown)
    finally:
        shell.close(force=True)


def test_a_broken_collection_completes_to_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpcampus.places.CATALOGUE", Path("nowhere.yml"))
    from hpcampus.cli.completion import step_names

    assert step_names(None, None, "") == []  # type: ignore[arg-type]


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_every_shell_has_its_script(shell: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert f"_HPCAMPUS_COMPLETE={shell}_complete" in script
    if shutil.which(shell):
        subprocess.run([shell, "-n"], input=script, text=True, check=True)
    assert shlex.quote("hpcampus") in script
