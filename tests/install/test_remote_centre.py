# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub, and one plain account at a centre behind a firewall, installed by a person who sits at a terminal all the time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hpcampus.lab import Lab
from hpcampus.lab.places import lab_dir
from tests.contract.checkout import ROOT
from tests.install.controller import Controller
from tests.install.report import write
from tests.install.stages import (
    SECONDS_AT_MOST,
    Install,
    enter,
    leaks,
    line,
    names_of,
    secret,
    typed,
    write_own_lines,
    yes,
)
from tests.install.terminal import Terminal, chosen_now
from tests.install.watch import ArgvWatch

if TYPE_CHECKING:
    from collections.abc import Iterator

SCENARIO = ROOT / "molecule/remote_centre"
LAB = "install-centre"
QUESTIONS_AT_MOST = 10
UNCHANGED_SECONDS_AT_MOST = 20
STAGES = ("setup, apply and verify in one terminal",)


def play(playbook: Path, scratch: Path) -> None:
    """Run a playbook of the scenario on hosts of this test."""
    inventories = [f"--inventory={place}/inventory" for place in (ROOT / "molecule/shared", SCENARIO)]
    done = subprocess.run(
        [str(Path(sys.executable).parent / "ansible-playbook"), *inventories, str(playbook)],
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".cache/collections"),
            "ANSIBLE_PIPELINING": "1",
            "ANSIBLE_STRATEGY": "one_python",
            "ANSIBLE_STRATEGY_PLUGINS": str(ROOT / "molecule/shared/plugins/strategy"),
            "HPCAMPUS_LAB": LAB,
            "HPCAMPUS_PROOF_DIR": str(scratch / "proof"),
            "PYTHONPATH": f"{ROOT / 'wizard'}:{ROOT}",
        },
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


def work_with_menu(terminal: Terminal) -> None:
    """Run the steps, prove the platform, and quit; keep a screen of every step."""
    line("Run all steps")(terminal)
    seen = set()

    def until(end: str) -> None:
        def look(screen: str) -> bool:
            for step in re.findall(r"^step \d+/\d+ (\S+):", screen, re.MULTILINE):
                if step not in seen:
                    seen.add(step)
                    terminal.keep(f"step-{step}")
            assert "What to do:" not in screen, screen
            return end in screen and bool(chosen_now(screen))

        terminal.wait(look, 900)

    until("All steps are done")
    terminal.keep("steps-done")
    line("Prove that the platform works")(terminal)
    until("The platform works.")
    terminal.keep("proof")
    line("Quit")(terminal)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Install]:
    scratch = tmp_path_factory.mktemp("centre")
    play(ROOT / "molecule/shared/destroy.yml", scratch)
    try:
        play(SCENARIO / "create.yml", scratch)
        play(SCENARIO / "centre.yml", scratch)
        lab = Lab.saved(LAB)
        # The centre's compute node is none of the hosts that the admin can reach.
        names = {name: address for name, address in names_of(lab).items() if name != "c1"}
        controller = Controller(tmp_path_factory.mktemp("admin"), names, lab_dir(LAB) / "id_ed25519")
        write_own_lines(controller, "inventory", "replayed")
        with ArgvWatch() as watch:
            install = Install(controller, lab, watch)
            answers = {
                "profile": line("A hub, and one plain account"),
                "hub_name": typed("hub.example.org"),
                "ssh_user": typed("admin"),
                "centre_login": typed("login"),
                "centre_account": typed("p123hub"),
                "keys_confirmed": yes,
                "tls": enter,
                "admin_password": secret(install.password),
                "password_again": secret(install.password),
                "course_slug": typed("physics"),
                "overview": line("Write the inventory"),
                "write": yes,
                "menu": work_with_menu,
            }
            install.timed(STAGES[0], install.conversation("remote-centre", answers, "--record", "answers.yml"))
            install.timed("apply --changed, nothing changed", install.command("apply", "--changed"))
            given = ("--answers", "answers.yml", "--admin-password-file", "-", "--accept-new-host-keys")
            replay = install.command(
                "setup", "-i", "replayed", "--non-interactive", *given, stdin=f"{install.password}\n"
            )
            install.timed("setup again, from the recorded answers", replay)
            yield install
    finally:
        play(ROOT / "molecule/shared/destroy.yml", scratch)


def test_few_questions_are_asked(installed: Install) -> None:
    assert len(installed.questions()) <= QUESTIONS_AT_MOST, installed.asked
    assert len(set(installed.asked)) == len(installed.asked)


def test_the_recorded_session_makes_the_same_inventory(installed: Install) -> None:
    recorded, replayed = installed.inventory(), installed.inventory("replayed")
    vault = "group_vars/all/vault.yml"
    assert {name: text for name, text in replayed.items() if name != vault} == {
        name: text for name, text in recorded.items() if name != vault
    }


def test_the_platform_works_on_the_node_of_the_centre(installed: Install) -> None:
    said = installed.said[STAGES[0]]
    assert re.search(r"The cell ran on c1 as job \d", said)
    assert "The platform works." in said


def test_every_step_has_a_screen(installed: Install) -> None:
    kept = {path.stem.partition("-step-")[2] for path in installed.screens()} - {""}
    assert {"validate", "base", "tunnel", "hub", "gateway", "images", "courses", "apache", "verify"} <= kept


def test_a_run_that_finds_nothing_changed_is_short(installed: Install) -> None:
    assert "There was nothing to do" in installed.said["apply --changed, nothing changed"]
    assert installed.seconds["apply --changed, nothing changed"] <= UNCHANGED_SECONDS_AT_MOST


def test_it_does_not_take_long(installed: Install) -> None:
    assert sum(installed.seconds[stage] for stage in STAGES) <= SECONDS_AT_MOST


def test_no_secret_is_seen_where_it_must_not_be(installed: Install, tmp_path: Path) -> None:
    assert leaks(installed, tmp_path) == {}
    assert [
        name for name in ("ansible-playbook", "hpcampus", "jupyterhub") if not installed.watch.holding({"": name})
    ] == []


def test_what_was_measured_is_written_down(installed: Install) -> None:
    write("remote-centre", installed.facts(STAGES))
