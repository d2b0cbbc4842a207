# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Prove that an image serves before it is published: run as the ordinary account on the build host.

Prints one line for each check with its seconds; exits 1 at the first that fails. Standard library only.
"""

from __future__ import annotations

import argparse
import dataclasses
import hashlib
import http.server
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import course_service

if TYPE_CHECKING:
    from collections.abc import Iterator

COURSE = "check"
STUDENT = "student-one"
SPOILER = "a-spoiler"


class ImageUnfitError(Exception):
    """A check found the image unfit; the message says what was seen."""


class Image:
    """An image and a scratch directory that plays the shared file system."""

    def __init__(self, apptainer: str, path: str, scratch: Path, timeout_seconds: int) -> None:
        self.apptainer = apptainer
        self.path = path
        self.scratch = scratch
        self.timeout_seconds = timeout_seconds
        self.service_port = 0
        for name in ("home-student", "home-course", "course"):
            (scratch / name).mkdir()

    @contextmanager
    def served_at(self, port: int) -> Iterator[None]:
        """Let commands find the course service at this port of the host, for as long as the block runs."""
        self.service_port = port
        try:
            yield
        finally:
            self.service_port = 0

    def argv(self, role: str, command: list[str], extra: list[str] | None = None) -> list[str]:
        """The command line that a job of this role ("", "student" or "course") would use."""
        home = self.scratch / ("home-course" if role == "course" else "home-student")
        here = Path(__file__).resolve().parent / "inside.py"
        options = ["--containall", "--cleanenv", "--home", f"{home}:/home/jovyan", "--pwd", "/home/jovyan"]
        options += ["--env", "PYTHONUSERBASE=/home/jovyan/.local/hpcampus/check"]
        options += ["--bind", f"{here}:/opt/hpcampus/start.py:ro"] if extra is None else extra
        if role == "course":
            options += ["--bind", f"{self.scratch}/course:/course"]
        if role and self.service_port:
            options += ["--env", f"JUPYTERHUB_API_URL=http://127.0.0.1:{self.service_port}/hub/api"]
            options += ["--env", f"JUPYTERHUB_API_TOKEN={STUDENT if role == 'student' else course_user()}"]
        if role:
            options += ["--env", f"HPCAMPUS_COURSE={COURSE}", "--env", f"HPCAMPUS_COURSE_ROLE={role}"]
            options += ["--env", f"HPCAMPUS_COURSES={COURSE}", "--env", f"HPCAMPUS_USER_ID={STUDENT}"]
        return [self.apptainer, "exec", *options, self.path, *command]

    def run(self, role: str, *command: str, status: int = 0) -> str:
        """Run a command in the image and give its output.

        Raises:
            ImageUnfitError: The command ended with another status, or took too long.
        """
        try:
            done = subprocess.run(
                self.argv(role, list(command)), check=False, text=True, timeout=self.timeout_seconds,
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise ImageUnfitError(f"{' '.join(command)} took more than {self.timeout_seconds} seconds") from None
        if done.returncode != status:
            raise ImageUnfitError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-4000:]}")
        return done.stdout

    def inside(self, role: str, *arguments: str) -> None:
        """Run one of the checks of inside.py."""
        self.run(role, "python3", "/opt/hpcampus/start.py", *arguments)


def course_user() -> str:
    """The course's own user; the course service of this check takes a user's name for its token."""
    return f"course-{COURSE}"


def check_packages(image: Image) -> None:
    """Import what users were promised."""
    image.inside("", "packages")


def check_webdav(image: Image) -> None:
    """What serves a WebDAV folder knows the command that takes an open device."""
    if "mount2" not in image.run("", "rclone", "mount2", "--help"):
        raise ImageUnfitError("rclone in the image has no command mount2")


def check_notebook(image: Image) -> None:
    """Execute a notebook."""
    image.inside("", "notebook")


def check_own_packages(image: Image) -> None:
    """Install a package of one's own in a notebook; a terminal offers pip as well."""
    image.inside("", "own-packages")
    image.run("", "bash", "-lc", "pip --version")


