# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A process that has imported a program once and forks one for each start that a test asks for: an import takes seconds, a fork does not.

Commands and answers are JSON lines: ``{"pid"}`` tells an exit status, or null while the program runs; every other command starts one
and gives its process id.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def log_to(path: str) -> None:
    """Write what this process says into a file."""
    descriptor = os.open(path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)


def serve(become: Callable[..., int]) -> None:
    """Read commands until the end of input; ``become`` is the program, with the fields of a command as its arguments."""
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
                    code = become(**command)
                except SystemExit as end:
                    code = end.code if isinstance(end.code, int) else 1
                finally:
                    sys.stderr.flush()
                    os._exit(code)
        print(json.dumps(answer), flush=True)


class Forks:
    """The test's end.

    Args:
        module: which is run and calls :func:`serve`.
        environment: what it gets besides the test's own.
    """

    def __init__(self, module: str, environment: Mapping[str, str]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    def ask(self, **command: Any) -> Any:
        """Send a command and give its answer."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)
        return json.loads(self._process.stdout.readline())

    def status(self, pid: int) -> int | None:
        """Exit status of a program, or None while it runs."""
        status: int | None = self.ask(pid=pid)
        return status

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
