# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The way from the course's page to its server: autograde all collected submissions of an assignment.

The course service asks here, in the name of the person who pressed the button: ``POST <server>/hpcampus/autograde/<assignment>``. What
follows is what a person would type in a terminal, ``nbgrader autograde <assignment> --create``, in a process of its own.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from .formgrader.publisher import PUBLISHER
from .settings import COURSE_ROOT

if TYPE_CHECKING:
    from collections.abc import Callable

STARTED, RUNS_ALREADY, NOTHING = 202, 200, 409


class Autograding:
    """The processes that autograde, at most one for an assignment.

    Args:
        root: The course's directory.
        log: Takes what goes wrong.
        ended: Is told of each assignment whose points may be others now.
        command: The program and its first arguments.
    """

    def __init__(
        self,
        root: Path,
        log: Any,
        ended: Callable[[str], None],
        command: tuple[str, ...] = (sys.executable, "-m", "nbgrader", "autograde"),
    ) -> None:
        self._root = root
        self._log = log
        self._ended = ended
        self._command = command
        self._running: dict[str, asyncio.Task[None]] = {}

    def has_submissions(self, assignment: str) -> bool:
        """Whether anything of an assignment has been collected; the name is compared, and never taken for a path."""
        students = (self._root / "submitted").glob("*/")
        return any(one.is_dir() and one.name == assignment for student in students for one in student.iterdir())

    def start(self, assignment: str) -> bool:
        """Begin, unless it is under way already; say whether it was begun.

        Args:
            assignment: An assignment with submissions.
        """
        if assignment in self._running:
            return False
        task = asyncio.create_task(self._run(assignment))
        self._running[assignment] = task
        task.add_done_callback(lambda _: self._running.pop(assignment))
        return True

    async def _run(self, assignment: str) -> None:
        # "=" binds the name to its option, whatever it begins with.
        arguments = (*self._command, f"--assignment={assignment}", "--create")
        try:
            process = await asyncio.create_subprocess_exec(*arguments, cwd=self._root, stdin=asyncio.subprocess.DEVNULL)
            status = await process.wait()
        except OSError as error:
            self._log.error("Autograding of %s did not start: %s", assignment, error)
            return
        self._ended(assignment)
        if status:
            self._log.error("Autograding of %s ended with status %s; what it wrote stands above", assignment, status)


class AutogradeHandler(APIHandler):
    """Begins to autograde."""

    auth_resource = "autograde"

    @web.authenticated
    async def post(self, assignment: str) -> None:
        """Begin; whoever asks again while it runs is told that it does."""
        autograding: Autograding = self.settings["hpcampus_autograding"]
        if not autograding.has_submissions(assignment):
            self.set_status(NOTHING)
            self.finish({"message": "Nothing of this assignment has been collected."})
            return
        self.set_status(STARTED if autograding.start(assignment) else RUNS_ALREADY)
        self.finish({})


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Name the extension for Jupyter Server."""
    return [{"module": "hpcampus_nbgrader.course_page"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Put the address in place."""
    settings = app.web_app.settings

    def publish(assignment: str) -> None:
        if PUBLISHER in settings:
            settings[PUBLISHER].changed(assignment)

    settings["hpcampus_autograding"] = Autograding(Path(COURSE_ROOT), app.log, publish)
    address = url_path_join(settings["base_url"], r"/hpcampus/autograde/([^/]+)")
    app.web_app.add_handlers(".*$", [(address, AutogradeHandler)])
