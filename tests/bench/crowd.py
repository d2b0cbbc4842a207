# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Many students of the demo's course without a server of their own: they reach the course service as the commands of nbgrader do."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import secrets
import tarfile
from typing import TYPE_CHECKING, Any

from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from hpcampus_hub.probe import Client
from tests.e2e.teaching import COURSE, OWNER

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from tests.e2e.conftest import Platform

NOTEBOOK = "half"
ADMIN = "admin"
GROUP = f"{OWNER}-students"


class Courses:
    """The course service as somebody with a token reaches it.

    Args:
        platform: The platform.
        token: Whose requests these are.
        http: Makes them.
    """

    def __init__(self, platform: Platform, token: str, http: SimpleAsyncHTTPClient) -> None:
        self._base = f"{platform.url.rstrip('/')}/services/courses/api/v1/courses/{COURSE}/"
        self._context = platform.context
        self._token = token
        self._http = http

    async def fetch(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> bytes:
        """Ask, and take the answer as it is."""
        request = HTTPRequest(
            self._base + path,
            method,
            {"Authorization": f"token {self._token}", **(headers or {})},
            body or None,
            allow_nonstandard_methods=True,
            ssl_options=self._context,
            request_timeout=120,
            connect_timeout=120,
        )
        return (await self._http.fetch(request)).body

    async def ask(self, method: str, path: str, body: bytes = b"") -> Any:
        """Ask, and read the answer."""
        return json.loads(await self.fetch(method, path, body))

    async def put(self, path: str, content: bytes, **headers: str) -> None:
        """Upload a tar."""
        told = {f"Hpcampus-{name}": value for name, value in headers.items()}
        sha256 = hashlib.sha256(content).hexdigest()
        await self.fetch("PUT", path, content, {"Content-Type": "application/x-tar", "Hpcampus-SHA256": sha256, **told})

    async def hand_in(self, assignment: str, content: bytes) -> None:
        """Hand in a tar."""
        sha256 = hashlib.sha256(content).hexdigest()
        told = {"key": secrets.token_hex(16), "sha256": sha256, "size": len(content), "notebooks": [NOTEBOOK]}
        answer = await self.ask("POST", f"assignments/{assignment}/submissions", json.dumps(told).encode())
        await self.put(f"submissions/{answer['id']}/content", content)


def packed(content: bytes) -> bytes:
    """Pack the notebook of an assignment."""
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        entry = tarfile.TarInfo(f"{NOTEBOOK}.ipynb")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return sink.getvalue()


def unpacked(content: bytes) -> bytes:
    """Give the notebook of an assignment."""
    with tarfile.open(fileobj=io.BytesIO(content), mode="r:") as archive:
        found = archive.extractfile(f"{NOTEBOOK}.ipynb")
        assert found is not None
        return found.read()


@contextlib.asynccontextmanager
async def crowd(platform: Platform, names: list[str]) -> AsyncIterator[dict[str, Courses]]:
    """Let students of these names be in the course for a while; gives how each of them, and the course, reaches the service."""
    admin = Client(platform.url, ADMIN, platform.context)
    http = SimpleAsyncHTTPClient(force_instance=True, max_clients=len(names))
    await admin.login(platform.passwords[ADMIN])
    try:
        found = {}
        for name in (*names, OWNER):
            await admin.fetch("user", "POST", f"/hub/api/users/{name}", (201, 409))
            answer = await admin.fetch("token", "POST", f"/hub/api/users/{name}/tokens", (201,), json={})
            found[name] = Courses(platform, json.loads(answer.body)["token"], http)
        await admin.fetch("group", "POST", f"/hub/api/groups/{GROUP}/users", (200,), json={"users": names})
        yield found
    finally:
        for name in names:
            await admin.fetch("user", "DELETE", f"/hub/api/users/{name}", (204, 404))
        await admin.logout()
        admin.close()
        http.close()
