# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A request to the API: whose token it is, what they may do, and answers as JSON."""

import json
import re
import sqlite3
from collections.abc import Mapping
from typing import Any, ClassVar

from tornado.web import HTTPError, stream_request_body

from hpcampus_courses.handlers import CourseHandler
from hpcampus_courses.identity import HubDownError, UnknownTokenError
from hpcampus_courses.names import problem_of_name
from hpcampus_courses.people import LEADERS, Person, Role
from hpcampus_courses.settings import Course
from hpcampus_courses.store.audit import Entry
from hpcampus_courses.store.content import DiskFullError

JSON_MAX = 16 * 1024 * 1024
DRAINED_MAX = 16 * 1024**3
"""Up to this size what is refused is read to its end, so that whoever sends it gets to see the answer."""

_AUTHORIZATION = re.compile(r"(?i:token|bearer) +([\x21-\x7e]{1,4000})")
_TOKEN = re.compile(r"[\x21-\x7e]{1,4000}")
_VISITOR = "Hpcampus-Person-Token"
Allowed = Mapping[str, frozenset[Role]]


class RefusalError(HTTPError):
    """An answer that says no.

    Args:
        status: of HTTP.
        error: a short name for programs.
        message: a sentence for people.
        headers: of the answer.
    """

    def __init__(self, status: int, error: str, message: str, **headers: str) -> None:
        super().__init__(status, "%s", error)
        self.error = error
        self.message = message
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


NO_TOKEN = RefusalError(
    401, "no-token", "The request needs a header Authorization with a token of the hub.", WWW_Authenticate="token"
)
UNKNOWN_TOKEN = RefusalError(
    401,
    "unknown-token",
    "The hub does not know the token: it has expired, or its server was stopped. Start the server again.",
    WWW_Authenticate="token",
)
HUB_DOWN = RefusalError(
    503,
    "hub-down",
    "The hub does not answer, so it is not clear who you are. Please try again in a moment.",
    Retry_After="5",
)
WEAK_TOKEN = RefusalError(
    403, "weak-token", "The token may not act for its owner here. Use the token of a notebook server."
)
NO_COURSE = RefusalError(404, "no-course", "There is no such course, or you are not in it.")
DISK_FULL = RefusalError(
    507,
    "disk-full",
    "The disk of the exchange is full, so nothing was taken. Please tell the administrator, and try again later.",
)


