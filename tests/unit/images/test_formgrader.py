# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course's server as a job starts it: JupyterHub's single-user server with nbgrader's formgrader, and the real course service."""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbformat.v4 import writes as notebook_text
from nbgrader.api import Gradebook
from tornado.web import RequestHandler

from .classroom import CONFIG, COURSE, Served, plain, served, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

OWNER = f"course-{COURSE}"
PREFIX = f"/user/{OWNER}/"
INSTRUCTOR, OTHER_INSTRUCTOR, GRADER, STUDENT, ADMIN = "ida", "ivan", "gus", "alice", "eve"


class Version(RequestHandler):
    """What a starting server asks its hub."""

    def get(self) -> None:
        self.finish({"version": "6.1.1"})

    post = get


class Terms(RequestHandler):
    """What the hub says of grading in the course; it starts no run."""

    def get(self) -> None:
        terms = {"image_version": "1", "slots": 2, "seconds": 60, "memory_mb": 1024, "isolate_tests": False}
        self.finish({**terms, "similarity": True})


@dataclass
class CourseServer:
    """The running server."""

    port: int
    service: Served
    root: Path

    def ask(self, who: str, method: str, path: str, body: Any = None) -> tuple[int, str]:
        """Status and text of an answer; `who` is a visitor, or the course's own account."""
        hub = self.service.site.hub
        token = f"token-of-{who}" if who == OWNER else self.service.run(lambda: hub.visit(who, OWNER))
        data = None if body is None and method == "GET" else json.dumps(body or {}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{PREFIX}{path}", data, method=method)
        request.add_header("Authorization", f"token {token}")
        try:
            with urllib.request.build_opener(_Stay).open(request, timeout=60) as answer:
                return answer.status, answer.read().decode("utf-8", "replace")
        except urllib.error.HTTPError as error:
            return error.code, error.headers.get("Location") or error.read().decode("utf-8", "replace")

    def done(self, who: str, path: str, method: str = "POST", body: Any = None) -> Any:
        """The answer of the formgrader's API to something that must work."""
        status, text = self.ask(who, method, f"formgrader/api/{path}", body)
        assert status == 200, text
        answer = json.loads(text)
        assert not isinstance(answer, dict) or answer.get("success", True), answer
        return answer

    def audit(self) -> list[tuple[str, str, str, str]]:
        """Who did what, oldest first."""
        lines = self.service.run(lambda: self.service.site.store.audit.listed(COURSE))
        return [(one.who, one.action, one.assignment, one.student) for one in reversed(lines)]

    @property
    def gradebook(self) -> Gradebook:
        return Gradebook(f"sqlite:///{self.root}/gradebook.db", COURSE)


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_arguments: Any) -> None:
        return None


def cell(source: str, name: str, *, points: float = 0, solution: bool = False) -> Any:
    made = new_code_cell(source)
    made.metadata["nbgrader"] = {
        "schema_version": 3, "grade": points > 0, "solution": solution, "locked": not solution, "task": False, "grade_id": name,
        "cell_type": "code", **({"points": points} if points else {}),
    }  # fmt: skip
    return made


