# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A class of 200 hands in within a minute, through Apache, proxy, course service and hub. Needs the demo: `make demo`."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import random
import secrets
import statistics
import tarfile
import time
from typing import TYPE_CHECKING, Any

from tornado.httpclient import HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from hpcampus_hub.probe import Client
from tests.e2e.conftest import find_platform
from tests.e2e.teaching import COURSE, OWNER, new_assignment

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.e2e.conftest import Platform

ADMIN = "admin"
GROUP = f"{OWNER}-students"
PERIOD_SECONDS = 60.0
BYTES = 500_000


def measure(students: int) -> None:
    """Let so many students hand in, each at a moment of her own within a minute, and tell how long each waited."""
    asyncio.run(_measure(find_platform(), [f"bench{number:03}" for number in range(students)]))


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

    async def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Any:
        """Ask, and read the answer."""
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
        return json.loads((await self._http.fetch(request)).body)

    async def put(self, path: str, content: bytes, **headers: str) -> None:
        """Upload a tar."""
        told = {f"Hpcampus-{name}": value for name, value in headers.items()}
        sha256 = hashlib.sha256(content).hexdigest()
        await self.ask("PUT", path, content, {"Content-Type": "application/x-tar", "Hpcampus-SHA256": sha256, **told})

    async def hand_in(self, assignment: str, content: bytes, wait: float) -> float:
        """Hand in after a while; gives the seconds that it took."""
        await asyncio.sleep(wait)
        began = time.monotonic()
        sha256 = hashlib.sha256(content).hexdigest()
        told = {"key": secrets.token_hex(16), "sha256": sha256, "size": len(content), "notebooks": ["half"]}
        answer = await self.ask("POST", f"assignments/{assignment}/submissions", json.dumps(told).encode())
        await self.put(f"submissions/{answer['id']}/content", content)
        return time.monotonic() - began


def _tar(content: bytes) -> bytes:
    sink = io.BytesIO()
    with tarfile.open(fileobj=sink, mode="w") as archive:
        entry = tarfile.TarInfo("half.ipynb")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return sink.getvalue()


async def _measure(platform: Platform, names: list[str]) -> None:
    admin = Client(platform.url, ADMIN, platform.context)
    http = SimpleAsyncHTTPClient(force_instance=True, max_clients=len(names))
    await admin.login(platform.passwords[ADMIN])
    try:
        tokens = {}
        for name in (*names, OWNER):
            await admin.fetch("user", "POST", f"/hub/api/users/{name}", (201, 409))
            answer = await admin.fetch("token", "POST", f"/hub/api/users/{name}/tokens", (201,), json={})
            tokens[name] = json.loads(answer.body)["token"]
        await admin.fetch("group", "POST", f"/hub/api/groups/{GROUP}/users", (200,), json={"users": names})
        course, assignment = Courses(platform, tokens[OWNER], http), new_assignment()
        await course.put(f"assignments/{assignment}/release", _tar(b"{}"), Notebooks="half")
        content = {name: _tar(random.Random(name).randbytes(BYTES)) for name in names}  # noqa: S311 (no secret)
        chance = random.Random(1)  # noqa: S311 (no secret)
        found = await asyncio.gather(
            *(
                Courses(platform, tokens[name], http).hand_in(
                    assignment, content[name], chance.uniform(0, PERIOD_SECONDS)
                )
                for name in names
            )
        )
        listed = (await course.ask("GET", f"submissions?assignment={assignment}"))["submissions"]
        right = {(one["student"], one["sha256"]) for one in listed} == {
            (name, hashlib.sha256(content[name]).hexdigest()) for name in names
        }
        cuts = statistics.quantiles(found, n=100)
        print(
            f"{len(listed)} of {len(names)} submissions are there, {'each as it was sent' if right else 'NOT AS SENT'}"
        )
        print(f"median {cuts[49]:.2f} s, 95 % within {cuts[94]:.2f} s, longest {max(found):.2f} s")
    finally:
        for name in names:
            await admin.fetch("user", "DELETE", f"/hub/api/users/{name}", (204, 404))
        await admin.logout()
        admin.close()
        http.close()
