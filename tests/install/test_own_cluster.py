# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub and a Slurm cluster, installed unattended by the answers file that a person's session recorded; killed, and resumed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from hpcampus.lab import Host, Lab
from hpcampus.lab.places import lab_dir
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
    steps_left_by,
    typed,
    write_own_lines,
    yes,
)
from tests.install.watch import ArgvWatch

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

LAB = "install-own"
HOSTS = (
    Host("campus", aliases=("hub.example.org",)),
    Host("login", shared=True),
    Host("c1", shared=True),
    Host("c2", shared=True),
)
QUESTIONS_AT_MOST = 12
UNCHANGED_SECONDS_AT_MOST = 20
# From the first question to the proof.
STAGES = ("setup", "apply, killed", "apply, resumed", "verify")
KILLED_IN = "hub"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Install]:
    lab = Lab(LAB, HOSTS)
    lab.down(print)
    try:
        lab.up(print)
        controller = Controller(tmp_path_factory.mktemp("admin"), names_of(lab), lab_dir(LAB) / "id_ed25519")
        write_own_lines(controller, "recorded", "inventory")
        with ArgvWatch() as watch:
            install = Install(controller, lab, watch)
            answers = {
                "profile": line("A hub, and Slurm hosts"),
                "hub_name": typed("hub.example.org"),
                "ssh_user": typed("admin"),
                "controller": typed("login"),
                "compute": typed("c[1-2]"),
                "keys_confirmed": yes,
                "tls": enter,
                "admin_password": secret(install.password),
                "password_again": secret(install.password),
                "course_slug": typed("physics"),
                "overview": line("Write the inventory"),
                "write": yes,
                "menu": line("Quit"),
            }
            record = ("-i", "recorded", "--record", "answers.yml")
            install.timed("conversation", install.conversation("own-cluster", answers, *record))
            given = ("--answers", "answers.yml", "--admin-password-file", "-", "--accept-new-host-keys")
            install.timed("setup", install.command("setup", "--non-interactive", *given, stdin=f"{install.password}\n"))
            install.timed("apply, killed", install.killed(KILLED_IN, 15))
            install.left = steps_left_by(controller)
            install.timed("apply, resumed", install.command("apply"))
            install.timed("verify", install.command("verify"))
            install.timed("apply --changed, nothing changed", install.command("apply", "--changed"))
            yield install
    finally:
        lab.down(print)


def test_few_questions_are_asked(installed: Install) -> None:
    assert len(installed.questions()) <= QUESTIONS_AT_MOST, installed.asked
    assert len(set(installed.asked)) == len(installed.asked)


def test_the_recorded_session_makes_the_same_inventory(installed: Install) -> None:
    recorded, replayed = installed.inventory("recorded"), installed.inventory()
    vault = "group_vars/all/vault.yml"
    assert {name: text for name, text in replayed.items() if name != vault} == {
        name: text for name, text in recorded.items() if name != vault
    }
    assert recorded[vault] != replayed[vault]


def test_a_killed_run_goes_on_where_it_was(installed: Install) -> None:
    before = [name for name, status in installed.left.items() if status == "done"]
    assert installed.left[KILLED_IN] == "running"
    assert before
    said = installed.said["apply, resumed"]
    assert re.search(rf"cut off in the middle of the step {KILLED_IN}\b", said)
    begun = re.findall(r"^step \d+/\d+ (\S+):", said, re.MULTILINE)
    assert begun[0] == "validate"
    assert begun[1] == KILLED_IN
    assert not set(before) & set(begun)


def test_the_platform_works(installed: Install) -> None:
    assert re.search(r"The cell ran on c[12] as job 1 ", installed.said["verify"])
    assert "The platform works." in installed.said["verify"]


def test_a_run_that_finds_nothing_changed_is_short(installed: Install) -> None:
    assert "There was nothing to do" in installed.said["apply --changed, nothing changed"]
    assert installed.seconds["apply --changed, nothing changed"] <= UNCHANGED_SECONDS_AT_MOST


def test_it_does_not_take_long(installed: Install) -> None:
    assert sum(installed.seconds[stage] for stage in STAGES) <= SECONDS_AT_MOST


def test_no_secret_is_seen_where_it_must_not_be(installed: Install, tmp_path: Path) -> None:
    assert leaks(installed, tmp_path) == {}
    assert installed.watch.looks > sum(installed.seconds.values())
    assert [
        name for name in ("ansible-playbook", "hpcampus", "jupyterhub") if not installed.watch.holding({"": name})
    ] == []


def test_what_was_measured_is_written_down(installed: Install) -> None:
    write("own-cluster", installed.facts(STAGES))
