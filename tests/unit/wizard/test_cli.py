# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command as a person and a script meet it: help, errors, exit codes, never a traceback, no colours in a log."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hpcampus import cli, vault
from hpcampus.apply import Installer
from hpcampus.places import Site
from hpcampus.runner import Outcome, Result
from tests.unit.wizard.conftest import CANARY, ROOT, marks

COMMANDS = [
    [], ["setup"], ["apply"], ["verify"], ["doctor"], ["steps"], ["logs"], ["demo"], ["demo", "up"], ["demo", "down"], ["demo", "status"],
    ["demo", "shell"],
]  # fmt: skip


def hpcampus(*arguments: Any, raw: bool = False, **environment: Any) -> Any:
    """Run the command as a process of its own, without a terminal; `raw` leaves its output as bytes."""
    return subprocess.run(
        [sys.executable, "-m", "hpcampus", *arguments],
        capture_output=True,
        text=not raw,
        check=False,
        timeout=60,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "PYTHONPATH": str(ROOT / "wizard"), **environment},
    )


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_teaches(command: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run([*command, "--help"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("Usage: hpcampus")
    assert max(len(line) for line in shown.splitlines()) <= 120


def test_help_shows_the_ways_in(capsys: pytest.CaptureFixture[str]) -> None:
    cli.run(["--help"])
    shown = capsys.readouterr().out
    for wanted in (
        "hpcampus demo up",
        "hpcampus setup",
        "hpcampus apply",
        "hpcampus verify",
        "hpcampus doctor",
        "Exit codes",
    ):
        assert wanted in shown


def test_help_loads_nothing_heavy() -> None:
    heavy = "{'ansible', 'ansible_runner', 'rich', 'questionary', 'ruamel', 'bcrypt', 'cryptography'}"
    code = f"import sys; from hpcampus.cli import run; run(['--help']); print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "wizard")},
    )
    assert done.stdout.splitlines()[-1] == "[]"


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["--version"]) == 0
    assert "hpcampus" in capsys.readouterr().out


def test_steps_are_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["steps"]) == 0
    shown = capsys.readouterr().out.splitlines()
    assert len(shown) == 3 * 9
    assert shown[0] == " 1  base       never run"
    assert shown[1].startswith("    Base of every host: Packages")
    assert shown[2] == "    on hub, slurm_controller, slurm_login, slurm_compute"


