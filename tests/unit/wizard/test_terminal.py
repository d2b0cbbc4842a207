# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Setup in a real terminal of 80 columns and 24 lines: wrong answers, Ctrl-C, going on, and what is on disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pexpect
import pytest

from hpcampus.yaml_files import read_plain
from tests.unit.wizard.conftest import ROOT

ENTER, CTRL_C, CLEAR, UP, ESC = "\r", "\x03", "\x15", "\x1b[A", "\x1b"
PASSWORD = "a password nobody sees"


@pytest.fixture
def start(tmp_path: Path) -> Any:
    children = []

    def spawn(*arguments: Any, **environment: Any) -> Any:
        child = pexpect.spawn(
            sys.executable,
            ["-m", "hpcampus", *arguments],
            encoding="utf-8",
            dimensions=(24, 80),
            timeout=30,
            cwd=str(tmp_path),
            env={
                **os.environ,
                "TERM": "xterm",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                "PYTHONPATH": str(ROOT / "wizard"),
                **environment,
            },
        )
        children.append(child)
        return child

    yield spawn
    for child in children:
        child.close(force=True)


def answer(child: Any, question: Any, typed: Any) -> None:
    child.expect(question)
    child.send(typed)


def end(child: Any) -> Any:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def test_setup_stopped_resumed_and_finished(start: Any, tmp_path: Path) -> None:
    child = start("setup", "--skip-host-keys")
    answer(child, "What shall be installed", UP + ENTER)
    answer(child, "Name of the hub", "https://jupyter.example.org" + ENTER)
    answer(child, "is an address", CLEAR + "jupyter.example.org" + ENTER)
    answer(child, "User for ssh", CTRL_C)
    child.expect("Stopped; nothing was written")
    assert end(child) == 130
    assert not (tmp_path / "inventory").exists()

    child = start("setup", "--skip-host-keys")
    child.expect("Going on with the answers")
    answer(child, "User for ssh", CLEAR + "admin" + ENTER)
    answer(child, "Which certificate", ENTER)
    answer(child, "Password of the admin", "short" + ENTER)
    answer(child, "at least 10 are needed", CLEAR + PASSWORD + ENTER)
    answer(child, "The same password", PASSWORD + ENTER)
    answer(child, "Short name of the first course", "physics101" + ENTER)
    # The section of the course is the last above the actions.
    answer(child, "Write it, or", UP + ENTER)
    answer(child, "Title of the course", UP * 2 + ENTER)
    answer(child, r"course[^\r\n]*1mphysics101", CLEAR + "Physics 101" + ENTER)
    answer(child, "First course", ESC)
    answer(child, "Write it, or", ENTER)
    answer(child, "Write it\\?", ENTER)
    child.expect("Key of the vault")
    answer(child, "What shall be done", UP + ENTER)
    assert end(child) == 0
    assert PASSWORD not in child.before
    main = read_plain(tmp_path / "inventory/group_vars/all/main.yml")
    assert (main["site_profile"], main["site_hub_name"]) == ("single", "jupyter.example.org")
    course = read_plain(tmp_path / "inventory/group_vars/all/courses/physics101.yml")
    assert course["site_course_physics101"]["title"] == "Physics 101"
    assert read_plain(tmp_path / "inventory/hosts.yml")["all"]["vars"]["ansible_user"] == "admin"


def test_no_colour_where_none_is_wanted(start: Any) -> None:
    child = start("apply", NO_COLOR="1")
    child.expect("There is no inventory")
    assert "\x1b[3" not in child.before + child.after
    assert end(child) == 3
