# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Steps in a real terminal: a failure and what to do about it, the live view with its log, the menu, small and plain terminals."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pexpect
import pytest

from hpcampus.places import Site
from tests.unit.wizard.conftest import marks, write_play, write_step

pytestmark = pytest.mark.processes

ENTER, DOWN, CTRL_C = "\r", "\x1b[B", "\x03"
FAIL_UNLESS = """\
    - name: Get a package
      ansible.builtin.shell: 'test -e {flag} || (echo "E: Could not get lock /var/lib/dpkg/lock-frontend." >&2; exit 100)'
"""
WAIT = """\
    - name: Wait as long as there is a file
      ansible.builtin.command: sh -c 'while test -e {flag}; do sleep 0.1; done'
"""


@pytest.fixture
def spawn(command: list[str], local_site: Site, tmp_path: Path) -> Any:
    children = []

    def start(*arguments: Any, size: Any = (24, 80), **environment: Any) -> Any:
        child = pexpect.spawn(
            command[0],
            [command[1], *arguments, "-i", str(local_site.inventory)],
            encoding="utf-8",
            dimensions=size,
            timeout=120,
            cwd=str(tmp_path),
            env={
                **os.environ,
                "TERM": "xterm",
                "PROMPT_TOOLKIT_NO_CPR": "1",
                "SHELL": "/bin/sh",
                "PS1": "$ ",
                **environment,
            },
        )
        children.append(child)
        return child

    yield start
    for child in children:
        child.close(force=True)


def end(child: Any) -> Any:
    child.expect(pexpect.EOF)
    child.close()
    return child.exitstatus


def choose(child: Any, times: int) -> None:
    child.expect("What now\\?")
    child.expect("Quit")
    child.send(DOWN * times + ENTER)


@pytest.fixture
def failing(collection: Path, tmp_path: Path) -> Path:
    """A step two that fails until this file is there."""
    flag = tmp_path / "mirror-is-back"
    write_step(collection, "two", FAIL_UNLESS.format(flag=flag))
    catalogue = collection / "playbooks/vars/steps.yml"
    catalogue.write_text(catalogue.read_text().replace("name: three,", "name: three, needs: [two],"))
    return flag


def test_a_failure_is_explained_and_the_step_run_again(spawn: Any, local_site: Site, failing: Path) -> None:
    child = spawn("apply", NO_COLOR="1")
    for text in (
        "Failed on here: Get a package", "Could not get lock", "Likely cause: another package manager works on here",
        "What to do: ", "Full log: ", "> Run the step two again", "Go on without it", "Open a shell", "Show the log", "Quit",
    ):  # fmt: skip
        child.expect_exact(text)
    failing.touch()
    child.send(ENTER)
    child.expect("step two: done in")
    child.expect("All steps are done")
    assert end(child) == 0
    assert marks(local_site) == ["one", "two", "three"]


def test_going_on_without_a_step_names_what_needs_it(spawn: Any, local_site: Site, failing: Path) -> None:
    child = spawn("apply")
    choose(child, 1)
    child.expect("Without two these steps may fail, and what they install may not work: three")
    child.expect("Go on without two\\?")
    child.send("n")
    choose(child, 1)
    child.expect("Go on without two\\?")
    child.send("y")
    child.expect("step three: done")
    child.expect("The run is over, but without: two")
    child.expect("hpcampus apply --inventory .* --step two")
    assert end(child) == 1
    assert marks(local_site) == ["one", "three"]
    assert local_site.state.load().last["two"].status == "skipped"
    failing.touch()
    child = spawn("apply", "--step", "two")
    assert end(child) == 0
    assert local_site.state.load().last["two"].status == "done"


def test_a_shell_has_what_the_step_runs_with(spawn: Any, local_site: Site, failing: Path) -> None:
    child = spawn("apply", "--step", "two")
    choose(child, 2)
    child.expect(f"A shell in {local_site.state.path}/project")
    child.expect("To run the step by hand: ansible-playbook hpcampus.platform.steps.two")
    child.expect("'exit' leads back")
    failing.touch()
    child.send("pwd; echo $ANSIBLE_INVENTORY\n")
    child.expect(f"{local_site.state.path}/project")
    child.expect(str(local_site.hosts_file))
    child.send("ansible-playbook hpcampus.platform.steps.two && echo by-hand-$((40+2))\n")
    child.expect("by-hand-42")
    child.expect(r"[$#] ")
    child.sendintr()
    child.expect(r"[$#] ")  # a shell that reads "exit" with the Ctrl-C throws both away
    child.send("exit\n")
    choose(child, 4)
    child.expect("Go on with: +hpcampus apply .*--step two")
    assert end(child) == 1
    assert marks(local_site) == ["two"]


@pytest.mark.usefixtures("failing")
def test_the_log_is_shown(spawn: Any) -> None:
    child = spawn("apply", "--step", "two", PAGER="cat")
    choose(child, 3)
    child.expect("TASK \\[Get a package\\]")
    child.expect("PLAY RECAP")
    child.expect("What now")
    child.send(CTRL_C)
    child.expect("Stopped")
    assert end(child) == 130


