# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course service in processes that are forked; see :mod:`tests.unit.forks`.

``crash`` is null, or a file, what to kill the service at, and ``before`` or ``after`` it: the service dies there when the file exists.
"""

import functools
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.unit.forks import ROOT, Forks, log_to, serve

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

    log_to(log)
    os.environ["CREDENTIALS_DIRECTORY"] = credentials
    sys.argv = ["app", *arguments]
    if crash:
        crash_at(*crash)
    return main()


class Nursery(Forks):
    """Starts course services."""

    def __init__(self) -> None:
        super().__init__("tests.unit.courses.nursery", {"PYTHONPATH": LIBRARIES})

    def start(self, arguments: Sequence[str], log: Path, credentials: Path, crash: Sequence[str] | None) -> int:
        """Start a service; gives its process id."""
        return int(self.ask(arguments=arguments, log=str(log), credentials=str(credentials), crash=crash))


if __name__ == "__main__":
    import hpcampus_courses.app  # noqa: F401

    serve(run_service)
