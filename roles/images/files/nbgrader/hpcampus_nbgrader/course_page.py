# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The way from the course's page to its server: autograde, or compare, all collected submissions of an assignment.

The course service asks here, in the name of the person who pressed the button: ``POST <server>/hpcampus/autograde/<assignment>``, or
``similarity`` instead. What follows is what a person would type in a terminal, in a process of its own. ``GET
<server>/hpcampus/similarity/<assignment>/report`` shows what came of comparing.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
from abc import ABC, abstractmethod
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from jupyter_server.base.handlers import APIHandler, JupyterHandler
from jupyter_server.utils import url_path_join
from tornado import web

from .exchange.service import PERSON_TOKEN, ServiceError, own_service
from .formgrader.person import person_token
from .formgrader.publisher import PUBLISHER
from .settings import Settings
from .similarity.places import has_submissions, report_path

if TYPE_CHECKING:
    from collections.abc import Callable

STARTED, RUNS_ALREADY, NOTHING = 202, 200, 409
WAIT_SECONDS = 25
"""So long a page waits for the report that is being made."""
SAID_MAX = 2000


class Programs(ABC):
    """The processes that do something with all submissions of an assignment, at most one for each.

    Args:
        root: The course's directory.
        log: Takes what goes wrong.
        command: The program and its first arguments.
    """

    name: ClassVar[str]

    def __init__(self, root: Path, log: Any, command: tuple[str, ...]) -> None:
        self.root = root
        self.log = log
        self._command = command
        self._running: dict[str, asyncio.Task[None]] = {}

    def start(self, assignment: str, person: str = "") -> bool:
        """Begin, unless it is under way already; say whether it was begun.

        Args:
            assignment: An assignment with submissions.
            person: Token of the person who asks for it, or "".
        """
        if assignment in self._running:
            return False
        task = asyncio.create_task(self._run(assignment, person))
        self._running[assignment] = task
        task.add_done_callback(lambda _: self._running.pop(assignment))
        return True

    async def wait(self, assignment: str, seconds: float) -> bool:
        """Wait until nothing is under way; gives False when the time is over before."""
        task = self._running.get(assignment)
        return task is None or bool((await asyncio.wait([task], timeout=seconds))[0])

    @abstractmethod
    async def _run(self, assignment: str, person: str) -> None:
        """Run the program to its end; what goes wrong is told in the log."""

    async def _ended(self, *arguments: str, stderr: int | None = None) -> tuple[int, str]:
        """Status of the program at its end, and what it wrote to `stderr` if that is a pipe.

        Raises:
            OSError: It did not start.
        """
        process = await asyncio.create_subprocess_exec(
            *self._command, *arguments, cwd=self.root, stdin=asyncio.subprocess.DEVNULL, stderr=stderr
        )
        _, said = await process.communicate()
        return process.returncode or 0, (said or b"").decode("utf-8", "replace")


class Autograding(Programs):
    """Autogrades.

    Args:
        root: The course's directory.
        log: Takes what goes wrong.
        changed: Is told of each assignment whose points may be others now.
        course: The course's slug.
        command: The program and its first arguments.
    """

    name = "autograde"

    def __init__(
        self,
        root: Path,
        log: Any,
        changed: Callable[[str], None],
        course: str,
        command: tuple[str, ...] = (sys.executable, "-m", "nbgrader", "autograde"),
    ) -> None:
        super().__init__(root, log, command)
        self._changed = changed
        self._course = course

    async def _run(self, assignment: str, person: str) -> None:
        with tempfile.TemporaryDirectory() as place:
            tally = Path(place, "tally.json")
            try:
                # "=" binds the name to its option, whatever it begins with.
                status, _ = await self._ended(
                    f"--assignment={assignment}", "--create", f"--SandboxedAutograde.tally={tally}"
                )
            except OSError:
                self.log.exception("Autograding of %s did not start", assignment)
                return
            detail = outcome(status, tally)
        self._changed(assignment)
        if status:
            self.log.error("Autograding of %s ended with status %s; what it wrote stands above", assignment, status)
        line = {"action": self.name, "assignment": assignment, "student": "", "detail": detail}
        await asyncio.to_thread(self._note, line, person)

    def _note(self, line: dict[str, str], person: str) -> None:
        """Have a line in the course's log, in the person's name as long as the person's token holds."""
        for token in dict.fromkeys((person, "")):
            PERSON_TOKEN.set(token)
            try:
                with own_service() as service:
                    service.send("POST", "courses", self._course, "audit", body=line)
            except ServiceError as error:
                self.log.warning("The course's log has no line about %s: %s", line, error)
            else:
                return


