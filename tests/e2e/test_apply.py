# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The steps on hosts that are up: one alone, stopped and gone on with, and what is said of a host that does not let us."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pexpect
import pytest

from hpcampus import demo
from hpcampus.errors import ExitCode
from hpcampus.places import Site, site_at
from hpcampus.yaml_files import read_plain

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

HPCAMPUS = str(Path(sys.executable).parent / "hpcampus")
QUIT = r"(\d+)\. Quit; the next run goes on here[^:]*: "
CLERK = "correct horse battery"


@pytest.fixture
def site(platform: Platform, tmp_path: Path) -> Site:
    """Give a copy of the demo's inventory, with a journal of its own."""
    assert platform.passwords
    shutil.copytree(demo.demo_site().inventory, tmp_path / "inventory")
    return site_at(tmp_path / "inventory")


def apply(site: Site, *options: str) -> pexpect.spawn[str]:
    """Start the steps on a terminal."""
    key = f"--vault-password-file={demo.demo_site().default_vault_key}"
    argv = ["apply", f"--inventory={site.inventory}", key, "--plain", *options]
    return pexpect.spawn(HPCAMPUS, argv, timeout=180, encoding="utf-8", dimensions=(40, 200))


def ended(process: pexpect.spawn[str]) -> tuple[int | None, str]:
    """Wait for the end, and quit where a failure asks what to do; give the exit status and what was printed until then."""
    output = ""
    while process.expect([pexpect.EOF, QUIT]):
        output += f"{process.before}{process.after}"
        assert isinstance(process.match, re.Match)
        process.sendline(process.match[1])
    process.close()
    return process.exitstatus, f"{output}{process.before}"


def set_for_host(site: Site, host: str, **variables: str | int) -> None:
    """Change how a host is reached."""
    hosts = read_plain(site.hosts_file)
    assert isinstance(hosts, dict)
    hosts["all"]["hosts"][host].update(variables)
    site.hosts_file.write_text(json.dumps(hosts), encoding="utf-8")


@pytest.mark.usefixtures("platform")
def test_one_step_by_its_playbook() -> None:
    """As an inventory's owner runs it without the wizard."""
    home = demo.demo_site()
    done = subprocess.run(
        [
            "ansible-playbook",
            f"--inventory={home.hosts_file}",
            f"--vault-password-file={home.default_vault_key}",
            "hpcampus.platform.steps.courses",
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "hpcampus.platform.courses : Write the courses" in done.stdout
    assert set(re.findall(r"changed=(\d+)", done.stdout)) == {"0"}


def test_a_stopped_run_goes_on_where_it_was(site: Site) -> None:
    process = apply(site, "--from", "courses")
    process.expect("step 3/3 apache")
    process.sendintr()
    status, _ = ended(process)
    assert status == ExitCode.INTERRUPTED
    status, output = ended(apply(site))
    assert status == ExitCode.OK, output
    assert "done before: courses" in output
    assert "step courses" not in output
    assert "step apache: done" in output


def test_a_killed_run_goes_on_where_it_was(site: Site) -> None:
    process = apply(site, "--from", "courses")
    process.expect("step 3/3 apache")
    os.kill(process.pid, signal.SIGKILL)
    process.close()
    status, output = ended(apply(site))
    assert status == ExitCode.OK, output
    assert "done before: courses" in output
    assert "step courses" not in output


def test_a_wrong_password_for_sudo(platform: Platform, site: Site) -> None:
    platform.on("c1", "useradd", "--create-home", "--groups", "sudo", "clerk", good=(0, 9))
    platform.on("c1", "chpasswd", stdin=f"clerk:{CLERK}\n")
    platform.on("c1", "cp", "--recursive", "/home/admin/.ssh", "/home/clerk/")
    platform.on("c1", "chown", "--recursive", "clerk:clerk", "/home/clerk/.ssh")
    try:
        set_for_host(site, "c1", ansible_user="clerk")
        answers = {"wrong horse": ExitCode.STEP_FAILED, CLERK: ExitCode.OK}
        for answer, expected in answers.items():
            process = apply(site, "--step", "base", "--ask-become-pass")
            process.expect("BECOME password")
            process.sendline(answer)
            status, output = ended(process)
            assert status == expected, output
            assert ("the password for sudo on c1 is wrong" in output) == (expected != ExitCode.OK)
            assert answer not in output
        status, output = ended(apply(site, "--step", "base"))
        assert status == ExitCode.STEP_FAILED
        assert "sudo on c1 asks for a password" in output
        kept = [path for path in site.state.path.rglob("*") if path.is_file()]
        assert kept
        assert [path for path in kept if CLERK.encode() in path.read_bytes()] == []
    finally:
        platform.on("c1", "pkill", "-u", "clerk", good=(0, 1))
        platform.on("c1", "userdel", "--remove", "--force", "clerk", good=(0, 12))


def test_an_unreachable_host(site: Site) -> None:
    set_for_host(site, "c2", ansible_host="127.0.0.9", ansible_port=9)
    status, output = ended(apply(site, "--step", "base"))
    assert status == ExitCode.STEP_FAILED
    assert "c2 does not answer on its ssh port" in output
    status, output = ended(apply(site, "--step", "no-such-step"))
    assert status == ExitCode.USAGE
    assert "courses" in output
