# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 in the middle of every step: nothing goes on by itself, and the next run tells it and goes on there."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from hpcampus import runner
from hpcampus.apply import Options
from hpcampus.places import Site
from hpcampus.runner import end_leftovers
from tests.unit.wizard.conftest import marks, write_step
from tests.unit.wizard.test_runner import installer

pytestmark = pytest.mark.processes

STEPS = ("one", "two", "three")
WAIT = """\
    - name: Wait as long as there is a file
      ansible.builtin.command: sh -c 'while test -e {flag}; do sleep 0.1; done'
"""


def processes(state: Path) -> list[int]:
    """Give every process that a run in this state directory has started, zombies left out."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if f"AWX_ISOLATED_DATA_DIR={state}".encode() in (entry / "environ").read_bytes():
                found.append(int(entry.name))
    return found


def wait_for(what: Any, seconds: float = 60) -> bool:
    limit = time.monotonic() + seconds
    while not what() and time.monotonic() < limit:
        time.sleep(0.05)
    return bool(what())


def start(command: list[str], site: Site, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [*command, "apply", "-i", str(site.inventory), *options],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=dict(os.environ),
    )


@pytest.mark.parametrize("name", STEPS)
def test_killed_in_the_middle_of_a_step(
    local_site: Site, collection: Path, command: list[str], tmp_path: Path, name: str
) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    write_step(collection, name, WAIT.format(flag=flag))
    with start(command, local_site) as child:
        assert child.stdout is not None
        while "Wait as long" not in (line := child.stdout.readline()):
            assert line, "it ended early"
        assert wait_for(lambda: len(processes(local_site.state.path)) > 1)
        child.send_signal(signal.SIGKILL)
    before = STEPS[: STEPS.index(name)]
    journal = local_site.state.load()
    assert journal.records[name].status == "running"
    assert [one for one, record in journal.records.items() if record.status == "done"] == list(before)
    assert marks(local_site) == list(before)
    # The playbook goes with its wizard; what it had started ends by itself or with the next run.
    assert wait_for(lambda: not any(b"ansible-playbook" in argv(pid) for pid in processes(local_site.state.path)))

    flag.unlink()
    with start(command, local_site) as again:
        shown = again.communicate(timeout=180)[0]
    assert again.returncode == 0, shown
    assert f"cut off in the middle of the step {name}, which began 20" in shown
    if before:
        assert f"Going on where the last run stopped; done before: {', '.join(before)}" in shown
    assert marks(local_site) == list(STEPS)
    assert processes(local_site.state.path) == []
    with start(command, local_site, "--changed") as third:
        shown = third.communicate(timeout=180)[0]
    assert "cut off" not in shown
    assert shown.count("left out: ") == 3


def argv(pid: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    return b""


def test_what_a_killed_run_left_behind_is_ended_before_the_next(
    local_site: Site, collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where there is no setpriv: the playbook itself outlives its wizard, and does not listen either."""
    monkeypatch.setattr(runner, "GRACE_SECONDS", 1)
    local_site.state.make()
    code = (
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); time.sleep(600)"
    )
    mark = f"{local_site.state.path}/artifacts/20261126T080000-000001-one"
    environment = {**os.environ, "AWX_ISOLATED_DATA_DIR": mark}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as left:
        assert left.stdout is not None
        left.stdout.readline()
        other = {**os.environ, "AWX_ISOLATED_DATA_DIR": f"{local_site.state.path}-other/artifacts/x"}
        with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=other) as stranger:
            try:
                report = installer(local_site, collection).apply(Options(only=("one",)))
                assert report.plan.ended == 1
                assert left.wait(timeout=5) == -signal.SIGKILL
                assert stranger.poll() is None
            finally:
                stranger.kill()
    assert end_leftovers(local_site.state.path) == 0


def test_a_second_run_waits_for_nobody(local_site: Site, collection: Path, command: list[str], tmp_path: Path) -> None:
    flag = tmp_path / "flag"
    flag.touch()
    write_step(collection, "one", WAIT.format(flag=flag))
    with start(command, local_site) as first:
        assert first.stdout is not None
        while "Wait as long" not in (line := first.stdout.readline()):
            assert line, "it ended early"
        with start(command, local_site) as second:
            shown = second.communicate(timeout=30)[0]
        assert second.returncode == 6
        assert str(first.pid) in shown
        flag.unlink()
        first.communicate(timeout=180)
    assert first.returncode == 0
    assert marks(local_site) == list(STEPS)
