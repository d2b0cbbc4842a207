# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every screen of setup in a real terminal of 80 columns and 24 lines, compared with what it looked like when it was looked at.

`UPDATE_SCREENS=1` writes them anew; look at the difference before it is kept.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hpcampus.places import site_at
from hpcampus.yaml_files import read_plain
from tests.install.controller import FOREIGN
from tests.install.terminal import Terminal, asked_now, chosen_now, prompts
from tests.unit.wizard.conftest import CENTRE, QUESTIONS, ROOT

SCREENS = Path(__file__).with_name("screens")
# The same path on every machine, for it stands on the screens.
HOME = Path("/tmp/hpcampus-screens")
PASSWORD = "correct horse"
NAMES = [question.key for question in QUESTIONS]
KNOWN = prompts(NAMES)
TYPED: dict[str, str] = {
    "hub_name": "jupyter.example.org", "ssh_user": "", "controller": "ctl", "compute": "node[1-3]", "admin_password": PASSWORD,
    "password_again": PASSWORD, "course_slug": "physics101", "centre_login": "login.hpc.example.net", "centre_account": "p123hub",
    "centre_host_key": str(CENTRE["centre_host_key"]), "centre_base_dir": "/project/p123/hpcampus", "centre_partition": "interactive",
    "tls": "", "overview": "", "write": "",
}  # fmt: skip
ROWS = {"single": "One server", "own-cluster": "A hub, and Slurm hosts", "remote-centre": "A hub, and one plain"}
# What a person is asked who lets nobody look at the hosts.
ASKED = {
    "single": ["profile", "hub_name", "ssh_user", "tls", "admin_password", "course_slug"],
    "own-cluster": ["profile", "hub_name", "ssh_user", "controller", "compute", "tls", "admin_password", "course_slug"],
    "remote-centre": [
        "profile", "hub_name", "ssh_user", "centre_login", "centre_account", "centre_host_key", "centre_base_dir", "centre_partition",
        "tls", "admin_password", "course_slug",
    ],
}  # fmt: skip

pytestmark = pytest.mark.processes


@pytest.fixture
def start() -> Iterator[Callable[..., Terminal]]:
    """Start setup in a terminal, in a home of its own."""
    shutil.rmtree(HOME, ignore_errors=True)
    HOME.mkdir(mode=0o700)
    terminals: list[Terminal] = []

    def begin(*options: str, **environment: str) -> Terminal:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        env = {**kept, "HOME": str(HOME), "PYTHONPATH": str(ROOT / "wizard"), "LC_ALL": "C.UTF-8", **environment}
        argv = [sys.executable, "-m", "hpcampus", "setup", "--skip-host-keys", *options]
        # tmux's server keeps the environment of the one that starts it.
        words = [f"{name}={env[name]}" for name in ("HOME", "PYTHONPATH", "LC_ALL", *environment)]
        terminals.append(
            Terminal(f"screens-{os.getpid()}-{len(terminals)}", HOME, ["env", *words, *argv], env=env, cwd=HOME)
        )
        return terminals[-1]

    yield begin
    for terminal in terminals:
        terminal.close()
    shutil.rmtree(HOME, ignore_errors=True)


def asked(terminal: Terminal, *names: str) -> str:
    """Wait for one of the questions and give its name."""

    def now(screen: str) -> str:
        name = asked_now(screen, KNOWN)
        return name if name in names else ""

    return str(terminal.wait(now, 30))


def answer(terminal: Terminal, profile: str, name: str) -> None:
    """Give the usual answer to a question."""
    if name == "profile":
        pick(terminal, ROWS[profile])
        return
    terminal.type(TYPED[name])
    terminal.press("Enter")


def pick(terminal: Terminal, beginning: str) -> None:
    """Go down a menu, round at its end, to the row with this beginning, and take it."""
    for _ in range(20):
        now = terminal.wait(chosen_now)
        if now.startswith(beginning):
            terminal.press("Enter")
            return
        terminal.press("Down")
        terminal.wait(moved_from(now), 10)
    raise AssertionError(terminal.screen())


def moved_from(row: str) -> Callable[[str], bool]:
    return lambda screen: chosen_now(screen) not in {"", row}