def outcome(status: int, tally: Path) -> str:
    """How autograding came to its end, in words.

    Args:
        status: Of the program.
        tally: The file in which it has counted, if it came so far.
    """
    try:
        count = json.loads(tally.read_text(encoding="utf-8"))
        told = f"{int(count['done'])} of {int(count['total'])} submissions graded"
        if count["failed"]:
            told += f", {int(count['failed'])} of them could not be run or saved"
    except (OSError, ValueError, KeyError, TypeError):
        return "failed, see the log of the course's server" if status else "done"
    if not count["total"] and not status:
        told = "no submission was new"
    return f"failed: {told}" if status else f"done: {told}"


class Comparing(Programs):
    """Compares submissions with each other.

    Args:
        root: The course's directory.
        log: Takes what goes wrong.
        command: The program and its first arguments.
    """

    name = "similarity"

    def __init__(
        self,
        root: Path,
        log: Any,
        command: tuple[str, ...] = (sys.executable, "-m", "hpcampus_nbgrader.similarity"),
    ) -> None:
        super().__init__(root, log, command)
        self.failures: dict[str, str] = {}
        """By assignment, why there is no new report."""

    async def _run(self, assignment: str, person: str) -> None:
        del person
        self.failures.pop(assignment, None)
        try:
            status, said = await self._ended(f"--course={self.root}", "--", assignment, stderr=asyncio.subprocess.PIPE)
        except OSError as error:
            status, said = 1, str(error)
        if status:
            self.failures[assignment] = said.strip()[-SAID_MAX:]
            self.log.error("The submissions of %s were not compared: %s", assignment, said.strip()[-SAID_MAX:])


class StartHandler(APIHandler):
    """Begins."""

    auth_resource = "autograde"

    def initialize(self, programs: Programs) -> None:
        """Take the programs."""
        self.programs = programs

    @web.authenticated
    async def post(self, assignment: str) -> None:
        """Begin; whoever asks again while it runs is told that it does."""
        if not has_submissions(self.programs.root, assignment):
            self.set_status(NOTHING)
            self.finish({"message": "Nothing of this assignment has been collected."})
            return
        self.set_status(STARTED if self.programs.start(assignment, person_token(self)) else RUNS_ALREADY)
        self.finish({})


class ReportHandler(JupyterHandler):
    """Shows the report of comparing."""

    auth_resource = "contents"

    def initialize(self, programs: Comparing) -> None:
        """Take the programs."""
        self.programs = programs

    @property
    def content_security_policy(self) -> str:
        """It shows what students wrote, so it gets no rights of this server."""
        return "sandbox; default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"

    @web.authenticated
    async def get(self, assignment: str) -> None:
        """Wait for the report that is being made, and show it; where there is none, say why."""
        programs = self.programs
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", "text/plain; charset=utf-8")
        if not has_submissions(programs.root, assignment):
            self.set_status(404)
            self.finish("Nothing of this assignment has been collected.\n")
        elif not await programs.wait(assignment, WAIT_SECONDS):
            self.set_status(STARTED)
            self.finish("The submissions are being compared. Load this page again in a moment.\n")
        elif assignment in programs.failures:
            self.set_status(500)
            self.finish(f"The submissions could not be compared. {programs.failures[assignment]}\n")
        else:
            self._show(report_path(programs.root, assignment))

    def _show(self, report: Path) -> None:
        try:
            content = report.read_bytes()
        except OSError:
            self.set_status(404)
            self.finish("The submissions of this assignment have not been compared yet.\n")
            return
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(content)


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    """Name the extension for Jupyter Server."""
    return [{"module": "hpcampus_nbgrader.course_page"}]


def _load_jupyter_server_extension(app: Any) -> None:
    """Put the addresses in place."""
    settings, root = app.web_app.settings, Path(app.root_dir)

    def publish(assignment: str) -> None:
        if PUBLISHER in settings:
            settings[PUBLISHER].changed(assignment)

    course = Settings.from_environment(os.environ).course
    autograding, comparing = Autograding(root, app.log, publish, course), Comparing(root, app.log)
    base = url_path_join(settings["base_url"], "hpcampus")
    app.web_app.add_handlers(
        ".*$",
        [
            (f"{base}/{Autograding.name}/([^/]+)", StartHandler, {"programs": autograding}),
            (f"{base}/{Comparing.name}/([^/]+)", StartHandler, {"programs": comparing}),
            (f"{base}/{Comparing.name}/([^/]+)/report", ReportHandler, {"programs": comparing}),
        ],
    )
