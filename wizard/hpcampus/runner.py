# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs one playbook through ansible-runner. The only module that imports it.

ansible-runner works in a thread of its own and puts every event into a queue; the caller takes them out, draws, and may
be interrupted at any time. Secrets: the vault key is named by a path or typed into Ansible's prompt, as a become password
is, and the copy of the environment that ansible-runner leaves among its artifacts is removed before a task runs.
"""

from __future__ import annotations

import contextlib
import os
import queue
import shlex
import shutil
import signal
import sys
import threading
import time
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ansible_runner

from hpcampus.errors import CollectionError, StepFailedError
from hpcampus.events import Event, parse_event
from hpcampus.files import PRIVATE_FILE, make_private_directory, write_atomically
from hpcampus.runs import STOPPED_MARK

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

KEEP_ARTIFACTS = 60
POLL_SECONDS = 0.1
# How long a new thread may take to get a processor.
BEGIN_SECONDS = 10
GRACE_SECONDS = 5
BECOME_PROMPT = r"^BECOME password.*:\s*$"
VAULT_PROMPT = r"^Vault password.*:\s*$"

ANSIBLE_CFG = """\
# Written by hpcampus for its own runs. To run a step by hand, start ansible-playbook in this directory.
[defaults]
collections_path = {collections}
forks = 10
host_key_checking = True
# By default it asks its workers a thousand times in a second whether they are done, and takes the processor from them.
internal_poll_interval = 0.01
interpreter_python = /usr/bin/python3
retry_files_enabled = False
timeout = 20

[ssh_connection]
pipelining = True
ssh_args = -o BatchMode=yes -o ControlMaster=auto -o ControlPersist=60s
"""


class Outcome(StrEnum):
    """How a playbook ended."""

    SUCCESSFUL = "successful"
    FAILED = "failed"
    STOPPED = "stopped"


@dataclass(frozen=True)
class Request:
    """What to run.

    Attributes:
        playbook: Full collection name, or a path.
        hosts_file: Inventory file; the variables lie beside it.
        state: Private directory for artifacts and facts.
        collections: Directory for ANSIBLE_COLLECTIONS_PATH.
        vault_password_file: File or program that gives the vault's password.
        vault_password: The password itself, where no file gives it; kept in memory only.
        become_password: Password for sudo on the hosts; kept in memory only.
        check: Whether to announce changes instead of making them.
        ident: Name of the directory of artifacts.
        variables: Variables of the playbook itself; never a secret, for they stand on its command line.
    """

    playbook: str
    hosts_file: Path
    state: Path
    collections: Path
    ident: str
    vault_password_file: Path | None = None
    vault_password: str | None = field(default=None, repr=False)
    become_password: str | None = field(default=None, repr=False)
    check: bool = False
    variables: Mapping[str, object] = field(default_factory=dict)

    @property
    def artifacts(self) -> Path:
        """Directory of what is kept of the run."""
        return self.state / "artifacts" / self.ident

    @property
    def output(self) -> Path:
        """What ansible-playbook prints."""
        return self.artifacts / "stdout"


@dataclass(frozen=True)
class Result:
    """How it went.

    Attributes:
        outcome: Judged by status and return code, for a failed event may have been rescued; stopped after a Ctrl-C.
        seconds: Wall time.
        log: What ansible-playbook printed.
    """

    outcome: Outcome
    seconds: float
    log: Path

    def tail(self, count: int = 15) -> tuple[str, ...]:
        """Give the last lines that ansible-playbook printed."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
            return tuple(line.rstrip() for line in lines if line.strip())[-count:]
        return ()


def run_playbook(request: Request, on_event: Callable[[Event], None], on_tick: Callable[[], None]) -> Result:
    """Run a playbook to its end.

    Args:
        request: What to run.
        on_event: Called in this thread for every event.
        on_tick: Called in this thread about ten times a second.

    Returns:
        How it went. Ctrl-C ends the playbook and gives the outcome `stopped`.

    Raises:
        StepFailedError: ansible-runner itself failed.
        CollectionError: ansible-playbook is not installed.
    """
    job = _Job(request)
    started = time.monotonic()
    stopped = not job.begin()
    while True:
        try:
            if not _pump(job, on_event, on_tick):
                break
        except KeyboardInterrupt:
            stopped = True
            job.stop()
    job.thread.join()
    if stopped:
        _signal(_processes(job.artifacts), signal.SIGKILL)
        if job.artifacts.is_dir():
            write_atomically(job.artifacts / STOPPED_MARK, "", PRIVATE_FILE)
    if job.problem is not None:
        raise StepFailedError("runner-broke", playbook=request.playbook, problem=job.problem) from job.problem
    return Result(_outcome(job, stopped=stopped), time.monotonic() - started, request.output)


