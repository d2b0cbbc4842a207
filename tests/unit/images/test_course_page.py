# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The button of the course's page, at a real Jupyter Server; a small program stands in for nbgrader, which takes its time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.unit.hub.hub_process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.processes

SOURCE = Path(__file__).resolve().parents[3] / "roles" / "images" / "files" / "nbgrader"
TOKEN = "token-of-the-test"
NBGRADER = """
import json, pathlib, sys, time
with pathlib.Path("asked").open("a") as asked:
    asked.write(json.dumps(sys.argv[1:]) + "\\n")
while not pathlib.Path("go").exists():
    time.sleep(0.05)
"""
LAUNCH = """
import functools, sys
sys.path.insert(0, {source!r})
from hpcampus_nbgrader import course_page
course_page.COURSE_ROOT = {course!r}
course_page.Autograding = functools.partial(course_page.Autograding, command=(sys.executable, "-c", {nbgrader!r}))
from jupyter_server.serverapp import main
class Publisher:
    def changed(self, assignment):
        open({course!r} + "/published", "a").write(assignment)
load = course_page._load_jupyter_server_extension
def loaded(app):
    load(app)
    app.web_app.settings[course_page.PUBLISHER] = Publisher()
course_page._load_jupyter_server_extension = loaded
main(["--ip=127.0.0.1", "--port={port}", "--ServerApp.port_retries=0", "--allow-root", "--no-browser",
      "--IdentityProvider.token={token}", "--ServerApp.root_dir={course}",
      "--ServerApp.jpserver_extensions={{'hpcampus_nbgrader.course_page': True}}"])
"""
PATIENCE_SECONDS = 90


class Server:
    """The server of a course, in which one student's submission has been collected."""

    def __init__(self, directory: Path) -> None:
        self.course = directory / "course"
        (self.course / "submitted" / "alice" / "ps1").mkdir(parents=True)
        (self.course / "submitted" / "alice" / "a file").touch()
        self.port = free_port()
        code = LAUNCH.format(
            source=str(SOURCE), course=str(self.course), port=self.port, token=TOKEN, nbgrader=NBGRADER
        )
        self.log = directory / "log"
        env = {**os.environ, "HOME": str(directory), "JUPYTER_CONFIG_DIR": str(directory / "config")}
        with self.log.open("wb") as log:
            self._process = subprocess.Popen([sys.executable, "-c", code], env=env, stdout=log, stderr=log)

    def post(self, assignment: str, **headers: str) -> int:
        """Press the button, and give the status of the answer."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("POST", f"/hpcampus/autograde/{assignment}", b"{}", headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    @property
    def asked(self) -> list[list[str]]:
        """What nbgrader was asked, so far."""
        file = self.course / "asked"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def answers(self) -> bool:
        try:
            return self.post("") > 0
        except OSError:
            return False

    def close(self) -> None:
        self._process.terminate()
        self._process.wait(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("autograde"))
    server.until(server.answers)
    yield server
    server.close()


OWNER = {"Authorization": f"token {TOKEN}", "Content-Type": "application/json"}


@pytest.mark.parametrize(
    "assignment", ["nothing", "..", "%2e%2e", "..%2fsubmitted", "*", "ps%2a", "--help", "a%20file"]
)
def test_what_was_not_collected_is_not_autograded(server: Server, assignment: str) -> None:
    assert server.post(assignment, **OWNER) in {404, 409}


def test_who_is_not_known_does_nothing(server: Server) -> None:
    assert server.post("ps1") == 403
    assert server.post("ps1", Authorization="token wrong") == 403


def test_the_button_autogrades_what_was_collected(server: Server) -> None:
    assert server.post("ps1", **OWNER) == 202
    assert server.post("ps1", **OWNER) == 200  # it runs already
    server.until(lambda: len(server.asked) == 1)
    assert server.asked == [["--assignment=ps1", "--create"]]
    (server.course / "go").touch()
    server.until(lambda: server.post("ps1", **OWNER) == 202)  # it has come to its end, and begins anew
    assert (server.course / "published").read_text().startswith("ps1")
    server.until(lambda: len(server.asked) == 2)
