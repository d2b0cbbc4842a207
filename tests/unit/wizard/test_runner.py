# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Real playbooks on this machine: success, failure with a cause, Ctrl-C, going on, and no secret left anywhere."""

from __future__ import annotations

import contextlib
import os
import signal
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any

import ansible_runner
import pytest
from rich.console import Console

from hpcampus import runner
from hpcampus.apply import Installer, Options, load_steps
from hpcampus.catalogue import find_step
from hpcampus.errors import StepFailedError
from hpcampus.events import Event, Kind, StepLog
from hpcampus.inventory_files import Documents, update, write_documents
from hpcampus.places import Site
from hpcampus.runner import Outcome, Request, run_playbook
from hpcampus.screens.progress import LiveView, PlainView
from hpcampus.screens.summary import print_failures
from tests.unit.wizard.conftest import CANARY, marks, write_step

pytestmark = pytest.mark.processes

FAIL = """\
    - name: Install something
      ansible.builtin.fail: {msg: "E: Could not get lock /var/lib/dpkg/lock-frontend."}
"""
SLOW = """\
    - name: Wait for a long time
      ansible.builtin.command: sleep 987
"""


class Recorder(PlainView):
    """A plain view that keeps what it printed, and does something at chosen moments."""

    def __init__(
        self, at_event: Callable[[Event], None] = lambda _event: None, at_tick: Callable[[], None] = lambda: None
    ) -> None:
        super().__init__(Console(record=True, width=200, file=StringIO()))
        self.at_event, self.at_tick = at_event, at_tick

    def event(self, event: Event, log: StepLog) -> None:
        super().event(event, log)
        self.at_event(event)

    def tick(self) -> None:
        self.at_tick()

    @property
    def text(self) -> str:
        return self.console.export_text(clear=False)


def installer(site: Site, collection: Path, view: Any = None) -> Any:
    site.state.make()
    return Installer(site, collection, view or Recorder())


def run_one(site: Site, collection: Path, view: Any = None, name: Any = "one", **options: Any) -> Any:
    """Run one step for real, without the check of the inventory before it."""
    step = find_step(load_steps(collection), name)
    return installer(site, collection, view).run_step(step, Options(**options))


def test_steps_run_by_their_full_names(local_site: Site, collection: Path) -> None:
    view = Recorder()
    report = installer(local_site, collection, view).apply(Options(start="two"))
    assert report.outcome is Outcome.SUCCESSFUL
    assert marks(local_site) == ["two", "three"]
    assert [len(step.log.changes) for step in report.steps] == [0, 1, 1]
    assert "step 2/3 two: Second" in view.text
    assert view.text.count("changed  here") == 2
    assert "\x1b" not in view.text
    assert local_site.state.load().finished


def test_a_failure_has_a_cause(local_site: Site, collection: Path) -> None:
    write_step(collection, "two", FAIL)
    report = run_one(local_site, collection, name="two")
    assert report.result.outcome is Outcome.FAILED
    assert marks(local_site) == []
    view = Recorder()
    print_failures(view.console, report, "hpcampus apply")
    assert "Failed on here: Install something" in view.text
    assert "Could not get lock" in view.text
    assert "Likely cause: another package manager works on here" in view.text
    assert "Go on with:   hpcampus apply" in view.text


def test_check_changes_nothing_and_the_live_view_leaves_one_line(local_site: Site, collection: Path) -> None:
    console = Console(force_terminal=True, width=80, file=StringIO(), record=True)
    report = run_one(local_site, collection, LiveView(console), check=True)
    assert (report.result.outcome, len(report.log.changes)) == (Outcome.SUCCESSFUL, 1)
    assert marks(local_site) == []
    assert "step one: done in" in console.export_text()


