# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's handlers with what several people at once need.

* Calls of the API run in threads, each with a gradebook and a course directory of its own: what nbgrader shares between requests
  is changed by every one of them.
* What is asked of the course service carries the token of the person, and what was done leaves a line in the course's log.
"""

from __future__ import annotations

import asyncio
import contextvars
import json
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from nbgrader.api import Gradebook, MissingEntry
from nbgrader.apps.api import NbGraderAPI
from nbgrader.coursedir import CourseDirectory
from nbgrader.server_extensions.formgrader import handlers
from nbgrader.server_extensions.formgrader.base import BaseApiHandler, BaseHandler

from hpcampus_nbgrader.exchange.service import PERSON_TOKEN, ServiceError, own_service

from .person import person_token
from .publisher import PUBLISHER

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_THREADS = ThreadPoolExecutor(16, "formgrader")
# The same call twice at once, of two people or of an impatient one, is done one after the other.
_LOCKS: defaultdict[str, threading.Lock] = defaultdict(threading.Lock)

# What changes something, by the last part of its address, and what the course's log calls it. Releasing, collecting and giving
# feedback back are not here: the course service and the exchange note them themselves.
_ACTIONS = {
    "assign": "generate assignment",
    "autograde": "autograde",
    "generate_feedback": "generate feedback",
    "grade": "grade",
    "comment": "comment",
    "flag": "flag",
    "assignment": "change assignment",
    "student": "change student",
}
_CHANGES_POINTS = frozenset({"autograde", "grade"})


class Acting(BaseHandler):
    """A handler that acts for the person at the page, and keeps to itself what it works with."""

    _gradebook: Any = None
    _coursedir: Any = None

    async def prepare(self) -> None:
        """Find out who it is, and act for this person from now on."""
        await super().prepare()
        if self.current_user is not None:
            PERSON_TOKEN.set(person_token(self))

    @property
    def coursedir(self) -> Any:
        """A course directory of this request: nbgrader writes into it what it works on."""
        if self._coursedir is None:
            self._coursedir = CourseDirectory(parent=self.settings["nbgrader_formgrader"])
        return self._coursedir

    @property
    def gradebook(self) -> Any:
        """A gradebook of this request."""
        if self._gradebook is None:
            self._gradebook = Gradebook(self.db_url, self.coursedir.course_id)
        return self._gradebook

    def close_gradebook(self) -> None:
        """Give the connection back, where it was opened."""
        if self._gradebook is not None:
            self._gradebook.close()
            self._gradebook = None

    @property
    def api(self) -> Any:
        """Nbgrader's API for this request, with the configuration as it was when the server started."""
        level = self.log.level
        made = NbGraderAPI(self.coursedir, self.authenticator, parent=self.settings["nbgrader_formgrader"])
        made.log_level = level
        return made

    def on_finish(self) -> None:
        """Close what is open still."""
        self.close_gradebook()
        super().on_finish()


class Start(Acting, handlers.FormgraderHandler):
    """The first page; the course is always the server's own, whatever directory the page's address names."""

    def get(self) -> None:
        """Lead to the assignments."""
        self.redirect(f"{self.base_url}/formgrader/manage_assignments")


class Files(Acting, handlers.SubmissionFilesHandler):
    """Files of a submission; a page among them gets no rights of whoever looks at it."""

    def set_extra_headers(self, path: str) -> None:
        """Keep scripts from running."""
        super().set_extra_headers(path)
        self.set_header(
            "Content-Security-Policy", "sandbox; default-src 'none'; img-src 'self'; style-src 'unsafe-inline'"
        )
        self.set_header("X-Content-Type-Options", "nosniff")


def ours(default: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Nbgrader's handlers with the same addresses, as ours."""
    special = {handlers.FormgraderHandler: Start, handlers.SubmissionFilesHandler: Files}
    return [(pattern, special.get(kind) or _ours(kind), *more) for pattern, kind, *more in default]


def _ours(kind: type) -> type:
    if not issubclass(kind, BaseHandler) or issubclass(kind, Acting):
        return kind
    methods: dict[str, Any] = {}
    if issubclass(kind, BaseApiHandler):
        methods = {name: _in_thread(vars(kind)[name]) for name in ("get", "post", "put") if name in vars(kind)}
    return type(kind.__name__, (Acting, kind), methods)


def _in_thread(method: Callable[..., None]) -> Callable[..., Any]:
    async def called(self: Any, *arguments: str) -> None:
        def work() -> None:
            try:
                if self.request.method == "GET":
                    method(self, *arguments)
                    return
                with _LOCKS[self.request.path]:
                    method(self, *arguments)
                    _tell(self, arguments)
            finally:
                self.close_gradebook()

        context = contextvars.copy_context()
        await asyncio.get_running_loop().run_in_executor(_THREADS, context.run, work)

    return called


def _tell(handler: Any, arguments: tuple[str, ...]) -> None:
    """Let the course's log have a line, and the students' points be put together again, when something was done."""
    parts = handler.request.path.rstrip("/").split("/formgrader/api/", 1)[1].split("/")
    name = parts[-1] if len(parts) > 2 else parts[0]
    if name not in _ACTIONS or not _worked(handler):
        return
    line = {"action": _ACTIONS[name], **_about(handler, name, arguments)}
    if name in _CHANGES_POINTS:
        handler.settings[PUBLISHER].changed(line["assignment"])
    try:
        with own_service(5) as service:
            service.send("POST", "courses", handler.coursedir.course_id, "audit", body=line)
    except ServiceError as error:
        handler.log.warning("The course's log has no line about %s: %s", line, error)


def _worked(handler: Any) -> bool:
    """Whether the answer says so."""
    written = b"".join(handler._write_buffer)  # noqa: SLF001 (tornado has no other way to what was written)
    return bool(json.loads(written or b"{}").get("success", True))


def _about(handler: Any, name: str, arguments: tuple[str, ...]) -> dict[str, str]:
    """Assignment, student and details of what was done."""
    about = {"assignment": "", "student": "", "detail": ""}
    try:
        if name == "grade":
            grade = handler.gradebook.find_grade_by_id(arguments[0])
            detail = f"{grade.notebook.name} {grade.name}: {grade.score:g} of {grade.max_score:g}"
            return {"assignment": grade.assignment.name, "student": grade.student.id, "detail": detail}
        if name == "comment":
            comment = handler.gradebook.find_comment_by_id(arguments[0])
            place = f"{comment.notebook.name} {comment.name}"
            return {"assignment": comment.assignment.name, "student": comment.student.id, "detail": place}
        if name == "flag":
            notebook = handler.gradebook.find_submission_notebook_by_id(arguments[0])
            detail = f"{notebook.name}: {'flagged' if notebook.flagged else 'no longer flagged'}"
            return {"assignment": notebook.assignment.assignment.name, "student": notebook.student.id, "detail": detail}
    except MissingEntry:
        return about
    if name == "student":
        return {**about, "student": arguments[0]}
    return {**about, "assignment": arguments[0], "student": arguments[1] if len(arguments) > 1 else ""}
