# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A course with nbgrader as the image has it, and the real course service in a thread, reached through a wire that can be cut."""

from __future__ import annotations

import asyncio
import hashlib
import io
import secrets
import socket
import tarfile
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from traitlets.config.loader import PyFileConfigLoader

from tests.unit.courses.site import Site

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator

    import pytest

CONFIG = Path(__file__).resolve().parents[3] / "roles" / "images" / "files" / "nbgrader"
COURSE = "py1"


class Wire:
    """Carries connections to a port; `cuts` says after how many bytes from the client each of the next ones breaks.

    `routes` has ports by what the path of a connection's first request begins with.
    """

    def __init__(self, port: int) -> None:
        self._to = port
        self.cuts: list[int | None] = []
        self.routes: dict[bytes, int] = {}
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._listener.accept()
            except OSError:
                return
            room = self.cuts.pop(0) if self.cuts else None
            if room == 0:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._port_of(near)))
            threading.Thread(target=self._carry, args=(near, far, room), daemon=True).start()
            threading.Thread(target=self._carry, args=(far, near, None), daemon=True).start()

    def _port_of(self, near: socket.socket) -> int:
        if not self.routes:
            return self._to
        path = near.recv(200, socket.MSG_PEEK).partition(b" ")[2]
        return next((port for begin, port in self.routes.items() if path.startswith(begin)), self._to)

    @staticmethod
    def _carry(source: socket.socket, target: socket.socket, room: int | None) -> None:
        with suppress(OSError):
            while data := source.recv(65536 if room is None else min(room, 65536)):
                target.sendall(data)
                if room is not None:
                    room -= len(data)
                    if room <= 0:
                        break
        for one in (source, target):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@dataclass
class Served:
    """The service in a thread of its own."""

    site: Site
    loop: asyncio.AbstractEventLoop
    wire: Wire

    def run(self, work: Callable[[], Any]) -> Any:
        """Do something in the service's thread."""

        async def wrapped() -> Any:
            return work()

        return asyncio.run_coroutine_threadsafe(wrapped(), self.loop).result(20)

    def wait(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(20)


@contextmanager
def served(directory: Path) -> Iterator[Served]:
    """Run the course service."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def begin() -> Site:
        return Site(directory)

    site = asyncio.run_coroutine_threadsafe(begin(), loop).result(20)
    wire = Wire(site.port)
    try:
        yield Served(site, loop, wire)
    finally:
        wire.close()
        asyncio.run_coroutine_threadsafe(site.close(), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(20)
        loop.close()


class Class:
    """What people do with nbgrader, each in a home of their own."""

    def __init__(self, service: Served, directory: Path, patch: pytest.MonkeyPatch) -> None:
        self.service = service
        self.directory = directory
        self.course = directory / "course"
        self.course.mkdir()
        self._patch = patch

    def become(self, name: str, course: str = COURSE, courses: str = "") -> Path:
        """Let what follows happen in the server of a person, or of the course with the name `course-<slug>`."""
        home = self.directory / name
        home.mkdir(exist_ok=True)
        is_course = name == f"course-{course}"
        environment = {
            "JUPYTERHUB_API_URL": f"http://127.0.0.1:{self.service.wire.port}/hub/api",
            "JUPYTERHUB_API_TOKEN": f"token-of-{quote(name)}",
            "JUPYTERHUB_BASE_URL": "/",
            "JUPYTER_DATA_DIR": str(home / "data"),
            "HPCAMPUS_COURSE": course,
            "HPCAMPUS_COURSES": courses or course,
            "HPCAMPUS_COURSE_ROLE": "course" if is_course else "student",
            "HPCAMPUS_USER_ID": name,
        }
        for key, value in environment.items():
            self._patch.setenv(key, value)
        self._patch.chdir(home)
        return home

    def config(self) -> Any:
        """The image's own configuration, with the course's directory where it is here."""
        config = PyFileConfigLoader("nbgrader_config.py", str(CONFIG)).load_config()
        config.CourseDirectory.root = str(self.course)
        return config

    def make(self, kind: str, assignment: str = "", **traits: Any) -> Any:
        """One of nbgrader's exchange objects, as its own commands make it."""
        from nbgrader.auth import Authenticator
        from nbgrader.coursedir import CourseDirectory
        from nbgrader.exchange import ExchangeFactory

        config = self.config()
        directory = CourseDirectory(config=config)
        if assignment:
            directory.assignment_id = assignment
        for name in ("student_id", "course_id", "student_id_exclude", "max_dir_size"):
            if name in traits:
                setattr(directory, name, traits.pop(name))
        made = getattr(ExchangeFactory(config=config), kind)(
            coursedir=directory, authenticator=Authenticator(config=config), config=config
        )
        made.patience_seconds = 3.0
        for name, value in traits.items():
            setattr(made, name, value)
        return made

    def do(self, kind: str, assignment: str = "", **traits: Any) -> Any:
        """Do it."""
        return self.make(kind, assignment, **traits).start()

    def generated(self, assignment: str = "ps1", **files: str) -> Path:
        """Pretend that the assignment was generated."""
        path = self.course / "release" / assignment
        path.mkdir(parents=True, exist_ok=True)
        for name, text in {"problem1.ipynb": "{}", "data.csv": "1,2", **files}.items():
            (path / name).write_text(text, encoding="utf-8")
        return path

    def release(self, assignment: str = "ps1", **files: str) -> None:
        """Release an assignment as the course."""
        self.become(f"course-{COURSE}")
        self.generated(assignment, **files)
        self.do("ReleaseAssignment", assignment)

    def hand_in(self, name: str, answer: str, assignment: str = "ps1", **traits: Any) -> Path:
        """Fetch, solve and submit as a student."""
        home = self.become(name)
        path = home / COURSE / assignment
        if not path.exists():
            self.do("FetchAssignment", assignment)
        (path / "problem1.ipynb").write_text(answer, encoding="utf-8")
        self.do("Submit", assignment, **traits)
        return path

    def hand_in_tar(self, name: str, content: bytes, assignment: str = "ps1") -> None:
        """Hand in a tar that no class of ours has made."""
        from hpcampus_nbgrader.exchange.service import own_service

        self.become(name)
        digest = hashlib.sha256(content).hexdigest()
        body = {"key": secrets.token_hex(16), "sha256": digest, "size": len(content), "notebooks": ["problem1"]}
        with own_service(3) as service:
            begun = service.send("POST", "courses", COURSE, "assignments", assignment, "submissions", body=body)
            service.upload(
                "courses", COURSE, "submissions", begun["id"], "content",
                content=io.BytesIO(content), size=len(content), headers={},
            )  # fmt: skip

    def collected(self, assignment: str = "ps1") -> dict[str, str]:
        """Answers by student that are in the course's directory."""
        found = sorted((self.course / "submitted").glob(f"*/{assignment}/problem1.ipynb"))
        return {path.parent.parent.name: path.read_text(encoding="utf-8") for path in found}


def tar_of(*entries: tuple[tarfile.TarInfo, bytes]) -> bytes:
    """A tar with these entries."""
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as archive:
        for entry, content in entries:
            archive.addfile(entry, io.BytesIO(content))
    return file.getvalue()


def plain(name: str, content: bytes = b"{}") -> tuple[tarfile.TarInfo, bytes]:
    """A plain file for `tar_of`."""
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    return entry, content


def special(name: str, kind: bytes, target: str = "") -> tuple[tarfile.TarInfo, bytes]:
    """A link, a device or a directory for `tar_of`."""
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname = kind, target
    return entry, b""
