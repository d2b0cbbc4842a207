# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the installs look for secrets with finds them, and what they read a terminal with reads it."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.install.stages import tasks_of
from tests.install.terminal import asked_now, chosen_now, prompts
from tests.install.watch import ArgvWatch, files_holding, wait_until_seen

SCREEN = """\
? What shall be installed? A hub, and Slurm hosts that are installed and managed
 from here
? Which certificate shall the web server use? (arrows and Enter; Esc: back; ?: h
elp)
   A self-signed one (browsers warn)
 > One that I have as files
"""
LOG = """\
step 1/3 validate: Check the inventory
  site: Look
step validate: done in 1 s, 0 changed
step 2/3 hub: JupyterHub
  jupyterhub: One
    changed  h
  jupyterhub: Two
"""


def test_a_secret_on_a_command_line_is_seen() -> None:
    argv = ["sh", "-c", "read line; : seen-on-a-command-line"]
    with ArgvWatch() as watch, subprocess.Popen(argv, stdin=subprocess.PIPE) as program:
        assert wait_until_seen(watch, "seen-on-a-command-line", 60)
        program.communicate(b"\n")
    held = watch.holding({"one": "seen-on-a-command-line", "other": "nowhere-at-all"})
    assert set(held) == {"one"}
    assert "read line" in held["one"]
    assert watch.looks > 0


def test_a_secret_in_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "deep/down").mkdir(parents=True)
    (tmp_path / "deep/down/log").write_bytes(b"\xff before secret after")
    (tmp_path / "clean").write_text("nothing")
    (tmp_path / "link").symlink_to(tmp_path / "deep/down/log")
    assert files_holding({"a": "secret", "b": "absent"}, [tmp_path]) == {"a": [str(tmp_path / "deep/down/log")]}
    assert files_holding({"a": "secret"}, [tmp_path / "clean"]) == {}


def test_the_question_on_a_screen_is_the_last_one() -> None:
    known = prompts(["profile", "tls", "tls_key"])
    assert asked_now(SCREEN, known) == "tls"
    assert asked_now("Fetching\n", known) == ""
    assert asked_now("? Something else\n", known) == ""
    assert chosen_now(SCREEN) == "One that I have as files"
    assert chosen_now("? Name\n") == ""


@pytest.mark.parametrize(("step", "wanted"), [("validate", 1), ("hub", 2), ("apache", 0)])
def test_tasks_of_a_step_are_counted(step: Any, wanted: Any) -> None:
    assert tasks_of(LOG, step) == wanted