def write_source(root: Path) -> None:
    book = new_notebook(
        cells=[
            cell(
                "def square(x):\n    ### BEGIN SOLUTION\n    return x * x\n    ### END SOLUTION",
                "square",
                solution=True,
            ),
            cell("assert square(2) == 4", "test", points=2),
        ],
        metadata={"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}},
    )
    path = root / "source" / "ps1" / "problem1.ipynb"
    path.parent.mkdir(parents=True)
    path.write_text(notebook_text(book), encoding="utf-8")


@pytest.fixture(scope="module")
def server(load: Callable[[str], ModuleType], tmp_path_factory: pytest.TempPathFactory) -> Iterator[CourseServer]:
    load("exchange")
    directory = tmp_path_factory.mktemp("formgrader")
    root, config = directory / "course", directory / "config"
    root.mkdir()
    config.mkdir()
    write_source(root)
    for name, setting in (
        ("jupyter_server_config.py", "ServerApp.root_dir"),
        ("nbgrader_config.py", "CourseDirectory.root"),
    ):
        text = (CONFIG / name).read_text(encoding="utf-8")
        (config / name).write_text(f"{text}\nc.{setting} = {str(root)!r}\n", encoding="utf-8")
    with served(directory) as service:
        prepare_hub(service)
        port = free_port()
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(directory), "PYTHONPATH": str(CONFIG), "JUPYTER_CONFIG_PATH": str(config),
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{service.wire.port}/hub/api", "JUPYTERHUB_API_TOKEN": f"token-of-{OWNER}",
            "JUPYTERHUB_BASE_URL": "/", "JUPYTERHUB_CLIENT_ID": f"jupyterhub-user-{OWNER}", "JUPYTERHUB_HOST": "",
            "JUPYTERHUB_OAUTH_ACCESS_SCOPES": json.dumps([f"access:servers!server={OWNER}/"]), "JUPYTERHUB_USER": OWNER,
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{PREFIX}oauth_callback", "JUPYTERHUB_SERVER_NAME": "",
            "JUPYTERHUB_SERVICE_PREFIX": PREFIX, "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:{port}{PREFIX}",
            "JUPYTERHUB_ROOT_DIR": str(root), "HPCAMPUS_COURSE": COURSE, "HPCAMPUS_COURSE_ROLE": "course",
        }  # fmt: skip
        log = (directory / "server.log").open("w+", encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub.singleuser", "--allow-root"],
            env=environment, cwd=root, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        made = CourseServer(port, service, root)
        try:
            wait_for(made, process, log)
            yield made
        finally:
            process.terminate()
            process.wait(30)


def prepare_hub(service: Served) -> None:
    """Let the stand-in of the hub serve a single-user server too; the wire leads to the course service, and past it to the hub."""
    hub = service.site.hub

    def prepare() -> None:
        hub.users.update({
            INSTRUCTOR: [f"{OWNER}-instructors"], OTHER_INSTRUCTOR: [f"{OWNER}-instructors"], GRADER: [f"{OWNER}-graders"],
            STUDENT: [f"{OWNER}-students"], ADMIN: [],
        })  # fmt: skip
        application: Any = hub._server.request_callback
        application.add_handlers(
            ".*", [(r"/hub/api/?", Version), (r"/hub/api/users/.*", Version), (r"/hub/hpcampus/grading/py1", Terms)]
        )

    service.run(prepare)
    service.wire.routes[b"/hub/"] = hub.port


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def wait_for(server: CourseServer, process: subprocess.Popen[bytes], log: Any) -> None:
    for _ in range(600):
        if process.poll() is not None:
            break
        with suppress(OSError):
            if server.ask(OWNER, "GET", "formgrader/api/status")[0] == 200:
                return
        time.sleep(0.2)
    log.seek(0)
    pytest.fail(f"The server did not start:\n{log.read()[-5000:]}")


PAGES = [
    "formgrader/manage_assignments",
    "formgrader/gradebook",
    "formgrader/manage_students",
    "formgrader/api/assignments",
]
REFUSED = [
    ("GET", "api/contents/source/ps1/problem1.ipynb"),
    ("PUT", "api/contents/source/ps1/problem1.ipynb"),
    ("DELETE", "api/contents/source/ps1"),
    ("GET", "files/source/ps1/problem1.ipynb"),
    ("GET", "view/source/ps1/problem1.ipynb"),
    ("GET", "nbconvert/html/source/ps1/problem1.ipynb"),
    ("GET", "api/kernels"),
    ("POST", "api/kernels"),
    ("GET", "api/kernels/x/channels"),
    ("POST", "api/sessions"),
    ("GET", "api/kernelspecs"),
    ("GET", "api/terminals"),
    ("POST", "api/terminals"),
    ("GET", "terminals/websocket/1"),
    ("GET", "lab/api/settings"),
    ("PUT", "lab/api/workspaces/x"),
    ("GET", "lsp/status"),
    ("GET", "lsp/ws/pylsp"),
    ("GET", "git-pull/api"),
    ("POST", "api/shutdown"),
    ("GET", "api/config/x"),
    ("GET", "api/events/subscribe"),
    ("GET", "metrics"),
    ("POST", "assignments/fetch"),
    ("POST", "formgrader/api/assignment/ps1/assign"),
    ("POST", "formgrader/api/assignment/ps1/release"),
    ("POST", "formgrader/api/assignment/ps1/unrelease"),
    ("POST", "formgrader/api/assignment/ps1/collect"),
    ("POST", "formgrader/api/assignment/ps1/generate_feedback"),
    ("POST", "formgrader/api/assignment/ps1/alice/generate_feedback"),
    ("POST", "formgrader/api/assignment/ps1/release_feedback"),
    ("POST", "formgrader/api/submission/ps1/alice/autograde"),
    ("PUT", "formgrader/api/assignment/ps1"),
    ("PUT", "formgrader/api/student/alice"),
    ("POST", "hpcampus/autograde/ps1"),
    ("POST", "hpcampus/similarity/ps1"),
    ("GET", "hpcampus/similarity/ps1/report"),
    ("GET", "files/similarity/ps1.html"),
]


def test_who_grades_sees_the_formgrader_and_nothing_else_of_the_server(server: CourseServer) -> None:
    for path in PAGES:
        assert server.ask(GRADER, "GET", path)[0] == 200, path
    for path in ("lab", "tree", "lab/tree/source/ps1/problem1.ipynb"):
        assert server.ask(GRADER, "GET", path) == (302, f"{PREFIX}formgrader/gradebook"), path
    for method, path in REFUSED:
        assert server.ask(GRADER, method, path)[0] == 403, f"{method} {path}"
    assert "In this course you grade" in server.ask(GRADER, "POST", "api/kernels")[1]
    assert server.ask(INSTRUCTOR, "GET", "api/kernels") == (200, "[]"), "no kernel was started"
    assert json.loads(server.ask(INSTRUCTOR, "GET", "api/terminals")[1]) == []


@pytest.mark.parametrize("who", [STUDENT, ADMIN])
def test_nobody_else_of_the_hub_gets_in(server: CourseServer, who: str) -> None:
    for path in ("lab", "api/contents", "api/kernels", *PAGES):
        assert server.ask(who, "GET", path)[0] == 403, path
    assert server.ask(who, "PUT", "formgrader/api/grade/x")[0] == 403


def test_who_teaches_has_the_whole_server(server: CourseServer) -> None:
    for who in (INSTRUCTOR, OWNER):
        for path in (*PAGES, "api/contents/source", "api/kernelspecs", "api/terminals", "lab"):
            assert server.ask(who, "GET", path)[0] == 200, path


def test_a_course_goes_its_way_and_its_log_names_the_people(server: CourseServer) -> None:
    server.done(INSTRUCTOR, "assignment/ps1/assign")
    server.done(INSTRUCTOR, "assignment/ps1/release")
    assert server.done(INSTRUCTOR, "assignment/ps1", "GET")["status"] == "released"
    hand_in(server, STUDENT)
    hand_in(server, "bob")
    server.done(OTHER_INSTRUCTOR, "assignment/ps1/collect")
    assert sorted(path.name for path in (server.root / "submitted").iterdir()) == ["alice", "bob"]
    pretend_autograded(server)

    with server.gradebook as gradebook:
        grade = gradebook.find_submission("ps1", "alice").notebooks[0].grades[0].id
    answer = server.done(GRADER, f"grade/{grade}", "PUT", {"manual_score": 1.5, "extra_credit": None})
    assert answer["manual_score"] == 1.5
    server.done(INSTRUCTOR, "assignment/ps1/unrelease")
    assert server.audit() == [
        (INSTRUCTOR, "generate assignment", "ps1", ""),
        (INSTRUCTOR, "release", "ps1", ""),
        (OTHER_INSTRUCTOR, "collect", "ps1", ""),
        (GRADER, "grade", "ps1", "alice"),
        (INSTRUCTOR, "withdraw", "ps1", ""),
    ]
    points = wait_for_points(server)
    assert {one["student"]: one["score"] for one in points} == {"alice": 1.5, "bob": 0.0}


def test_autograding_from_the_course_page_leaves_a_line_at_its_end(server: CourseServer) -> None:
    assert server.ask(OTHER_INSTRUCTOR, "POST", "hpcampus/autograde/ps1")[0] == 202
    for _ in range(300):
        lines = server.service.run(lambda: server.service.site.store.audit.listed(COURSE, 1))
        if lines[0].action == "autograde":
            break
        time.sleep(0.2)
    assert (lines[0].who, lines[0].assignment) == (OTHER_INSTRUCTOR, "ps1")
    assert lines[0].detail == "failed: 0 of 2 submissions graded", "the hub's stand-in starts no runs"


def test_who_teaches_compares_submissions_and_sees_the_report(server: CourseServer) -> None:
    assert server.ask(INSTRUCTOR, "POST", "hpcampus/similarity/ps1")[0] == 202
    for _ in range(10):
        status, text = server.ask(INSTRUCTOR, "GET", "hpcampus/similarity/ps1/report")
        if status != 202:
            break
    assert status == 200, text
    assert "2 students compared; 0 pairs" in text
    assert server.ask(GRADER, "GET", "hpcampus/similarity/ps1/report")[0] == 403
    assert server.ask(STUDENT, "GET", "hpcampus/similarity/ps1/report")[0] == 403


def hand_in(server: CourseServer, student: str) -> None:
    """Hand in the released notebook, with an answer that is wrong."""
    text = (server.root / "release/ps1/problem1.ipynb").read_text(encoding="utf-8")
    content = tar_of(plain("problem1.ipynb", text.encode()))
    from hpcampus_nbgrader.exchange.service import Service

    body = {
        "key": secrets.token_hex(16), "sha256": hashlib.sha256(content).hexdigest(), "size": len(content), "notebooks": ["problem1"],
    }  # fmt: skip
    url = f"http://127.0.0.1:{server.service.site.port}/services/courses/"
    with Service(url, f"token-of-{student}", 5) as service:
        begun = service.send("POST", "courses", COURSE, "assignments", "ps1", "submissions", body=body)
        service.upload(
            "courses",
            COURSE,
            "submissions",
            begun["id"],
            "content",
            content=io.BytesIO(content),
            size=len(content),
            headers={},
        )


def pretend_autograded(server: CourseServer) -> None:
    with server.gradebook as gradebook:
        for student in ("alice", "bob"):
            gradebook.update_or_create_student(student)
            submission = gradebook.update_or_create_submission("ps1", student)
            for notebook in submission.notebooks:
                for grade in notebook.grades:
                    grade.auto_score, grade.needs_manual_grade = 0, False
        gradebook.db.commit()


def wait_for_points(server: CourseServer) -> list[dict[str, Any]]:
    from hpcampus_nbgrader.exchange.service import Service

    with Service(f"http://127.0.0.1:{server.service.site.port}/services/courses/", f"token-of-{OWNER}", 5) as service:
        for _ in range(100):
            found: list[dict[str, Any]] = service.get("courses", COURSE, "grades")["grades"]
            if found:
                return found
            time.sleep(0.2)
    pytest.fail("no points arrived")


def test_a_call_that_takes_long_leaves_the_pages_to_others(server: CourseServer) -> None:
    """Two instructors generate, collect and look at once; each sees only what was done for them."""
    (server.root / "source/ps2").mkdir(exist_ok=True)
    shutil.copy(server.root / "source/ps1/problem1.ipynb", server.root / "source/ps2/other.ipynb")
    with ThreadPoolExecutor(4) as pool:
        one = pool.submit(server.done, INSTRUCTOR, "assignment/ps1/assign")
        two = pool.submit(server.done, OTHER_INSTRUCTOR, "assignment/ps2/assign")
        began = time.monotonic()
        looked = 0
        while not (one.done() and two.done()):
            assert server.ask(GRADER, "GET", "formgrader/api/status")[0] == 200
            looked += 1
            assert time.monotonic() - began < 60
        logs = (one.result()["log"], two.result()["log"])
        assert [("ps1/" in log, "ps2/" in log) for log in logs] == [(True, False), (False, True)]
    assert looked > 2
    names = [one["name"] for one in server.done(INSTRUCTOR, "assignments", "GET")]
    assert names == ["ps1", "ps2"]


def test_a_page_that_a_student_handed_in_gets_no_rights(server: CourseServer) -> None:
    path = server.root / "autograded/alice/ps1"
    path.mkdir(parents=True, exist_ok=True)
    (path / "evil.html").write_text("<script>alert(1)</script>", encoding="utf-8")
    evil = new_code_cell("1", outputs=[])
    evil.outputs = [
        new_output("display_data", {"text/html": "<b>kept</b><script>steal()</script><img src=x onerror=steal()>"})
    ]
    book = new_notebook(cells=[evil], metadata={"kernelspec": {"name": "python3", "display_name": "Python 3"}})
    (path / "problem1.ipynb").write_text(notebook_text(book), encoding="utf-8")
    with server.gradebook as gradebook:
        number = gradebook.find_submission("ps1", "alice").notebooks[0].id
    token = server.service.run(lambda: server.service.site.hub.visit(GRADER, OWNER))
    request = urllib.request.Request(f"http://127.0.0.1:{server.port}{PREFIX}formgrader/submissions/{number}/evil.html")
    request.add_header("Authorization", f"token {token}")
    with urllib.request.build_opener().open(request, timeout=30) as answer:
        assert "sandbox" in answer.headers["Content-Security-Policy"]
    status, text = server.ask(GRADER, "GET", f"formgrader/submissions/{number}/")
    assert status == 200
    assert "<b>kept</b>" in text
    assert "<script>steal" not in text
    assert "<img src=x" not in text