def check_extensions(image: Image) -> None:
    """Load a student's and a course's server."""
    image.inside("student", "extensions", "student")
    image.inside("course", "extensions", "course")


def check_course(image: Image) -> None:
    """An assignment's whole way, between the servers of a student and of a course."""
    with course_service.serve(COURSE) as (port, course), image.served_at(port):
        image.inside("course", "assignment", "/course/source/ps1/problem.ipynb")
        image.run("course", "nbgrader", "generate_assignment", "ps1")
        image.run("course", "nbgrader", "release_assignment", "ps1")
        image.run("student", "nbgrader", "fetch_assignment", "ps1")
        image.inside("student", "answer", "/home/jovyan/check/ps1/problem.ipynb")
        image.run("student", "nbgrader", "validate", "check/ps1/problem.ipynb")
        image.run("student", "jupyter", "nbconvert", "--execute", "--to", "html", "check/ps1/problem.ipynb")
        (image.scratch / "home-student/check/ps1/problem.html").unlink()
        image.run("student", "nbgrader", "submit", "ps1")
        _hand_in_traps(course)
        said = image.run("course", "nbgrader", "collect", "ps1", status=1)
        if f"Left out {SPOILER}:" not in said:
            raise ImageUnfitError(f"collecting did not tell of {SPOILER}:\n{said[-4000:]}")
        collected = image.scratch / "course/submitted"
        students = [path.parent.name for path in collected.glob("*/ps1")]
        if students != [STUDENT]:
            raise ImageUnfitError(f"collected for {students}, not for {STUDENT}")
        if os.path.lexists(collected / STUDENT / "ps1/peek.txt"):
            raise ImageUnfitError("collecting made a link that a submission asks for")
        # Submissions run on a cluster, which there is none of here; this one is the check's own.
        image.inside("course", "autograde")
        image.inside("course", "score", STUDENT)
        image.run("course", "nbgrader", "generate_feedback", "ps1")
        image.run("course", "nbgrader", "release_feedback", "ps1")
        image.run("student", "nbgrader", "fetch_feedback", "ps1")
        pages = [
            path.read_text(encoding="utf-8") for path in (image.scratch / "home-student/check/ps1").rglob("*.html")
        ]
        if len(pages) != 1 or "square(3)" in pages[0]:
            raise ImageUnfitError(
                f"{len(pages)} pages of feedback came back to the student, or one with the hidden test"
            )


def _hand_in_traps(course: course_service.Course) -> None:
    """Add what a cheat would do, a link at the hidden tests, and a submission that keeps the others from being collected."""
    honest = course.submissions[0]
    peek, deep = tarfile.TarInfo("peek.txt"), tarfile.TarInfo("/".join(["d"] * 100))
    peek.type, peek.linkname = tarfile.SYMTYPE, "/course/source/ps1/problem.ipynb"
    deep.type = tarfile.DIRTYPE
    for student, entry, content in ((STUDENT, peek, honest.content or b""), (SPOILER, deep, b"")):
        file = io.BytesIO(content)
        with tarfile.open(fileobj=file, mode="a" if content else "w") as archive:
            archive.addfile(entry)
        digest = hashlib.sha256(file.getvalue()).hexdigest()
        course.submissions.append(
            dataclasses.replace(
                honest,
                id=f"{student}-trap",
                key="",
                student=student,
                time=course_service.now(),
                sha256=digest,
                content=file.getvalue(),
            )
        )


