# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is kept of runs: their list, their output, what scripts read of them, and that no secret is in any of it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import threading
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pexpect
import pytest

from hpcampus import cli, vault
from hpcampus.places import Site
from hpcampus.runs import Ending, list_runs, run_name
from hpcampus.screens.console import fit, make_console, readable
from tests.unit.wizard.conftest import CANARY, marks, write_play, write_step
from tests.unit.wizard.test_resume import WAIT, start

BEGAN = datetime(2026, 11, 26, 9, 12, 3, tzinfo=UTC)


def keep(
    state: Path, name: str, status: str = "", returned: str = "", *, stopped: bool = False, seconds: float = 0
) -> None:
    """Leave what ansible-runner leaves of a run."""
    directory = state / "artifacts" / name
    directory.mkdir(parents=True)
    (directory / "stdout").write_text(f"output of {name}\n")
    if status:
        (directory / "status").write_text(status)
        (directory / "rc").write_text(returned)
        ended = BEGAN.timestamp() + seconds
        os.utime(directory / "rc", (ended, ended))
    if stopped:
        (directory / "stopped").touch()


@pytest.mark.parametrize(
    ("left", "locked", "ending", "seconds"),
    [
        ({"status": "successful", "returned": "0", "seconds": 62.4}, False, Ending.DONE, 62.4),
        ({"status": "successful", "returned": "0", "seconds": 1}, True, Ending.DONE, 1),
        ({"status": "failed", "returned": "2", "seconds": 3}, False, Ending.FAILED, 3),
        ({"status": "failed", "returned": "143", "seconds": 3, "stopped": True}, False, Ending.STOPPED, 3),
        ({"status": "canceled", "returned": "254", "seconds": 3}, False, Ending.STOPPED, 3),
        ({}, False, Ending.INTERRUPTED, None),
        ({}, True, Ending.RUNNING, None),
    ],
)
def test_how_a_run_ended(tmp_path: Path, left: Any, locked: Any, ending: Any, seconds: Any) -> None:
    keep(tmp_path, run_name("hub", BEGAN, 7, check=True), **left)
    (tmp_path / "artifacts/something-else").mkdir()
    (run,) = list_runs(tmp_path, locked=locked)
    assert (run.step, run.started, run.ending, run.seconds, run.check) == ("hub", BEGAN, ending, seconds, True)


def test_runs_are_in_the_order_of_time(tmp_path: Path) -> None:
    assert list_runs(tmp_path) == ()
    for number, step in ((2, "b"), (1, "a"), (999_999, "c")):
        keep(tmp_path, run_name(step, BEGAN, number, check=False))
    runs = list_runs(tmp_path, locked=True)
    assert [run.step for run in runs] == ["a", "b", "c"]
    assert [run.ending for run in runs] == [Ending.INTERRUPTED, Ending.INTERRUPTED, Ending.RUNNING]


