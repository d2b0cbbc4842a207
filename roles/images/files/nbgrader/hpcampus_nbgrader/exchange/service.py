# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course service on the hub, as a job reaches it: `<scheme://host:port of the hub's API><base>services/courses/api/v1/`.

What a call says about who it is comes from the server's own token, and in a course's server also from the token of the person who
is at the page. Everything that is sent twice has the same effect once, so a call whose answer got lost is simply made again.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import time
from contextlib import suppress
from contextvars import ContextVar
from typing import IO, TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Self

PERSON_TOKEN: ContextVar[str] = ContextVar("hpcampus_person_token", default="")
"""Token of the person for whom a course's server acts just now, or ""."""

_BLOCK_BYTES = 1 << 16
_ANSWER_BYTES_MAX = 64 << 20
_TIMEOUT_SECONDS = 60
_WAIT_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)
_WAIT_SECONDS_MAX = 15.0
# What the way to the hub answers while a part of it restarts.
_TRY_AGAIN = frozenset({502, 503, 504})


class ServiceError(Exception):
    """The service refused; the text is a sentence for a person.

    Attributes:
        status: HTTP status, or 0 without an answer.
        code: The service's short name for what is wrong, such as `too-late`, or "".
    """

    def __init__(self, message: str, status: int = 0, code: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class UnreachableError(ServiceError):
    """There was no answer, in all the tries."""


class DamagedError(ServiceError):
    """What came is not what was announced."""


class Service:
    """One connection to the course service; it belongs to one thread.

    Args:
        url: Address of the service, up to and with `services/courses/`.
        token: The server's own token.
        patience_seconds: How long a call is tried again while there is no answer.
    """

    def __init__(self, url: str, token: str, patience_seconds: float = 60) -> None:
        parts = urlsplit(url)
        self.url = url
        self.patience_seconds = patience_seconds
        self._token = token
        self._path = parts.path.rstrip("/") + "/api/v1/"
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        self._connection = kind(parts.netloc, timeout=_TIMEOUT_SECONDS, blocksize=_BLOCK_BYTES)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], patience_seconds: float = 60) -> Self:
        """Find the service where the server's own hub is.

        Raises:
            ServiceError: This is not a server that a hub has started.
        """
        api, token = environment.get("JUPYTERHUB_API_URL", ""), environment.get("JUPYTERHUB_API_TOKEN", "")
        if not api or not token:
            raise ServiceError(
                "The course service is reached with the address and the token of a notebook server, which are not in this"
                " environment (JUPYTERHUB_API_URL, JUPYTERHUB_API_TOKEN). Use a terminal or a notebook of a server of the hub."
            )
        parts = urlsplit(api)
        base = environment.get("JUPYTERHUB_BASE_URL", "/").strip("/")
        path = f"/{base}/services/courses/" if base else "/services/courses/"
        return cls(f"{parts.scheme}://{parts.netloc}{path}", token, patience_seconds)

    def get(self, *path: str, **query: str) -> dict[str, Any]:
        """Ask for the JSON object at `path`; query parameters that are "" are left out."""
        return self._json("GET", path, query=query)

    def send(self, method: str, *path: str, body: Any = None) -> dict[str, Any]:
        """Send `body` as JSON and give the JSON object of the answer."""
        data = None if body is None else json.dumps(body).encode()
        return self._json(method, path, data, {"Content-Type": "application/json"} if data else {})

    def upload(self, *path: str, content: IO[bytes], size: int, headers: Mapping[str, str]) -> dict[str, Any]:
        """Stream `size` bytes of `content`, from its beginning, with PUT."""
        sent = {**headers, "Content-Type": "application/x-tar", "Content-Length": str(size)}
        return self._json("PUT", path, content, sent)

    def download(self, *path: str, target: IO[bytes], size_max: int, sha256: str = "") -> str:
        """Stream what is at `path` into `target`, and give the SHA-256 of it.

        Raises:
            DamagedError: It is bigger than `size_max` bytes, or has another digest than `sha256`.
        """

        def receive(answer: http.client.HTTPResponse) -> str:
            target.seek(0)
            target.truncate()
            digest, size = hashlib.sha256(), 0
            while block := answer.read(_BLOCK_BYTES):
                size += len(block)
                if size > size_max:
                    raise DamagedError(f"It has more than {size_max} bytes, which is the limit here.")
                digest.update(block)
                target.write(block)
            announced = answer.getheader("Content-Length")
            if announced is not None and int(announced) != size:
                raise http.client.IncompleteRead(b"", int(announced) - size)
            target.flush()
            return digest.hexdigest()

        found: str = self._call("GET", self._target(path, {}), None, {}, receive)
        if sha256 and found != sha256:
            raise DamagedError(
                "What came from the course service is not what was put there (its digest differs). Try again."
            )
        return found

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def _target(self, path: tuple[str, ...], query: Mapping[str, str]) -> str:
        asked = urlencode({name: value for name, value in query.items() if value})
        return self._path + "/".join(quote(part, safe="") for part in path) + (f"?{asked}" if asked else "")

    def _json(
        self, method: str, path: tuple[str, ...], body: bytes | IO[bytes] | None = None,
        headers: Mapping[str, str] | None = None, query: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:  # fmt: skip
        def receive(answer: http.client.HTTPResponse) -> dict[str, Any]:
            found = json.loads(answer.read(_ANSWER_BYTES_MAX) or b"{}")
            if not isinstance(found, dict):
                raise TypeError
            return found

        try:
            answer: dict[str, Any] = self._call(method, self._target(path, query or {}), body, headers or {}, receive)
        except (TypeError, ValueError):
            raise ServiceError(
                "The course service gave an answer that is not JSON. Tell the administrator of the hub."
            ) from None
        return answer

    def _call(
        self, method: str, target: str, body: bytes | IO[bytes] | None, headers: Mapping[str, str], receive: Any
    ) -> Any:
        """Make a call until there is an answer; what it refuses becomes a ServiceError."""
        sent = {"Accept": "application/json", "Authorization": f"token {self._token}", **headers}
        if person := PERSON_TOKEN.get():
            sent["Hpcampus-Person-Token"] = person
        end, tries = time.monotonic() + self.patience_seconds, 0
        while True:
            try:
                answer = self._once(method, target, body, sent)
                if answer.status not in _TRY_AGAIN:
                    return self._received(answer, receive)
                answer.read(_ANSWER_BYTES_MAX)
                reason, wait = f"HTTP status {answer.status}", _asked_wait(answer)
            except (OSError, http.client.HTTPException) as error:
                self._connection.close()
                reason, wait = str(error) or type(error).__name__, 0.0
            wait = max(wait, _WAIT_SECONDS[min(tries, len(_WAIT_SECONDS) - 1)])
            tries += 1
            if time.monotonic() + wait > end:
                raise UnreachableError(f"The course service on the hub does not answer ({reason}, {tries} tries).")
            time.sleep(wait)

    def _once(self, method: str, target: str, body: Any, headers: Mapping[str, str]) -> http.client.HTTPResponse:
        if hasattr(body, "seek"):
            body.seek(0)
        connection = self._connection
        try:
            connection.request(method, target, body=body, headers=dict(headers))
        except (BrokenPipeError, ConnectionResetError):
            # A service that refuses a big upload answers before it is there.
            with suppress(OSError, http.client.HTTPException):
                return connection.getresponse()
            raise
        return connection.getresponse()

    def _received(self, answer: http.client.HTTPResponse, receive: Any) -> Any:
        if answer.status < 400:
            found = receive(answer)
            answer.read()
            return found
        text = answer.read(_BLOCK_BYTES)
        if not answer.isclosed():
            self._connection.close()
        raise _refusal(answer.status, text)


def _asked_wait(answer: http.client.HTTPResponse) -> float:
    text = answer.getheader("Retry-After", "")
    return min(float(text), _WAIT_SECONDS_MAX) if text.isdecimal() else 0.0


def _refusal(status: int, text: bytes) -> ServiceError:
    try:
        found = json.loads(text)
        message, code = str(found["message"]), str(found["error"])
    except (ValueError, TypeError, KeyError):
        message, code = f"The course service refused (HTTP status {status}).", ""
    return ServiceError(message, status, code)


def own_service(patience_seconds: float = 60) -> Service:
    """The service as this process reaches it."""
    return Service.from_environment(os.environ, patience_seconds)