class _FakeHub(http.server.BaseHTTPRequestHandler):
    """Answers a starting server as a hub would."""

    def _answer(self) -> None:
        body = json.dumps({"version": "6.1.1", "name": STUDENT, "scopes": []}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("X-JupyterHub-Version", "6.1.1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = _answer  # noqa: N815 - http.server's name
    do_POST = _answer  # noqa: N815 - http.server's name

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


@contextmanager
def _fake_hub() -> Iterator[int]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _FakeHub) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def _answers(path: Path, prefix: str) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(str(path))
            client.sendall(f"GET {prefix}api HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
            return client.recv(64).startswith(b"HTTP/1.1 200")
        except OSError:
            return False


def check_server(image: Image, start: str) -> str:
    """Start a notebook server as a job does, wait for its first answer; gives the seconds as text."""
    sockets = image.scratch / "s"
    sockets.mkdir(exist_ok=True)
    (sockets / "notebook.sock").unlink(missing_ok=True)
    prefix = f"/user/{STUDENT}/"
    module = ["python3", "/opt/hpcampus/start.py"] if start else ["python3", "-m", "jupyterhub.singleuser"]
    server = [*module, "--ServerApp.sock=/run/hpcampus/notebook.sock", "--ServerApp.sock_mode=0600"]
    extra = ["--pid", "--ipc", "--bind", f"{sockets}:/run/hpcampus"]
    if start:
        extra.append("--no-init")
    for name in ("start.py", "closed_keyring.py") if start else ():
        extra += ["--bind", f"{Path(start).with_name(name)}:/opt/hpcampus/{name}:ro"]
    with _fake_hub() as port, (image.scratch / "server.log").open("w+", encoding="utf-8") as log:
        environment = {
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{port}/hub/api",
            "JUPYTERHUB_API_TOKEN": "check",
            "JUPYTERHUB_CLIENT_ID": f"jupyterhub-user-{STUDENT}",
            "JUPYTERHUB_OAUTH_CALLBACK_URL": f"{prefix}oauth_callback",
            "JUPYTERHUB_USER": STUDENT,
            "JUPYTERHUB_SERVICE_PREFIX": prefix,
            "JUPYTERHUB_SERVICE_URL": f"http://127.0.0.1:8888{prefix}",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTERHUB_HOST": "",
            "JUPYTERHUB_SERVER_NAME": "",
            "JUPYTER_RUNTIME_DIR": "/tmp/jupyter-runtime",  # noqa: S108 - the container's own
        }
        for name, value in environment.items():
            extra += ["--env", f"{name}={value}"]
        began = time.monotonic()
        process = subprocess.Popen(
            image.argv("student", server, extra), stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            while not _answers(sockets / "notebook.sock", prefix):
                if process.poll() is not None or time.monotonic() - began > image.timeout_seconds:
                    log.seek(0)
                    raise ImageUnfitError(f"the notebook server did not answer:\n{log.read()[-4000:]}")
                time.sleep(0.02)
            return f"{time.monotonic() - began:.2f}"
        finally:
            process.terminate()
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def run_checks(options: argparse.Namespace, scratch: Path) -> None:
    """Run all checks in turn and print a line for each."""
    image = Image(options.apptainer, options.image, scratch, options.timeout_seconds)
    checks = {
        "packages": check_packages,
        "WebDAV": check_webdav,
        "notebook": check_notebook,
        "own packages": check_own_packages,
        "server extensions": check_extensions,
        "course": check_course,
    }
    for name, check in checks.items():
        began = time.monotonic()
        try:
            check(image)
        except ImageUnfitError as error:
            raise ImageUnfitError(f"{name}: {error}") from None
        print(f"{name}: good ({time.monotonic() - began:.1f} s)", flush=True)
    for attempt in ("first", "second"):
        print(f"server, {attempt} start: answered after {check_server(image, options.start)} s", flush=True)


def main() -> int:
    """Parse the command line and run the checks."""
    parser = argparse.ArgumentParser(description="Prove that a notebook image serves.")
    parser.add_argument("--image", required=True, help="the image file")
    parser.add_argument("--apptainer", default="/usr/bin/apptainer")
    parser.add_argument("--start", default="", help="start module that jobs use; empty for JupyterHub's own")
    parser.add_argument("--timeout-seconds", type=int, default=300, help="limit for one command in the image")
    options = parser.parse_args()
    scratch = Path(tempfile.mkdtemp(prefix="hpcampus-check-"))
    try:
        run_checks(options, scratch)
    except ImageUnfitError as error:
        print(f"The image {options.image} is not fit to be published. {error}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