def test_logs_are_listed_and_printed(local_site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    base = ["logs", "-i", str(local_site.inventory)]
    assert cli.run(base) == 0
    assert "There is no log yet." in capsys.readouterr().out
    state = local_site.state.path
    keep(state, run_name("hub", BEGAN, 1, check=False), "successful", "0", seconds=185)
    keep(state, run_name("slurm", BEGAN, 2, check=True), "failed", "2", seconds=3)
    assert cli.run(base) == 0
    assert capsys.readouterr().out.splitlines() == [
        "2026-11-26 09:12:03 UTC  hub    done         3 min 05 s",
        "2026-11-26 09:12:03 UTC  slurm  failed              3 s  check",
    ]
    assert cli.run([*base, "--last"]) == 0
    assert "-slurm+check\n" in capsys.readouterr().out
    assert cli.run([*base, "hub"]) == 0
    shown = capsys.readouterr().out
    assert "hub: done" in shown
    assert shown.splitlines()[-1].startswith("output of 20261126T091203-000001-hub")
    assert cli.run([*base, "--follow"]) == 0
    assert "output of 20261126T091203-000002-slurm" in capsys.readouterr().out
    assert cli.run([*base, "--json", "hub"]) == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    assert (run["started"], run["step"], run["outcome"], run["seconds"]) == (
        "2026-11-26T09:12:03Z",
        "hub",
        "done",
        185.0,
    )
    assert cli.run([*base, "nine"]) == 2
    assert "Kept are logs of: hub, slurm" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("\x1b[31mred\x1b[0m \x07bell \x9b5n\rback", "[31mred[0m bell 5nback"),
        ("Größe \u2018x\u2019 \u25cf unit \u2026", "Grosse 'x' * unit ..."),
        ("\u65e5\u672c", "??"),
    ],
)
def test_no_text_of_a_host_commands_the_terminal(text: Any, shown: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    assert readable(make_console(), text) == shown
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    assert "\x1b" not in readable(make_console(), text)


@pytest.mark.parametrize(
    ("width", "cut"), [(9, "a sentence"[:7] + ".."), (10, "a sentence"), (2, ".."), (1, "."), (0, "")]
)
def test_lines_are_cut_in_ascii(width: Any, cut: Any) -> None:
    assert fit("a sentence", width) == cut


@pytest.fixture
def run(local_site: Site, collection: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    """Run a command for JSON; gives its exit code, the object, and what went to standard error."""
    monkeypatch.setattr("hpcampus.places.find_collection", lambda: collection)

    def go(*arguments: str) -> Any:
        code = cli.run([*arguments, "--json", "-i", str(local_site.inventory)])
        shown = capsys.readouterr()
        return code, json.loads(shown.out), shown.err

    return go


FAIL = """\
    - name: Get a package
      ansible.builtin.fail: {msg: "E: Could not get lock /var/lib/dpkg/lock-frontend."}
"""


@pytest.mark.processes
def test_apply_for_scripts(run: Any, local_site: Site, collection: Path) -> None:
    write_step(collection, "two", FAIL)
    code, data, errors = run("apply")
    assert code == 1
    assert (data["outcome"], data["check"], data["changed"], data["not_run"]) == ("failed", False, 1, ["three"])
    assert [(step["name"], step["outcome"], step["changed"]) for step in data["steps"]] == [
        ("validate", "done", 0), ("one", "done", 1), ("two", "failed", 0),
    ]  # fmt: skip
    (failure,) = data["steps"][-1]["failures"]
    assert (failure["hosts"], failure["task"]) == (["here"], "Get a package")
    assert "another package manager works on here" in failure["cause"]
    assert "dpkg --configure -a" in failure["cure"]
    assert failure["message"] == ["E: Could not get lock /var/lib/dpkg/lock-frontend."]
    assert Path(data["steps"][-1]["log"]).is_file()
    assert "step two: FAILED" in errors
    write_step(collection, "two")
    code, data, _ = run("apply", "--changed")
    assert (code, data["outcome"]) == (0, "done")
    assert [step["name"] for step in data["steps"]] == ["validate", "two", "three"]
    assert list(data["unchanged"]) == ["one"]
    code, data, _ = run("steps")
    assert [step["state"] for step in data["steps"]] == ["done"] * 3
    code, data, _ = run("logs")
    assert [item["step"] for item in data["runs"]] == ["validate", "one", "two", "validate", "two", "three"]
    assert all(item["seconds"] > 0 for item in data["runs"])
    code, data, errors = run("verify")
    assert (code, data["verdict"]) == (8, "broken")
    assert data["failures"]
    write_play(collection, "verify", "    - name: Show the result\n      ansible.builtin.debug: {msg: [login 0.4 s]}\n")
    code, data, errors = run("verify")
    assert (code, data["verdict"], data["lines"], data["failures"]) == (0, "works", ["login 0.4 s"], [])
    assert marks(local_site) == ["one", "two", "three"]


DIFFS = """\
    - name: Write settings
      ansible.builtin.copy: {{dest: "{place}/settings", content: "new\\n", mode: "0600"}}
    - name: Write a password
      ansible.builtin.copy: {{dest: "{place}/secret", content: "{secret}\\n", mode: "0600"}}
      no_log: true
    - name: Write passwords
      ansible.builtin.copy: {{dest: "{place}/secret-{{{{ item }}}}", content: "{secret}\\n", mode: "0600"}}
      loop: [a, b]
      no_log: true
    - name: Close a file
      ansible.builtin.file: {{path: "{place}/settings", mode: "0600"}}
"""


@pytest.mark.processes
def test_check_says_what_would_change_and_no_secret(
    run: Any, local_site: Site, collection: Path, tmp_path: Path
) -> None:
    (tmp_path / "settings").write_text("old\n")
    (tmp_path / "settings").chmod(0o644)
    write_step(collection, "one", DIFFS.format(place=tmp_path, secret=CANARY))
    code, data, errors = run("apply", "--check", "--step", "one")
    assert (code, data["check"], data["changed"]) == (0, True, 5)
    changes = {change["task"]: change["diff"] for change in data["steps"][-1]["changes"]}
    assert changes["Write settings"] == [f"{tmp_path}/settings", "  -old", "  +new"]
    assert changes["Close a file"] == [f"{tmp_path}/settings", "  mode: 0644 -> 0600"]
    assert changes["Write a password"] == changes["Write passwords"] == []
    assert "5 changes on 1 hosts:" in errors
    assert "one on here\n    Write settings\n" in errors
    assert CANARY not in json.dumps(data) + errors
    for path in local_site.state.path.rglob("*"):
        if path.is_file() and collection not in path.resolve().parents:
            assert CANARY not in path.read_text(errors="replace")
    assert (tmp_path / "settings").read_text() == "old\n"


@pytest.mark.processes
def test_a_run_is_followed_to_its_end(local_site: Site, collection: Path, command: list[str], tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    write_step(collection, "one", WAIT.format(flag=flag))
    with start(command, local_site) as child:
        assert child.stdout is not None
        while "Wait as long" not in (line := child.stdout.readline()):
            assert line, "it ended early"
        argv = [*command, "logs", "--follow", "-i", str(local_site.inventory)]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as follower:
            assert follower.stdout is not None
            first = follower.stdout.readline()
            assert "one: running" in first
            flag.unlink()
            rest = follower.stdout.read()
        child.communicate(timeout=180)
    assert follower.returncode == 0
    # It looks every 0.3 s, and a short step may have ended by then.
    for wanted in (r"TASK \[Leave a mark\]", "two: (running|done)", "three: (running|done)", "PLAY RECAP"):
        assert re.search(wanted, rest), wanted
    assert rest.count("PLAY RECAP") == 3


@pytest.mark.processes
def test_passwords_that_are_typed_are_nowhere(
    local_site: Site, collection: Path, command: list[str], tmp_path: Path
) -> None:
    """The password of sudo, typed at the prompt, and the key of the vault: not in argv, environment, state, output."""
    key = tmp_path / "key"
    key.write_text(f"key-{CANARY}\n")
    local_site.vault_file.write_text(vault.encrypt(f"secret: vault-{CANARY}\n", key))
    use = "    - name: Use it\n      ansible.builtin.command: cat\n      args: {stdin: '{{ secret }}'}\n      no_log: true\n"
    fail = use.replace("Use it", "Fail with it").replace("command: cat", "command: sh -c 'cat >&2; exit 3'")
    write_step(collection, "one", use)
    write_step(collection, "two", fail)
    arguments = [
        "apply",
        "-i",
        str(local_site.inventory),
        "--vault-password-file",
        str(key),
        "--ask-become-pass",
        "--plain",
    ]
    child = pexpect.spawn(
        command[0], [command[1], *arguments], encoding="utf-8", timeout=60, env={**os.environ, "TERM": "xterm"}
    )
    child.expect("BECOME password")
    child.sendline(f"become-{CANARY}")
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.02):
            for path in [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")]:
                with contextlib.suppress(OSError):
                    if CANARY.encode() in path.read_bytes():
                        seen.add(str(path))

    looker = threading.Thread(target=look)
    looker.start()
    try:
        child.expect("5.  ?Quit.*: ")
        shown = child.before
        child.send("5\n")
        child.expect(pexpect.EOF)
        shown += child.before
    finally:
        over.set()
        looker.join()
        child.close(force=True)
    assert seen == set()
    assert "the message is hidden" in shown
    assert CANARY not in shown
    looked_at = 0
    for path in local_site.state.path.parent.rglob("*"):
        if path.is_file() and collection not in path.resolve().parents:
            looked_at += 1
            assert CANARY.encode() not in path.read_bytes(), path
    assert looked_at > 5