def test_ctrl_c_stops_the_playbook(local_site: Site, collection: Path) -> None:
    write_step(collection, "one", SLOW)
    interrupted = threading.Event()

    def at_the_slow_task(event: Event) -> None:
        if event.kind is Kind.TASK and event.task == "Wait for a long time" and not interrupted.is_set():
            interrupted.set()
            signal.raise_signal(signal.SIGINT)

    view = Recorder(at_event=at_the_slow_task)
    report = run_one(local_site, collection, view)
    assert report.result.outcome is Outcome.STOPPED
    assert marks(local_site) == []
    assert report.status == "stopped"
    assert _within(30, lambda: not _playbooks(local_site.state.path))


def test_ctrl_c_before_the_playbook_has_started(
    local_site: Site, collection: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_step(collection, "one", SLOW)
    monkeypatch.setattr(runner, "GRACE_SECONDS", 60)
    start_runner = ansible_runner.interface.init_runner

    def interrupted_start(**arguments: Any) -> Any:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(1)
        return start_runner(**arguments)

    monkeypatch.setattr(ansible_runner.interface, "init_runner", interrupted_start)
    report = run_one(local_site, collection)
    assert report.result.outcome is Outcome.STOPPED
    assert marks(local_site) == []
    assert report.result.seconds < runner.GRACE_SECONDS
    assert _within(30, lambda: not _playbooks(local_site.state.path))


@pytest.mark.parametrize("begun", [True, False])
def test_ctrl_c_while_the_run_begins(
    local_site: Site, collection: Path, monkeypatch: pytest.MonkeyPatch, *, begun: bool
) -> None:
    write_step(collection, "one", SLOW)
    start = threading.Thread.start

    def interrupted_start(thread: threading.Thread) -> None:
        if begun or thread.name != "ansible-runner":
            start(thread)
        if thread.name == "ansible-runner":
            raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "start", interrupted_start)
    if begun:
        assert run_one(local_site, collection).result.outcome is Outcome.STOPPED
    else:
        monkeypatch.setattr(runner, "BEGIN_SECONDS", 1)
        with pytest.raises(KeyboardInterrupt):
            run_one(local_site, collection)
    assert marks(local_site) == []
    assert _within(30, lambda: not _playbooks(local_site.state.path))