@stream_request_body
class ApiHandler(CourseHandler):
    """Finds out who asks before it takes a body.

    ``ALLOWED`` says for each method which roles may; a handler whose path has no course lets everybody in who has a token.
    """

    ALLOWED: ClassVar[Allowed] = {}

    role: Role
    record: Course

    def initialize(self) -> None:
        """Begin without a body."""
        super().initialize()
        self._body = bytearray()
        self._received = 0
        self._refusal: Exception | None = None

    def check_xsrf_cookie(self) -> None:
        """Cookies do not count here, so a page of somebody else gains nothing by sending them."""

    async def prepare(self) -> None:
        """Find out who asks and whether they may."""
        token = _AUTHORIZATION.fullmatch(self.request.headers.get("Authorization", ""))
        if token is None:
            raise NO_TOKEN
        self.person = self.acting = await self._whose(token[1])
        if not _speaks_for(self.person):
            raise WEAK_TOKEN
        self.request.connection.set_max_body_size(DRAINED_MAX)  # type: ignore[union-attr]
        try:
            await self.admit()
        except (HTTPError, DiskFullError) as refusal:
            self._refusal = refusal
            setattr(self, (self.request.method or "").lower(), self._answer_refusal)

    async def _answer_refusal(self, **_: str) -> None:
        """Stands for the method of a request that is refused.

        An answer before the end of the body would be lost: whoever still sends sees the connection break.
        """
        if self._refusal is not None:
            raise self._refusal

    async def admit(self) -> None:
        """Find out whether the person may, before the body is taken; what this raises is answered when the body has passed."""
        if "slug" in self.path_kwargs:
            await self._enter(self.path_kwargs["slug"])
        if (self.length or 0) > self.body_max():
            raise self.too_large(self.length or 0)

    @property
    def length(self) -> int | None:
        """Bytes of the body, as the request announces them."""
        value = self.request.headers.get("Content-Length")
        if value is None:
            return None
        if not value.isascii() or not value.isdigit():
            raise RefusalError(400, "bad-length", "Content-Length must be a number of bytes.")
        return int(value)

    async def _whose(self, token: str) -> Person:
        try:
            return await self.service.identity.person(token)
        except UnknownTokenError:
            raise UNKNOWN_TOKEN from None
        except HubDownError:
            raise HUB_DOWN from None

    async def _enter(self, slug: str) -> None:
        course, role = self.course(slug), self.role_in(slug)
        if course is None or role is None:
            raise NO_COURSE
        person_token = self.request.headers.get(_VISITOR, "")
        if role is Role.COURSE and person_token:
            role = await self._enter_as(course, person_token)
        if role not in self.ALLOWED.get(self.request.method or "", frozenset()):
            if self.request.method not in self.ALLOWED:
                raise HTTPError(405)
            raise RefusalError(403, "not-allowed", f"In this course you are {_called(role)}, who may not do this.")
        self.record, self.role = course, role

    async def _enter_as(self, course: Course, token: str) -> Role:
        """Go on with the rights of the person who sits at the course's server."""
        if _TOKEN.fullmatch(token) is None:
            raise RefusalError(401, "unknown-token", f"The header {_VISITOR} has no token.")
        self.acting = await self._whose(token)
        role = self.acting.role_in(course)
        if not _visits(self.acting, self.person) or role is None or role is Role.STUDENT:
            raise RefusalError(403, "not-allowed", "Only those who teach the course may act through its server.")
        return Role.COURSE if role in LEADERS else role

    def body_max(self) -> int:
        """The most bytes that a body may have."""
        return JSON_MAX

    def too_large(self, size: int) -> RefusalError:
        """The refusal of a body of so many bytes."""
        del size
        return RefusalError(413, "too-large", f"The request has more than {self.body_max() // 2**20} MB.")

    async def data_received(self, chunk: bytes) -> None:
        """Take a piece of the body; what is too much is read and forgotten, and refused in the end."""
        self._received += len(chunk)
        if self._refusal is None and self._received <= self.body_max():
            self._body += chunk

    def json_body(self) -> Mapping[str, Any]:
        """The body, which must be a JSON object."""
        if self._received > self.body_max():
            raise self.too_large(self._received)
        try:
            body = json.loads(bytes(self._body))
        except (ValueError, RecursionError):
            body = None
        if not isinstance(body, dict):
            raise RefusalError(400, "not-json", "The body must be a JSON object.")
        return body

    def assignment(self, name: object) -> str:
        """The name of an assignment, which must be a plain one."""
        return checked_name("The name of the assignment", name)

    async def note(self, action: str, *, assignment: str = "", student: str = "", detail: str = "") -> None:
        """Write who did something into the audit."""
        entry = Entry(self.service.now(), self.acting.name, action, assignment, student, detail)
        await self.store.audit.add(self.record.slug, entry)

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """Answer with what went wrong."""
        error = kwargs.get("exc_info", (None, None, None))[1]
        if isinstance(error, RefusalError):
            for name, value in error.headers.items():
                self.set_header(name, value)
            answer = {"error": error.error, "message": error.message}
        elif status_code == 405:
            answer = {"error": "no-method", "message": "This address does not know the method of the request."}
        elif isinstance(error, HTTPError):
            answer = {"error": "bad-request", "message": self._reason + "."}
        else:
            answer = {
                "error": "broken",
                "message": "The service failed; its log says more. What was answered before is safe.",
            }
        self.finish(answer)

    def log_exception(self, typ: Any, value: Any, tb: Any) -> None:
        """Log what is not foreseen; the line of the request says the rest."""
        if not isinstance(value, RefusalError):
            super().log_exception(typ, value, tb)

    def _handle_request_exception(self, e: BaseException) -> None:
        if isinstance(e, DiskFullError) or (isinstance(e, sqlite3.Error) and e.sqlite_errorname == "SQLITE_FULL"):
            e = DISK_FULL
        try:
            raise e
        except type(e):
            super()._handle_request_exception(e)


class NotFound(ApiHandler):
    """An address that is not known."""

    async def prepare(self) -> None:
        """Answer whoever asks."""
        raise RefusalError(404, "no-address", "The service has no such address.")


def checked_name(what: str, name: object) -> str:
    """A name that may become a file's, or a refusal."""
    text = name if isinstance(name, str) else ""
    if problem := problem_of_name(text):
        raise RefusalError(400, "bad-name", f"{what} {problem}.")
    return text


def _called(role: Role) -> str:
    return {Role.COURSE: "the course itself", Role.INSTRUCTOR: "an instructor"}.get(role, f"a {role}")


def _speaks_for(person: Person) -> bool:
    """Whether a token was made to act for its owner.

    The tokens of notebook servers, and those that people make for themselves, are. One that somebody else's server got, because
    the person looked at it, only says who the person is.
    """
    return any(f"users:activity{which}" in person.scopes for which in ("", f"!user={person.name}"))


def _visits(person: Person, owner: Person) -> bool:
    """Whether a token is that of a visit to a server of the owner."""
    own = ("", f"!user={owner.name}", f"!server={owner.name}/")
    return any(f"access:servers{which}" in person.scopes for which in own)