def _pump(job: _Job, on_event: Callable[[Event], None], on_tick: Callable[[], None]) -> bool:
    """Hand on what is in the queue; False when the job has ended and the queue is empty."""
    alive = job.thread.is_alive()
    job.see_to_the_stop()
    try:
        raw = job.events.get(timeout=POLL_SECONDS)
    except queue.Empty:
        on_tick()
        return alive
    event = parse_event(raw)
    if event is not None:
        on_event(event)
    on_tick()
    return True


def _outcome(job: _Job, *, stopped: bool) -> Outcome:
    # Also when it came to its end all the same: whoever pressed Ctrl-C does not want the next step.
    if stopped or job.status == "canceled":
        return Outcome.STOPPED
    return Outcome.SUCCESSFUL if job.status == "successful" and job.returncode == 0 else Outcome.FAILED


class _Job:
    """A run of ansible-runner in its own thread."""

    def __init__(self, request: Request) -> None:
        self.request = request
        self.events: queue.SimpleQueue[Mapping[str, object]] = queue.SimpleQueue()
        self.cancelled = threading.Event()
        self.begun = threading.Event()
        self.thread = threading.Thread(target=self._work, name="ansible-runner", daemon=True)
        self.problem: Exception | None = None
        self.status = "unstarted"
        self.returncode: int | None = None
        self.artifacts = request.artifacts
        self.stopped_at: float | None = None
        self.asked_to_end = False

    def begin(self) -> bool:
        """Start the thread; False when it runs and a Ctrl-C came meanwhile, which has asked it to end.

        Raises:
            KeyboardInterrupt: It came before there was anything to end.
        """
        try:
            self.thread.start()
        except KeyboardInterrupt:
            if not self.begun.wait(BEGIN_SECONDS):
                raise
            self.stop()
            return False
        return True

    def _work(self) -> None:
        self.begun.set()
        try:
            runner = ansible_runner.interface.init_runner(**_arguments(self))
            runner.config.command = _guarded(runner.config.command)
            runner.run()
        except Exception as problem:  # noqa: BLE001 -- carried to the caller's thread and raised there
            self.problem = problem
        else:
            self.status, self.returncode = runner.status, runner.rc

    def stop(self) -> None:
        """Ask the playbook to end, so that it ends its own workers; when asked again, end it at once."""
        if self.stopped_at is not None:
            self.cancelled.set()
            return
        self.stopped_at = time.monotonic()
        self.see_to_the_stop()

    def see_to_the_stop(self) -> None:
        """Hand on a wish to stop as soon as there is a playbook to hear it, and end one that does not listen."""
        if self.stopped_at is None:
            return
        if not self.asked_to_end:
            playbook = [pid for pid in _processes(self.artifacts) if _parent(pid) == os.getpid()]
            _signal(playbook, signal.SIGTERM)
            self.asked_to_end = bool(playbook)
        if time.monotonic() - self.stopped_at > GRACE_SECONDS:
            self.cancelled.set()

    def keep(self, raw: dict[str, object]) -> bool:
        """Put an event into the queue; False, so that no copy of it stays on disk."""
        self.events.put(raw)
        return False

    def forget_environment(self, status: Mapping[str, object], runner_config: Any) -> None:
        """Remove the copy of the environment as soon as it has been written."""
        if status.get("status") == "running":
            (Path(runner_config.artifact_dir) / "command").unlink(missing_ok=True)


def _processes(artifacts: Path) -> list[int]:
    """Give the processes of a run, or of all runs below a directory: they have inherited the name of theirs."""
    mark = f"AWX_ISOLATED_DATA_DIR={artifacts}".encode()
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            variables = (entry / "environ").read_bytes().split(b"\0")
            if any(one == mark or one.startswith(mark + b"/") for one in variables):
                found.append(int(entry.name))
    return found


def _parent(pid: int) -> int:
    with contextlib.suppress(OSError):
        # The name in parentheses may hold anything; what follows it is fixed.
        return int(
            Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()[1]
        )
    return 0


def _signal(pids: Sequence[int], number: signal.Signals) -> None:
    for pid in pids:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.kill(pid, number)


def _project(request: Request) -> Path:
    """Make the directory in which playbooks run, with its settings."""
    project = make_private_directory(request.state / "project")
    settings = ANSIBLE_CFG.format(collections=_search_path(request.collections))
    write_atomically(project / "ansible.cfg", settings, PRIVATE_FILE)
    return project