@pytest.mark.parametrize("typed", [False, True], ids=["key in a file", "key typed"])
def test_no_secret_in_argv_environment_or_artifacts(
    local_site: Site, collection: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, typed: bool
) -> None:
    monkeypatch.setenv("SOME_TOKEN", f"env-{CANARY}")
    key = tmp_path / "key"
    key.write_text(f"key-{CANARY}\n")
    documents = Documents()
    update(documents.main, {"mark": str(local_site.inventory.parent / "marks")})
    update(documents.secrets, {"secret": f"vault-{CANARY}"})
    hosts = local_site.hosts_file.read_text()
    write_documents(local_site, documents, key)
    local_site.hosts_file.write_text(hosts)
    use = "    - name: Use it\n      ansible.builtin.command: cat\n      args: {stdin: '{{ secret }}'}\n      no_log: true\n"
    write_step(collection, "one", use)
    seen = set()

    if typed:
        key.unlink()
    # What the wizard was started with is the caller's own; its playbooks inherit that, and nothing more may come to it.
    secrets = [f"{kind}-{CANARY}".encode() for kind in ("key", "vault", "become")]

    def look() -> None:
        for path in [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")]:
            with contextlib.suppress(OSError):
                text = path.read_bytes()
                if any(secret in text for secret in secrets):
                    seen.add(path)

    view = Recorder(at_tick=look)
    given = {"vault_password": f"key-{CANARY}"} if typed else {"vault_password_file": key}
    options: dict[str, Any] = {**given, "become_password": f"become-{CANARY}"}
    report = run_one(local_site, collection, view, **options)
    assert report.result.outcome is Outcome.SUCCESSFUL
    assert marks(local_site) == ["one"]
    assert seen == set()
    assert CANARY not in view.text + repr(Options(**options))
    for root in (local_site.state.path, local_site.inventory):
        for path in root.rglob("*"):
            if path.is_file() and collection not in path.resolve().parents:
                assert CANARY.encode() not in path.read_bytes(), path
    for path in [local_site.state.path, *(local_site.state.path / "artifacts").rglob("*")]:
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0 or path.parent.stat().st_mode & 0o077 == 0


def test_a_broken_playbook_shows_what_ansible_said(local_site: Site, collection: Path) -> None:
    (collection / "playbooks/steps/one.yml").write_text("- hosts: all\n  taks: []\n")
    view = Recorder()
    report = run_one(local_site, collection)
    assert report.result.outcome is Outcome.FAILED
    print_failures(view.console, report, "hpcampus apply")
    assert "taks" in view.text


def test_a_host_that_is_not_there(local_site: Site, collection: Path) -> None:
    argv = "-o ConnectTimeout=2"
    local_site.hosts_file.write_text(
        f"all: {{hosts: {{gone: {{ansible_host: 127.0.0.9, ansible_port: 9, ansible_ssh_common_args: '{argv}'}}}}}}\n"
    )
    local_site.main_file.write_text("mark: /dev/null\n")
    (collection / "playbooks/steps/one.yml").write_text(
        "- hosts: all\n  gather_facts: false\n  tasks: [{name: Knock, ansible.builtin.ping: }]\n"
    )
    view = Recorder()
    report = run_one(local_site, collection)
    print_failures(view.console, report, "hpcampus apply")
    assert "Cannot reach gone" in view.text
    assert "does not answer on its ssh port" in view.text


def test_ansible_runner_itself_may_fail(local_site: Site, collection: Path) -> None:
    request = Request("x", local_site.hosts_file, local_site.state.path, collection, "../../" + "x" * 300)
    with pytest.raises(StepFailedError):
        run_playbook(request, lambda _event: None, lambda: None)


def test_a_killed_wizard_takes_its_playbook_along(local_site: Site, collection: Path, tmp_path: Path) -> None:
    write_step(collection, "one", SLOW.replace("987", "986"))
    script = tmp_path / "kill.py"
    script.write_text(
        "import sys, pathlib\nfrom rich.console import Console\nfrom hpcampus.apply import Installer, Options\n"
        "from hpcampus.places import site_at\nfrom hpcampus.screens.progress import PlainView\n"
        "site = site_at(pathlib.Path(sys.argv[1])); site.state.make()\n"
        "Installer(site, pathlib.Path(sys.argv[2]), PlainView(Console())).apply(Options())\n"
    )
    argv = [sys.executable, "-u", str(script), str(local_site.inventory), str(collection)]
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env=environment) as child:
        assert child.stdout is not None
        while b"Wait for a long time" not in (line := child.stdout.readline()):
            assert line, "the playbook ended early"
        # Ansible hands the signal on to its workers, but not to one that it is just about to fork: the next run ends that.
        assert _within(30, lambda: _processes(b"sleep\x00986", local_site.state.path))
        playbooks = _playbooks(local_site.state.path)
        assert playbooks
        child.send_signal(signal.SIGKILL)
    assert _within(30, lambda: not any(Path(f"/proc/{pid}").exists() for pid in playbooks))
    assert local_site.state.load().records["one"].status == "running"


def _within(seconds: float, condition: Callable[[], object]) -> bool:
    """Tell whether something comes to be true in that time."""
    limit = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > limit:
            return False
        time.sleep(0.1)
    return True


def _playbooks(state: Path) -> list[int]:
    """Give the processes of ansible-playbook that work in a state directory."""
    return _processes(b"ansible-playbook", state)


def _processes(words: bytes, state: Path) -> list[int]:
    """Give the processes with these words in their command that work in a state directory."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            argv = (path / "cmdline").read_bytes()
            if words in argv and str(state).encode() in (path / "environ").read_bytes():
                found.append(int(path.name))
    return found