def compare(terminal: Terminal, name: str, wanted: str) -> None:
    """Wait until the screen is the one that was kept, after it shows `wanted`."""
    path = SCREENS / f"{name}.txt"
    terminal.wait(lambda screen: wanted in screen, 30)
    if os.environ.get("UPDATE_SCREENS"):
        SCREENS.mkdir(exist_ok=True)
        path.write_text(settled(terminal))
    kept = path.read_text()
    try:
        terminal.wait(lambda screen: screen == kept, 10)
    except AssertionError:
        assert terminal.screen() == kept


def settled(terminal: Terminal) -> str:
    """Give the screen once it does not change any more."""
    seen: list[str] = []

    def still(screen: str) -> bool:
        seen.append(screen)
        return len(seen) > 5 and len(set(seen[-5:])) == 1

    terminal.wait(still, 20)
    return terminal.screen()


def ended(terminal: Terminal) -> int:
    terminal.wait(lambda _screen: terminal.ended() is not None, 30)
    status = terminal.ended()
    assert status is not None
    return status


@pytest.mark.parametrize("profile", sorted(ASKED))
def test_every_screen_of_a_profile(start: Any, profile: Any) -> None:
    terminal = start()
    for name in ASKED[profile]:
        assert asked(terminal, name) == name
        compare(terminal, f"{profile}-{name}", "? ")
        answer(terminal, profile, name)
        if name == "admin_password":
            asked(terminal, "password_again")
            answer(terminal, profile, "password_again")
    asked(terminal, "overview")
    compare(terminal, f"{profile}-overview", "> Write the inventory")
    for row, section in (("Platform", "platform"), ("Images", "runtime"), ("First course", "course")):
        pick(terminal, row)
        compare(terminal, f"{profile}-section-{section}", "> Back")
        terminal.press("Escape")
        terminal.wait(lambda screen: chosen_now(screen) == "Write the inventory")
    pick(terminal, "Write the inventory")
    compare(terminal, f"{profile}-changes", "Write it? (Y/n)")
    terminal.press("Enter")
    terminal.wait(lambda screen: "What shall be done?" in screen)
    compare(terminal, f"{profile}-steps", "> Run all")
    pick(terminal, "Quit")
    assert ended(terminal) == 0
    main = read_plain(HOME / "inventory/group_vars/all/main.yml")
    assert main["site_hub_name"] == "jupyter.example.org"
    assert main.get("site_profile", "own-cluster") == profile


def test_wrong_answers_and_help(start: Any) -> None:
    terminal = start()
    asked(terminal, "profile")
    terminal.press("?")
    compare(terminal, "help-of-a-choice", "Shape of the site")
    answer(terminal, "own-cluster", "profile")
    asked(terminal, "hub_name")
    terminal.type("https://jupyter.example.org")
    terminal.press("Enter")
    compare(terminal, "wrong-answer", "Not taken")
    terminal.press("C-u")
    terminal.type("?")
    terminal.press("Enter")
    compare(terminal, "help-of-a-line", "DNS name")
    terminal.type("<")
    terminal.press("Enter")
    assert asked(terminal, "profile") == "profile"


def test_more_variables(start: Any) -> None:
    terminal = start(
        "--set",
        "hub_name=h",
        "--set",
        "course_slug=c",
        "--set",
        "ssh_user=root",
        "--set",
        "profile=single",
        "--set",
        "tls=selfsigned",
    )
    for name in ("admin_password", "password_again"):
        asked(terminal, name)
        answer(terminal, "single", name)
    asked(terminal, "overview")
    pick(terminal, "More variables")
    terminal.wait(lambda screen: "Variable:" in screen)
    terminal.type("a")
    terminal.press("Enter")
    compare(terminal, "variable-too-many", "narrow it down")
    terminal.press("C-u")
    terminal.type("idle")
    terminal.press("Enter")
    terminal.wait(lambda screen: chosen_now(screen).startswith("jupyterhub_idle"))
    terminal.press("Enter")
    compare(terminal, "variable-value", "usually 3600")
    terminal.press("C-u")
    terminal.type("900")
    terminal.press("Enter")
    asked(terminal, "overview")
    pick(terminal, "Write the inventory")
    terminal.wait(lambda screen: "Write it? (Y/n)" in screen)
    terminal.press("Enter")
    terminal.wait(lambda screen: "What shall be done?" in screen)
    assert read_plain(HOME / "inventory/group_vars/all/main.yml")["jupyterhub_idle_timeout_seconds"] == 900


