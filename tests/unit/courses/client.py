# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A client of the course service for tests: one call, or a file in pieces that may break off."""

import asyncio
import hashlib
import json
import secrets
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

PREFIX = "/services/courses/"


@dataclass
class Answer:
    """An answer, whose body may be JSON."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        return str(self.json["error"])


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def token_of(name: str) -> str:
    """The token of a server of somebody's, as the stand-in of the hub knows it."""
    return f"token-of-{quote(name)}"


def new_key() -> str:
    return secrets.token_hex(16)


def target(*parts: str) -> str:
    """The address of something in the API; each part is encoded as a whole."""
    return f"{PREFIX}api/v1/" + "/".join(quote(part, safe="") for part in parts)


class Client:
    """Calls the service as somebody, with a token of a server of theirs."""

    def __init__(self, port: int, name: str = "", visitor_token: str = "", token: str = "") -> None:
        self._port = port
        self.name = name
        self.headers: dict[str, str] = {}
        if name or token:
            self.headers["Authorization"] = f"token {token or token_of(name)}"
        if visitor_token:
            self.headers["Hpcampus-Person-Token"] = visitor_token

    async def call(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request on a connection of its own."""
        if json_body is not None:
            body = json.dumps(json_body).encode()
        reader, writer = await self.begin(method, path, None if body is None else len(body), headers)
        try:
            if body:
                writer.write(body)
                await writer.drain()
            return await read_answer(reader)
        finally:
            writer.close()

    async def begin(
        self, method: str, path: str, length: int | None, headers: dict[str, str] | None = None
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Connect, and send everything but the body."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
        sent = {"Host": "127.0.0.1", "Connection": "close", **self.headers, **(headers or {})}
        if length is not None:
            sent["Content-Length"] = str(length)
        lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in sent.items()), "", ""]
        writer.write("\r\n".join(lines).encode("latin-1"))
        return reader, writer

    async def get(self, *parts: str, query: str = "") -> Answer:
        return await self.call("GET", target(*parts) + query)

    async def put(self, *parts: str, json_body: Any = None, body: bytes | None = None, **headers: str) -> Answer:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.call("PUT", target(*parts), json_body=json_body, body=body, headers=sent)

    async def post(self, *parts: str, json_body: Any = None) -> Answer:
        return await self.call("POST", target(*parts), json_body={} if json_body is None else json_body)

    async def delete(self, *parts: str) -> Answer:
        return await self.call("DELETE", target(*parts))

    async def release(self, course: str, assignment: str, data: bytes = b"tar", notebooks: str = "p1") -> Answer:
        return await self.put(
            "courses", course, "assignments", assignment, "release", body=data, Hpcampus_SHA256=digest(data),
            Hpcampus_Notebooks=notebooks,
        )  # fmt: skip

    async def begin_submission(
        self, course: str, assignment: str, data: bytes, key: str | None = None, size: int | None = None
    ) -> Answer:
        body = {
            "key": key or new_key(),
            "sha256": digest(data),
            "size": len(data) if size is None else size,
            "notebooks": ["p1"],
        }
        return await self.post("courses", course, "assignments", assignment, "submissions", json_body=body)

    async def send_content(self, course: str, submission: str, data: bytes) -> Answer:
        return await self.put("courses", course, "submissions", submission, "content", body=data)

    async def submit(self, course: str, assignment: str, data: bytes, key: str | None = None) -> str:
        """Hand something in as a whole; gives its id."""
        begun = await self.begin_submission(course, assignment, data, key)
        assert begun.status in (200, 201), begun
        if begun.json["upload"]:
            sent = await self.send_content(course, begun.json["id"], data)
            assert sent.status == 200, sent
        return str(begun.json["id"])

    async def submissions(self, course: str, query: str = "") -> list[dict[str, Any]]:
        answer = await self.get("courses", course, "submissions", query=query)
        assert answer.status == 200, answer
        found: list[dict[str, Any]] = answer.json["submissions"]
        return found


async def read_answer(reader: asyncio.StreamReader) -> Answer:
    """The answer on a connection that closes after it."""
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines if line)}
    body = (
        await reader.readexactly(int(headers["content-length"])) if "content-length" in headers else await reader.read()
    )
    return Answer(int(first.split()[1]), headers, body)


async def pieces(size: int, piece: bytes) -> AsyncIterator[bytes]:
    """So many bytes, without having them all at once."""
    left = size
    while left:
        some = piece[: min(len(piece), left)]
        left -= len(some)
        yield some
