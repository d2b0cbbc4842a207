# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the course service of a hub does for one course, in memory: the check of an image needs no hub. Standard library only.

The token that is shown is the name of the user. It keeps no order and no deadlines; the real service has tests of its own.
"""

from __future__ import annotations

import hashlib
import http.server
import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

PREFIX = "/services/courses/api/v1/"


@dataclass
class Submission:
    """What a student announced, and its content once that has come."""

    id: str
    key: str
    assignment: str
    student: str
    time: str
    sha256: str
    notebooks: list[str]
    content: bytes | None = None
    feedback: bytes | None = None

    def shown(self) -> dict[str, Any]:
        """The submission in a list."""
        given = self.feedback
        feedback = given and {"time": self.time, "sha256": hashlib.sha256(given).hexdigest(), "size": len(given)}
        return {
            "id": self.id, "assignment": self.assignment, "student": self.student, "name": self.student, "time": self.time,
            "size": len(self.content or b""), "sha256": self.sha256, "late": False, "notebooks": self.notebooks, "feedback": feedback,
        }  # fmt: skip


@dataclass
class Course:
    """All that is kept of the course."""

    slug: str
    released: dict[str, tuple[bytes, list[str]]] = field(default_factory=dict)
    submissions: list[Submission] = field(default_factory=list)
    grades: dict[str, Any] = field(default_factory=dict)
    grades_released: set[str] = field(default_factory=set)
    audit: list[dict[str, Any]] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)


class RefusedError(Exception):
    """An answer that says no: HTTP status and a sentence."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    course: Course

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            found = self._found(body)
            status = 200
        except RefusedError as refusal:
            status, found = refusal.status, {"error": "refused", "message": str(refusal)}
        data = found if isinstance(found, bytes) else json.dumps(found).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_POST = do_DELETE = _answer  # noqa: N815 - http.server's names

    def _found(self, body: bytes) -> bytes | dict[str, Any]:
        parts = urlsplit(self.path)
        user = self.headers.get("Authorization", "").removeprefix("token ")
        path = [unquote(part) for part in parts.path.removeprefix(PREFIX).split("/")]
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        course, staff = self.course, user == f"course-{self.course.slug}"
        if not parts.path.startswith(PREFIX) or not user:
            raise RefusedError(401, "Who is it?")
        if path == ["courses"]:
            return {"courses": [{"slug": course.slug, "title": course.slug, "role": "student", "assignments": True}]}
        if path[:2] != ["courses", course.slug]:
            raise RefusedError(404, "There is no such course.")
        with course.lock:
            return self._in_course(path[2:], body, query, user if not staff else "")

    def _in_course(self, path: list[str], body: bytes, query: dict[str, str], student: str) -> bytes | dict[str, Any]:
        """Answer for a student, or for the course where `student` is ""."""
        if path == ["calendar"]:
            return {"deadlines": {}, "late": {"policy": "mark"}}
        if path == ["assignments"]:
            return {"assignments": [self._assignment(name) for name in sorted(self.course.released)]}
        if path[0] == "assignments":
            return self._of_assignment(path[1], path[2], body, student)
        if path == ["submissions"]:
            return {"submissions": [one.shown() for one in self._visible(query, student)]}
        if path[0] == "submissions":
            return self._of_submission(path[1], path[2], body, student)
        if student:
            raise RefusedError(403, "Only the course may do this.")
        if path[0] == "grades":
            if self.command == "PUT":
                self.course.grades[path[1]] = json.loads(body)
            else:
                self.course.grades_released.add(path[1])
        elif path == ["audit"]:
            self.course.audit.append(json.loads(body))
        else:
            raise RefusedError(404, "There is no such address.")
        return {}

    def _assignment(self, name: str) -> dict[str, Any]:
        content, notebooks = self.course.released[name]
        return {
            "assignment": name, "released_at": now(), "version": 1, "due": None, "late_until": None, "notebooks": notebooks,
            "size": len(content), "sha256": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip

    def _of_assignment(self, name: str, what: str, body: bytes, student: str) -> bytes | dict[str, Any]:
        if self.command != "GET" and (what == "release") is bool(student):
            raise RefusedError(403, "Courses release, and students hand in.")
        if self.command == "PUT":
            named = self.headers.get("Hpcampus-Notebooks", "")
            self.course.released[name] = (body, [unquote(one) for one in named.split(",") if one])
            return {"version": 1}
        if name not in self.course.released:
            raise RefusedError(404, f"{name} is not released.")
        if self.command == "GET":
            return self.course.released[name][0]
        if self.command == "DELETE":
            del self.course.released[name]
            return {}
        asked = json.loads(body)
        for one in self.course.submissions:
            if (one.key, one.student) == (asked["key"], student):
                break
        else:
            number = str(len(self.course.submissions) + 1)
            one = Submission(number, asked["key"], name, student, now(), asked["sha256"], asked["notebooks"])
            self.course.submissions.append(one)
        return {"id": one.id, "time": one.time, "late": False, "upload": one.content is None, "limit_bytes": 100 << 20}

    def _visible(self, query: dict[str, str], student: str) -> list[Submission]:
        wanted, whose = query.get("assignment"), student or query.get("student")
        return [
            one
            for one in self.course.submissions
            if one.content is not None
            and one.assignment == (wanted or one.assignment)
            and one.student == (whose or one.student)
        ]

    def _of_submission(self, number: str, what: str, body: bytes, student: str) -> bytes | dict[str, Any]:
        found = [one for one in self.course.submissions if one.id == number and one.student == (student or one.student)]
        if not found:
            raise RefusedError(404, "There is no such submission.")
        if self.command == "PUT" and (what == "feedback") is bool(student):
            raise RefusedError(403, "Students hand in, and courses give feedback.")
        if self.command == "PUT":
            if what == "content" and hashlib.sha256(body).hexdigest() != found[0].sha256:
                raise RefusedError(422, "It was damaged on its way.")
            setattr(found[0], what, body)
            return {}
        content: bytes | None = getattr(found[0], what)
        if content is None:
            raise RefusedError(404, "There is none yet.")
        return content

    def log_request(self, code: object = "-", size: object = "-") -> None:
        """Say nothing."""


def now() -> str:
    """The time on the wire."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


@contextmanager
def serve(slug: str) -> Iterator[tuple[int, Course]]:
    """Serve a course on a port of loopback."""
    course = Course(slug)
    bound = type("CourseHandler", (Handler,), {"course": course})
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), bound) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1], course
        server.shutdown()