def test_ctrl_c_at_every_question(start: Any) -> None:
    """Stopped at each question in turn, it goes on there; nothing is on disk but the answers, and no password at all."""
    order = [*ASKED["own-cluster"], "overview", "write"]
    draft = HOME / ".local/state/hpcampus" / site_at(HOME / "inventory").identity / "draft.json"
    for number, stop_at in enumerate(order):
        terminal = start()
        while (name := asked(terminal, *order)) != stop_at:
            # What was answered before is not asked again, but the password.
            assert name in {order[number - 1], "admin_password", "overview"}
            answer(terminal, "own-cluster", name)
            if name == "admin_password":
                asked(terminal, "password_again")
                answer(terminal, "own-cluster", "password_again")
            terminal.wait(lambda screen, name=name: asked_now(screen, KNOWN) != name, 30)
        terminal.press("C-c")
        assert ended(terminal) == 130
        assert "Stopped; nothing was written." in terminal.screen()
        assert not (HOME / "inventory").exists()
        kept = json.loads(draft.read_text()) if draft.exists() else {}
        assert set(kept) == {name for name in order[:number] if name in NAMES} - {"admin_password"}
    found = subprocess.run(["grep", "-r", PASSWORD, str(HOME)], capture_output=True, text=True, check=False)
    assert found.stdout == ""


def test_a_terminal_that_shrinks(start: Any) -> None:
    terminal = start()
    asked(terminal, "profile")
    terminal.resize(40, 10)
    answer(terminal, "own-cluster", "profile")
    asked(terminal, "hub_name")
    terminal.type("https://x")
    terminal.press("Enter")
    terminal.wait(lambda screen: "Not taken" in screen)
    terminal.resize(20, 6)
    terminal.press("C-u")
    terminal.resize(80, 24)
    answer(terminal, "own-cluster", "hub_name")
    assert asked(terminal, "ssh_user") == "ssh_user"


@pytest.mark.parametrize("term", ["vt100", "xterm-256color"])
def test_no_colour_and_no_unicode(start: Any, term: Any) -> None:
    terminal = start(NO_COLOR="1", LC_ALL="C", TERM=term)
    for name in ASKED["single"]:
        asked(terminal, name)
        assert terminal.screen().isascii()
        assert not re.search(r"\x1b\[(3[0-8]|9)", terminal.screen(colours=True))
        answer(terminal, "single", name)
        if name == "admin_password":
            asked(terminal, "password_again")
            answer(terminal, "single", "password_again")
    asked(terminal, "overview")
    assert terminal.screen().isascii()


def test_plain_lines(start: Any) -> None:
    terminal = start("--plain")
    for wanted, typed in (
        ("Number [2]:", "1"), ("into their browser:", "jupyter.example.org"), ("use sudo) [root]:", ""), ("Number [1]:", ""),
        ("at least 10 characters:", PASSWORD), ("again:", PASSWORD), ("used in links:", "physics101"),
    ):  # fmt: skip
        terminal.wait(lambda screen, wanted=wanted: screen.rstrip().endswith(wanted), 30)
        terminal.type(typed)
        terminal.press("Enter")
    screen = terminal.wait(lambda screen: screen if screen.rstrip().endswith("Number [6]:") else "", 30)
    assert "  6. Write the inventory" in screen
    assert "  7. More variables" in screen
    terminal.type("<")
    terminal.press("Enter")
    terminal.wait(lambda screen: screen.rstrip().endswith("Number [6]:"), 30)
    terminal.press("Enter")
    compare(terminal, "plain-changes", "Write it? [yes]:")
    terminal.press("Enter")
    terminal.wait(lambda screen: "What shall be done?" in screen)
    assert PASSWORD not in terminal.screen()