@pytest.mark.parametrize(
    ("arguments", "code", "says"),
    [
        (["nonsense"], 2, "No such command"),
        (["apply", "--nonsense"], 2, "No such option"),
        (["apply"], 3, "There is no inventory at"),
        (["verify", "-i", "/nowhere"], 3, "There is no inventory at /nowhere"),
        (["setup"], 7, "--non-interactive"),
        (["setup", "--non-interactive", "--set", "hub_name"], 2, "NAME=VALUE"),
        (["setup", "--non-interactive", "--set", "admin_password=hunter2hunter2"], 4, "--admin-password-file"),
        (["setup", "--non-interactive", "--answers", "none.yml"], 4, "none.yml"),
        (["setup", "--non-interactive", "--admin-password-file", "none"], 4, "none"),
        (["setup", "--non-interactive", "--vault-password-file", "none"], 11, "--vault-password-file"),
        (["setup", "--non-interactive"], 4, "hub_name: an answer is needed"),
        (["demo", "shell", "nine"], 9, "campus, login, c1, c2"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_errors_have_their_code_and_a_cure(
    arguments: Any, code: Any, says: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpcampus.lab.require_root", lambda _argv: None)
    assert cli.run(arguments) == code
    shown = capsys.readouterr()
    assert says in shown.err
    assert "Traceback" not in shown.err + shown.out
    assert "\x1b" not in shown.err + shown.out
    assert "hunter2" not in shown.err + shown.out


def test_an_inventory_without_hosts(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "inventory").mkdir()
    assert cli.run(["apply"]) == 3
    assert "It has no hosts.yml." in capsys.readouterr().err


def test_unexpected_errors_become_a_report(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def broken(*_arguments: Any) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("hpcampus.places.existing_site", broken)
    assert cli.run(["apply"]) == 70
    shown = capsys.readouterr().err
    assert "Traceback" not in shown
    (report,) = (tmp_path / "state/hpcampus").glob("error-*.txt")
    assert str(report) in shown.replace("\n", "")
    assert "RuntimeError" in report.read_text()
    assert report.stat().st_mode & 0o077 == 0


def test_a_second_run_is_kept_out(local_site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    with local_site.state.lock():
        assert cli.run(["apply", "-i", str(local_site.inventory)]) == 6
    assert "Another run works on this inventory" in capsys.readouterr().err


def test_both_choices_at_once(local_site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["apply", "-i", str(local_site.inventory), "--step", "base", "--from", "slurm"]) == 2
    assert "exclude each other" in capsys.readouterr().err


def test_apply_in_a_log(
    local_site: Site, collection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hpcampus.places.find_collection", lambda: collection)
    assert cli.run(["apply", "-i", str(local_site.inventory), "--check", "--step", "one"]) == 0
    shown = capsys.readouterr().out
    assert "1 changes on 1 hosts:" in shown
    assert "one on here\n    Leave a mark\n" in shown
    assert "\x1b" not in shown
    assert marks(local_site) == []
    assert cli.run(["apply", "-i", str(local_site.inventory), "--step", "nine"]) == 2


class Runs:
    """Stands where Ansible would be started: counts, and fails."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, _request: Any, _on_event: Any, _on_tick: Any) -> Any:
        self.count += 1
        return Result(Outcome.FAILED, 1.0, Path("/nowhere"))


@pytest.fixture
def runs(collection: Path, monkeypatch: pytest.MonkeyPatch) -> Runs:
    found = Runs()
    monkeypatch.setattr("hpcampus.places.find_collection", lambda: collection)
    make = Installer

    def with_runs(site: Any, root: Any, view: Any) -> Any:
        return make(site, root, view, found)

    monkeypatch.setattr("hpcampus.apply.Installer", with_runs)
    return found


@pytest.mark.parametrize("command", ["apply", "verify", "doctor"])
def test_a_wrong_vault_key_has_its_own_exit_code(
    local_site: Site, runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str], command: Any
) -> None:
    right, wrong = tmp_path / "right", tmp_path / "wrong"
    right.write_text("right\n")
    wrong.write_text("wrong\n")
    local_site.vault_file.write_text(vault.encrypt("a: 1\n", right))
    base = [command, "-i", str(local_site.inventory), "--vault-password-file"]
    assert cli.run([*base, str(wrong)]) == 11
    shown = capsys.readouterr().err
    assert str(local_site.vault_file) in shown
    assert "--vault-password-file" in shown
    assert runs.count == 0
    assert cli.run([*base, str(right)]) in {1, 8}
    assert runs.count == 1


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["apply"], "hpcampus apply --inventory {inventory}"),
        (["apply", "--vault-password-file", "my key"], "hpcampus apply --inventory {inventory} --vault-password-file 'my key'"),
        (["verify", "--vault-password-file", "my key"], "hpcampus verify --inventory {inventory} --vault-password-file 'my key'"),
        (["doctor"], "hpcampus doctor --inventory {inventory}"),
        (["apply", "--step", "two", "--check"], "hpcampus apply --inventory {inventory} --step two --check"),
    ],
)  # fmt: skip
def test_the_command_to_go_on_with_is_complete(
    local_site: Site, runs: Runs, tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: Any, wanted: Any
) -> None:
    (tmp_path / "my key").write_text("k\n")
    assert cli.run([arguments[0], "-i", str(local_site.inventory), *arguments[1:]]) in {1, 8}
    assert runs.count == 1
    lines = capsys.readouterr().out.splitlines()
    assert f"Go on with:   {wanted.format(inventory=local_site.inventory)}" in lines


@pytest.mark.parametrize("command", ["apply", "verify"])
@pytest.mark.parametrize("name", ["hosts.yml", "group_vars/all/main.yml", "group_vars/hub.yml", "host_vars/here.yaml"])
def test_broken_yaml_is_named_before_ansible_is_started(
    local_site: Site, runs: Runs, capsys: pytest.CaptureFixture[str], command: Any, name: Any
) -> None:
    path = local_site.inventory / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("a: 1\nb: 2\nc: x: y\nd: 4\n")
    assert cli.run([command, "-i", str(local_site.inventory)]) == 3
    shown = capsys.readouterr().err
    assert str(path) in shown
    assert "(line 3)" in shown
    assert runs.count == 0


def test_broken_yaml_in_the_vault_is_named_and_not_shown(
    local_site: Site, runs: Runs, capsys: pytest.CaptureFixture[str]
) -> None:
    local_site.vault_file.write_text(vault.encrypt(f"a: [{CANARY}\n", vault.ensure_key(local_site, None)))
    assert cli.run(["apply", "-i", str(local_site.inventory)]) == 3
    shown = capsys.readouterr()
    assert str(local_site.vault_file) in shown.err
    assert CANARY not in shown.err + shown.out
    assert runs.count == 0


def test_what_ansible_takes_is_left_to_ansible(local_site: Site, runs: Runs, tmp_path: Path) -> None:
    """A name twice, tags of Ansible, an empty file, a vault with another key: no reason to stop."""
    other = tmp_path / "other"
    other.write_text("another key\n")
    with local_site.main_file.open("a") as main:
        main.write("twice: 1\ntwice: 2\nraw: !unsafe '{{'\nsecret: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\n")
    (local_site.main_file.parent / "empty.yml").write_text("# nothing yet\n")
    (local_site.main_file.parent / ".#main.yml").symlink_to("somebody@somewhere")
    (local_site.main_file.parent / "notes.txt").write_text("a: [\n")
    (local_site.main_file.parent / "more.yml").write_text(vault.encrypt("b: 1\n", other))
    assert cli.run(["apply", "-i", str(local_site.inventory)]) == 1
    assert runs.count == 1


def test_a_process_of_its_own_has_the_exit_code() -> None:
    began = time.monotonic()
    assert hpcampus("--help").returncode == 0
    # A loaded machine may be slow; loading Ansible would take longer than this in any case.
    assert time.monotonic() - began < 10
    done = hpcampus("apply")
    assert (done.returncode, "Traceback" in done.stderr) == (3, False)
