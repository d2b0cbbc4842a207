# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Imports the course service once and forks one for each start that a test asks for: an import takes seconds, a fork does not.

Commands and answers are JSON lines: ``{"arguments", "log", "credentials", "crash"}`` starts a service and gives its process id,
``{"pid"}`` tells its exit status, or null while it runs. ``crash`` is null, or a file, what to kill the service at, and ``before`` or
``after`` it: the service dies there when the file exists.
"""

import functools
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]
LIBRARIES = f"{ROOT / 'roles/courses/files/hub'}:{ROOT / 'roles/jupyterhub/files/hub'}:{ROOT}"


def crash_at(flag: str, where: str, when: str) -> None:
    """Let the process be killed before or after a file is put in its place, or a transaction is made."""
    from hpcampus_courses.store.content import Incoming
    from hpcampus_courses.store.database import Database

    owner, name = {"place": (Incoming, "_place"), "commit": (Database, "_transaction")}[where]
    whole = getattr(owner, name)

    def crash() -> None:
        if Path(flag).exists():
            os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(whole)
    def wrapped(*arguments: Any) -> Any:
        if when == "before":
            crash()
        answer = whole(*arguments)
        if when == "after":
            crash()
        return answer

    setattr(owner, name, wrapped)


def run_service(arguments: Sequence[str], log: str, credentials: str, crash: Sequence[str] | None) -> int:
    """The child: becomes a service."""
    from hpcampus_courses.app import main

    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.environ["CREDENTIALS_DIRECTORY"] = credentials
    sys.argv = ["app", *arguments]
    if crash:
        crash_at(*crash)
    return main()


def serve() -> None:
    """Read commands until the end of input."""
    import hpcampus_courses.app  # noqa: F401

    for line in sys.stdin:
        command = json.loads(line)
        if "pid" in command:
            done, status = os.waitpid(command["pid"], os.WNOHANG)
            answer: Any = os.waitstatus_to_exitcode(status) if done else None
        else:
            answer = os.fork()
            if answer == 0:
                code = 1
                try:
                    code = run_service(**command)
                finally:
                    sys.stderr.flush()
                    os._exit(code)
        print(json.dumps(answer), flush=True)


class Nursery:
    """The test's end."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.courses.nursery"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": LIBRARIES},
        )

    def _ask(self, **command: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def start(self, arguments: Sequence[str], log: Path, credentials: Path, crash: Sequence[str] | None) -> int:
        """Start a service; gives its process id."""
        return int(self._ask(arguments=arguments, log=str(log), credentials=str(credentials), crash=crash))

    def status(self, pid: int) -> int | None:
        """Exit status of a service, or None while it runs."""
        status: int | None = self._ask(pid=pid)
        return status

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()


if __name__ == "__main__":
    serve()