def _environment(request: Request, project: Path) -> dict[str, str]:
    environment = {
        # ansible-runner switches the check off unless it is named here.
        "ANSIBLE_HOST_KEY_CHECKING": "True",
        "ANSIBLE_CONFIG": os.environ.get("ANSIBLE_CONFIG", str(project / "ansible.cfg")),
        "ANSIBLE_COLLECTIONS_PATH": _search_path(request.collections),
        # Ansible does not start without UTF-8. ssh hands it on, so that programs say in English what is looked for in it.
        "LC_ALL": "C.UTF-8",
    }
    if request.vault_password_file is not None:
        environment["ANSIBLE_VAULT_PASSWORD_FILE"] = str(request.vault_password_file)
    return environment


@dataclass(frozen=True)
class ByHand:
    """How a person runs a playbook: in which directory, with which environment, by which command."""

    directory: Path
    environment: Mapping[str, str]
    command: str


def by_hand(request: Request) -> ByHand:
    """Say how a person runs the same playbook in a shell; no secret is in it, only the path of the vault's key."""
    project = _project(request)
    environment = _environment(request, project)
    environment["ANSIBLE_INVENTORY"] = str(request.hosts_file)
    environment["PATH"] = f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}"
    words = ["ansible-playbook", request.playbook]
    words += ["--check", "--diff"] if request.check else []
    words += ["--ask-vault-pass"] if request.vault_password is not None else []
    words += ["--ask-become-pass"] if request.become_password is not None else []
    return ByHand(project, environment, shlex.join(words))


def end_leftovers(state: Path) -> int:
    """End what a killed run has left behind; the caller holds the lock, so that nobody else's run is among it.

    The kernel does this for the playbook itself where setpriv is installed, but not for what that has started.

    Args:
        state: Private directory of the runs.

    Returns:
        How many processes there were.
    """
    found = [pid for pid in _processes(state / "artifacts") if pid != os.getpid() and not _is_shared_connection(pid)]
    _signal(found, signal.SIGTERM)
    limit = time.monotonic() + GRACE_SECONDS
    while any(_is_alive(pid) for pid in found) and time.monotonic() < limit:
        time.sleep(POLL_SECONDS)
    _signal([pid for pid in found if _is_alive(pid)], signal.SIGKILL)
    return len(found)


def _is_shared_connection(pid: int) -> bool:
    """Tell whether a process is ssh, which may stay for the next run and ends by itself."""
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8", errors="replace").strip() == "ssh"
    return False


def _is_alive(pid: int) -> bool:
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(")")[2].split()[0] != "Z"
    return False


def _arguments(job: _Job) -> dict[str, Any]:
    request = job.request
    project = _project(request)
    environment = {**_environment(request, project), "ANSIBLE_FORCE_COLOR": "False", "ANSIBLE_NOCOLOR": "True"}
    options = ["--check", "--diff"] if request.check else []
    passwords = {}
    if request.vault_password is not None:
        options.append("--ask-vault-pass")
        passwords[VAULT_PROMPT] = request.vault_password
    if request.become_password is not None:
        options.append("--ask-become-pass")
        passwords[BECOME_PROMPT] = request.become_password
    return {
        "private_data_dir": str(request.state),
        "project_dir": str(project),
        "ident": request.ident,
        "playbook": request.playbook,
        "inventory": str(request.hosts_file),
        "cmdline": " ".join(options) or None,
        "envvars": environment,
        "extravars": dict(request.variables),
        "passwords": passwords,
        "settings": {"pexpect_timeout": 0.3},
        "fact_cache": str(request.state / "facts"),
        "suppress_env_files": True,
        "rotate_artifacts": KEEP_ARTIFACTS,
        "quiet": True,
        "event_handler": job.keep,
        "status_handler": job.forget_environment,
        "cancel_callback": job.cancelled.is_set,
    }


def _search_path(collections: Path) -> str:
    given = os.environ.get("ANSIBLE_COLLECTIONS_PATH") or "~/.ansible/collections:/usr/share/ansible/collections"
    return f"{collections}:{given}"


def _guarded(command: list[str]) -> list[str]:
    """Name the program of this very environment, and let the kernel end it when the wizard is killed."""
    beside = Path(sys.executable).with_name(command[0])
    program = str(beside) if beside.exists() else shutil.which(command[0])
    if program is None:
        raise CollectionError("ansible-missing", program=command[0])
    guard = shutil.which("setpriv")
    return [*([guard, "--pdeathsig", "TERM"] if guard else []), program, *command[1:]]


def clear_facts(state: Path) -> None:
    """Forget what was gathered about the hosts."""
    shutil.rmtree(state / "facts", ignore_errors=True)
