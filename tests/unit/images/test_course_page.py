# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The buttons of the course's page, at a real Jupyter Server; a small program stands in for nbgrader, which takes its time."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from http.client import HTTPConnection
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.unit.hub.hub_process import free_port

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

pytestmark = pytest.mark.processes

SOURCE = Path(__file__).resolve().parents[3] / "roles" / "images" / "files" / "nbgrader"
TOKEN = "token-of-the-test"
NBGRADER = """
import json, pathlib, sys, time
name = sys.argv[1]
with pathlib.Path(f"asked-{name}").open("a") as asked:
    asked.write(json.dumps(sys.argv[2:]) + "\\n")
while not pathlib.Path(f"go-{name}").exists():
    time.sleep(0.05)
sys.exit(pathlib.Path(f"go-{name}").read_text() or 0)
"""
LAUNCH = """
import functools, sys
sys.path.insert(0, {source!r})
from hpcampus_nbgrader import course_page
course_page.WAIT_SECONDS = 1
for kind in (course_page.Autograding, course_page.Comparing):
    kind.__init__ = functools.partialmethod(kind.__init__, command=(sys.executable, "-c", {nbgrader!r}, kind.name))
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


class Answer(NamedTuple):
    """An answer of the server."""

    status: int
    headers: dict[str, str]
    text: str


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

    def post(self, assignment: str, what: str = "autograde", **headers: str) -> int:
        """Press a button, and give the status of the answer."""
        return self.ask("POST", f"{what}/{assignment}", headers).status

    def ask(self, method: str, path: str, headers: dict[str, str]) -> Answer:
        """Make a request."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, f"/hpcampus/{path}", b"{}" if method == "POST" else None, headers)
            answer = connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read().decode())
        finally:
            connection.close()

    def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.1)

    def asked(self, what: str = "autograde") -> list[list[str]]:
        """What the program was asked, so far."""
        file = self.course / f"asked-{what}"
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
    server.until(lambda: len(server.asked()) == 1)
    assert [one.partition("=")[0] for one in server.asked()[0]] == [
        "--assignment",
        "--create",
        "--SandboxedAutograde.tally",
    ]
    assert server.asked()[0][0] == "--assignment=ps1"
    (server.course / "go-autograde").touch()
    server.until(lambda: server.post("ps1", **OWNER) == 202)  # it has come to its end, and begins anew
    assert (server.course / "published").read_text().startswith("ps1")
    server.until(lambda: len(server.asked()) == 2)


@pytest.mark.parametrize(
    ("status", "tally", "said"),
    [
        (0, '{"total": 60, "done": 60, "failed": 0}', "done: 60 of 60 submissions graded"),
        (
            0,
            '{"total": 60, "done": 60, "failed": 2}',
            "done: 60 of 60 submissions graded, 2 of them could not be run or saved",
        ),
        (1, '{"total": 60, "done": 12, "failed": 0}', "failed: 12 of 60 submissions graded"),
        (0, '{"total": 0, "done": 0, "failed": 0}', "done: no submission was new"),
        (1, "", "failed, see the log of the course's server"),
        (-9, "[]", "failed, see the log of the course's server"),
        (0, '{"total": 1}', "done"),
    ],
)
def test_how_autograding_ended_is_told_in_numbers(
    load: Any, tmp_path: Path, status: int, tally: str, said: str
) -> None:
    load("exchange")
    file = tmp_path / "tally.json"
    if tally:
        file.write_text(tally)
    assert load("course_page").outcome(status, file) == said


def test_the_other_button_compares_and_the_report_is_waited_for(server: Server) -> None:
    def report(assignment: str = "ps1", **headers: str) -> Answer:
        return server.ask("GET", f"similarity/{assignment}/report", {**OWNER, **headers})

    go, page = server.course / "go-similarity", server.course / "similarity" / "ps1.html"
    assert (report().status, report("nothing").status, report("..%2fps1").status) == (404, 404, 404)
    assert "not been compared yet" in report().text
    assert server.post("nothing", "similarity", **OWNER) == 409
    assert server.post("ps1", "similarity", **OWNER) == 202
    assert server.post("ps1", "similarity", **OWNER) == 200
    server.until(lambda: len(server.asked("similarity")) == 1)
    assert server.asked("similarity") == [[f"--course={server.course}", "--", "ps1"]]
    assert (report().status, "being compared" in report().text) == (202, True)
    page.parent.mkdir()
    page.write_text("<h1>the report</h1>")
    go.touch()
    server.until(lambda: report().status == 200)
    answer = report()
    assert answer.text == "<h1>the report</h1>"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none';")
    assert "allow" not in answer.headers["Content-Security-Policy"]
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert server.ask("GET", "similarity/ps1/report", {}).status in (302, 403)

    go.write_text("<b>it is off</b>")
    assert server.post("ps1", "similarity", **OWNER) == 202
    server.until(lambda: report().status == 500)
    failed = report()
    assert "could not be compared. <b>it is off</b>" in failed.text
    assert failed.headers["Content-Type"] == "text/plain; charset=utf-8"