def test_the_check_of_the_inventory_cannot_be_skipped(spawn: Any, collection: Path) -> None:
    write_play(
        collection, "validate", "    - name: Look\n      ansible.builtin.fail: {msg: the inventory has 1 problem}\n"
    )
    child = spawn("apply")
    child.expect("Run the step validate again")
    child.expect("Open a shell")
    assert "Go on without it" not in child.before
    child.send(DOWN * 3 + ENTER)
    assert end(child) == 1


def test_a_plain_terminal_has_numbers(spawn: Any, failing: Path) -> None:
    child = spawn("apply", "--plain", LANG="C", LC_ALL="C")
    child.expect("What now")
    child.expect("2.  ?Go on without it")
    child.expect("5.  ?Quit")
    child.expect(": ")
    child.send("9\n")
    child.expect("5")
    child.expect(": ")
    child.send("2\n")
    child.expect("Go on without two\\?")
    child.expect(": ")
    child.send("\n")
    child.expect("5.  ?Quit")
    child.expect(": ")
    failing.touch()
    child.send("1\n")
    child.expect("All steps are done")
    assert not re.search(r"\x1b\[[0-9;?]*[A-HJKhl]", child.before), "something moved the cursor"
    assert end(child) == 0


@pytest.mark.parametrize("size", [(24, 80), (10, 40)], ids=["80x24", "40x10"])
def test_the_live_view_shows_its_log_in_any_size(
    spawn: Any, collection: Path, tmp_path: Path, local_site: Site, size: Any
) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    write_step(
        collection,
        "one",
        "    - name: Say it in German\n      ansible.builtin.debug: {msg: 'Größe'}\n" + WAIT.format(flag=flag),
    )
    child = spawn("apply", "--step", "one", size=size, LANG="C", LC_ALL="C", NO_COLOR="1")
    child.expect("step 2/2 one: First")
    child.expect("Wait as long as there is")
    assert "\u2026" not in child.before
    child.send("l")
    child.expect("TASK \\[Wait as long")
    child.expect("l: hide log")
    child.setwinsize(10, 40)
    child.expect("hide log")
    child.send("l")
    child.expect("l: log")
    flag.unlink()
    child.expect("step one: done in")
    shown = child.before
    child.expect("All steps are done")
    assert end(child) == 0
    rows = [re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", row) for row in re.split(r"[\r\n]+", shown)]
    assert max(len(row) for row in rows) <= 80
    assert shown.isascii()
    assert not re.search(r"\x1b\[[0-9;]*3[0-7]m", shown)
    assert marks(local_site) == ["one"]


def test_keys_are_given_back(spawn: Any, collection: Path, tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    write_step(collection, "one", WAIT.format(flag=flag))
    child = spawn("apply", "--step", "one")
    child.expect("Wait as long as there is")
    assert not child.getecho()
    child.send(CTRL_C)
    child.expect("step one: stopped after")
    child.expect("Start the same command again")
    assert end(child) == 130
    flag.unlink()


def test_the_menu(spawn: Any, local_site: Site, collection: Path) -> None:
    child = spawn("steps", "--menu")
    child.expect(" 1  one    never run")
    child.expect("What shall be done\\?")
    child.expect("> Run all steps that are due")
    for text in ("only what changed", "from a step on", "one step", "Say what would change", "Prove", "Quit"):
        child.expect(text)
    child.send(DOWN * 4 + ENTER)
    child.expect("3 changes on 1 hosts:")
    child.expect("What shall be done")
    assert marks(local_site) == []
    child.send(DOWN * 3 + ENTER)
    child.expect("Run one step")
    child.expect("two: Second")
    child.expect("Back")
    child.send(DOWN + ENTER)
    child.expect("step two: done in")
    child.expect(" 2  two    done 20\\d\\d-.* UTC, took")
    child.expect("What shall be done")
    child.send(DOWN * 2 + ENTER)
    child.expect("Run from a step on")
    child.expect("Back")
    child.send("\x1b")
    child.expect("What shall be done")
    child.expect("Quit")
    child.send(DOWN + ENTER)
    child.expect("left out: two \\(unchanged since")
    child.expect("All steps are done")
    child.expect("What shall be done")
    assert marks(local_site) == ["two", "one", "three"]
    write_play(collection, "verify", "    - name: Show the result\n      ansible.builtin.debug: {msg: [login 0.4 s]}\n")
    child.send(DOWN * 5 + ENTER)
    child.expect("login 0.4 s")
    child.expect("The platform works")
    child.expect("What shall be done")
    write_play(collection, "verify", "    - name: Knock\n      ansible.builtin.fail: {msg: closed}\n")
    child.send(DOWN * 5 + ENTER)
    child.expect("The platform does not do what it should")
    child.expect("What shall be done")
    child.send(DOWN * 6 + ENTER)
    assert end(child) == 8
