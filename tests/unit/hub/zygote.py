# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Imports the hub once and forks a hub for each test that asks: an import takes seconds, a fork does not.

Commands and answers are JSON lines: ``{"config", "cwd", "log"}`` starts a hub and gives its process id,
``{"pid"}`` tells its exit status, or null while it runs.
"""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def run_hub(config: str, cwd: str, log: str) -> None:
    """The child: becomes a hub."""
    from hpcampus_hub.app import HpcHub

    os.chdir(cwd)
    descriptor = os.open(log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    HpcHub.launch_instance(["--config", config])


def serve() -> None:
    """Read commands until the end of input."""
    import hpcampus_hub.app  # noqa: F401

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
                    run_hub(**command)
                    code = 0
                except SystemExit as end:
                    code = end.code if isinstance(end.code, int) else 1
                finally:
                    sys.stderr.flush()
                    os._exit(code)
        print(json.dumps(answer), flush=True)


class Zygote:
    """The test's end."""

    def __init__(self) -> None:
        path = f"{ROOT / 'roles/jupyterhub/files/hub'}:{ROOT}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.unit.hub.zygote"],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": path, "CONFIGPROXY_AUTH_TOKEN": "unused"},
        )

    def _ask(self, **command: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def start(self, config: Path, cwd: Path, log: Path) -> int:
        """Start a hub; gives its process id."""
        return int(self._ask(config=str(config), cwd=str(cwd), log=str(log)))

    def status(self, pid: int) -> int | None:
        """Exit status of a hub, or None while it runs."""
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
