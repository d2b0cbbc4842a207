# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The real service on a loopback port, beside a stand-in for the hub that people log in to, and a notebook server of a student."""

import hashlib
import io
import re
import secrets
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urljoin

from jupyterhub._data import DATA_FILES_PATH
from tornado.httpclient import HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.routing import AnyMatches, PathMatches, Rule, RuleRouter
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import Application, RequestHandler

from hpcampus_courses.app import make_app
from hpcampus_courses.identity import HubIdentity
from hpcampus_courses.settings import read
from hpcampus_courses.store import Store
from hpcampus_courses.store.audit import Entry
from hpcampus_courses.store.grades import Check, Score
from hpcampus_courses.store.runs import Run
from hpcampus_courses.store.submissions import Claim, Submission
from hpcampus_hub.names import slug_of

TOKEN = "token-of-the-service-0123456789"
PREFIX = "/services/courses/"
HOSTILE = "<script>hacked=1</script>\"'><img src=x onerror=hacked=1>{{7*7}}"


def at(days: float) -> str:
    """A time so many days from now, as a record has it."""
    return (datetime.now(UTC) + timedelta(days=days)).isoformat(timespec="seconds")


def course(**more: Any) -> dict[str, Any]:
    """The record of a course."""
    return {
        "slug": "physics101",
        "title": "Physics 101",
        "instructors": ["ida"],
        "graders": ["tom"],
        "students": ["alice", "bob", "Zoé Müller"],
        "calendar": {
            "deadlines": [
                {"assignment": "ps1", "due": at(-2), "late_until": at(1)},
                {"assignment": "ps2", "due": at(3)},
            ]
        },
        "repository": {
            "url": "https://git.example.org/physics/exercises",
            "branch": "main",
            "path": "week1/start.ipynb",
        },
        "profiles": ["small", "large"],
        **more,
    }


def packed(files: Mapping[str, bytes]) -> bytes:
    """A tar archive."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


@dataclass
class Hub:
    """What the stand-in knows: who logs in next, whose tokens there are, what the course's server was asked and answers."""

    visitor: str = "alice"
    groups: dict[str, list[str]] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    down: bool = False
    asked: list[tuple[str, str]] = field(default_factory=list)
    server_status: int = 200
    prepared: dict[str, str] = field(default_factory=dict)


class _Hub(RequestHandler):
    """The hub and everything below its proxy that is no service."""

    def initialize(self, hub: Hub) -> None:
        self.hub = hub

    def check_xsrf_cookie(self) -> None:
        """Not the subject here."""


class Authorize(_Hub):
    """Logs somebody in without a question, and sends them back with a code."""

    def get(self) -> None:
        assert self.get_query_argument("client_id") == "service-courses"
        assert self.get_query_argument("redirect_uri") == f"{PREFIX}oauth_callback"
        code = secrets.token_hex(8)
        self.hub.codes[code] = self.hub.visitor
        self.redirect(f"{PREFIX}oauth_callback?" + urlencode({"code": code, "state": self.get_query_argument("state")}))


class TokenOf(_Hub):
    def post(self) -> None:
        assert self.get_body_argument("client_secret") == TOKEN
        token = secrets.token_hex(16)
        self.hub.tokens[token] = self.hub.codes.pop(self.get_body_argument("code"))
        self.finish({"access_token": token})


class WhoIs(_Hub):
    def get(self) -> None:
        name = self.hub.tokens.get(self.request.headers.get("Authorization", "").removeprefix("token "))
        if self.hub.down or name is None:
            self.send_error(503 if self.hub.down else 401)
            return
        self.finish(
            {"kind": "user", "name": name, "groups": self.hub.groups.get(name, []), "scopes": ["read:users!user"]}
        )


class GroupOf(_Hub):
    def get(self, name: str) -> None:
        self.finish({"name": name, "users": [who for who, groups in self.hub.groups.items() if name in groups]})


class Anything(_Hub):
    """Pages of the hub, and of the notebook server of a student, who decides what they hold."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/javascript" if self.request.path.endswith(".js") else "text/html")
        self.write(self.hub.prepared.get(self.request.path, f"<!doctype html><title>{self.request.path}</title>"))


class Logo(_Hub):
    def get(self) -> None:
        self.set_header("Content-Type", "image/png")
        self.finish(Path(DATA_FILES_PATH, "static/images/jupyterhub-80.png").read_bytes())


class CourseServer(_Hub):
    """The server of a course."""

    def post(self, place: str) -> None:
        token = self.request.headers["Authorization"].removeprefix("token ")
        self.hub.asked.append((place, self.hub.tokens[token]))
        self.set_status(self.hub.server_status)
        self.finish({})


class Site:
    """The service with its store, and the hub's stand-in, on one port: one origin, as people have it.

    Args:
        directory: an empty directory.
        courses: records.
    """

    def __init__(self, directory: Path, *courses: Mapping[str, Any]) -> None:
        sockets = bind_sockets(0, "127.0.0.1")
        self.url = f"http://127.0.0.1:{sockets[0].getsockname()[1]}"
        self.hub = Hub()
        self.store = Store(directory)
        self.settings = read(
            {
                "hub_api_url": f"{self.url}/hub/api",
                "public_url": self.url,
                "proxy_url": self.url,
                "state_dir": str(directory),
                "sync_dir": str(directory / "sync"),
                "courses": list(courses) or [course()],
            }
        )
        self.identity = HubIdentity(self.settings.hub_api_url, TOKEN)
        self.app = make_app(self.settings, self.store, self.identity, TOKEN)
        given = {"hub": self.hub}
        beside = Application(
            [
                ("/hub/api/oauth2/authorize", Authorize, given),
                ("/hub/api/oauth2/token", TokenOf, given),
                ("/hub/api/user", WhoIs, given),
                ("/hub/api/groups/(.*)", GroupOf, given),
                ("/hub/logo", Logo, given),
                ("/user/course-[a-z0-9]+/(.*)", CourseServer, given),
                (".*", Anything, given),
            ]
        )
        router = RuleRouter([Rule(PathMatches(f"{PREFIX}.*"), self.app), Rule(AnyMatches(), beside)])
        self._server = HTTPServer(router)
        self._server.add_sockets(sockets)

    def page(self, path: str = "") -> str:
        """Address of a page."""
        return f"{self.url}{PREFIX}{path}"

    async def close(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()
        self.identity.close()
        self.store.close()

    async def keep(self, data: bytes) -> tuple[str, int]:
        """Keep a file, and give its digest and size."""
        with self.store.content.receive(len(data)) as incoming:
            await incoming.add(data)
            digest = await incoming.finish()
            await incoming.keep()
        assert digest == hashlib.sha256(data).hexdigest()
        return digest, len(data)

    async def release(self, assignment: str, *notebooks: str, slug: str = "physics101") -> None:
        digest, size = await self.keep(packed({f"{one}.ipynb": b"{}" for one in notebooks}))
        await self.store.releases.release(slug, assignment, digest, size, notebooks, datetime.now(UTC), "ida")

    async def hand_in(
        self, name: str, assignment: str, days: float = 0, data: bytes = b"work", slug: str = "physics101"
    ) -> Submission:
        """A complete submission, handed in so many days from now."""
        digest, size = await self.keep(packed({"problem.ipynb": data + name.encode()}))
        claim = Claim(slug, slug_of(name), name, assignment, secrets.token_hex(16), digest, size, ("problem",))
        submission, _ = await self.store.submissions.begin(claim, datetime.now(UTC) + timedelta(days=days), 10)
        await self.store.submissions.complete(submission.id)
        return submission

    async def give_feedback(self, submission: Submission, files: Mapping[str, bytes]) -> None:
        digest, size = await self.keep(packed(files))
        await self.store.submissions.give_feedback(submission.id, digest, size, datetime.now(UTC), "ida")

    async def grade(self, assignment: str, *scores: Score, release: bool = True, slug: str = "physics101") -> None:
        await self.store.grades.draft(slug, assignment, 10, scores, datetime.now(UTC))
        if release:
            await self.store.grades.release(slug, assignment, datetime.now(UTC))

    async def run(
        self,
        assignment: str,
        done: int,
        total: int,
        state: str,
        message: str = "",
        number: int = 1,
        slug: str = "physics101",
    ) -> None:
        now = datetime.now(UTC)
        run = Run(f"{number:032x}", assignment, total, done, 0, state, message, "ida", now, now)
        await self.store.runs.put(slug, run)

    async def note(
        self, who: str, action: str, assignment: str = "", detail: str = "", slug: str = "physics101"
    ) -> None:
        await self.store.audit.add(slug, Entry(datetime.now(UTC), who, action, assignment, detail=detail))


SCORE = Score(
    "alice",
    7,
    10,
    1,
    False,
    (),
    (
        Check("test_sum", 5, 5),
        Check("test_mean", 2, 5, "AssertionError: mean([1, 2, 3]) gave 3, not 2", "Divide by the number of values."),
    ),
)


NAVIGATE = {"Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document", "Sec-Fetch-Site": "none"}


class Visitor:
    """Somebody with a browser, as far as cookies, redirects and headers go."""

    def __init__(self, site: Site, name: str) -> None:
        self.site = site
        self.name = name
        self.cookies: dict[str, str] = {}
        self._client = SimpleAsyncHTTPClient(force_instance=True)

    async def ask(
        self,
        path: str,
        *,
        method: str = "GET",
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] = NAVIGATE,
    ) -> HTTPResponse:
        """One request, without following where it leads; ``path`` is below the service's prefix, or begins with a slash."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        request = HTTPRequest(
            self.site.url + path if path.startswith("/") else self.site.page(path),
            method=method,
            body=urlencode(form) if form is not None else None,
            headers={**headers, **({"Cookie": cookies} if cookies else {})},
            follow_redirects=False,
        )
        answer = await self._client.fetch(request, raise_error=False)
        for line in answer.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer

    async def open(self, path: str = "") -> HTTPResponse:
        """Open a page, log in when the hub asks for it, and follow to the page."""
        self.site.hub.visitor = self.name
        answer = await self.ask(path)
        for _ in range(5):
            if answer.code not in (302, 303):
                break
            answer = await self.ask(
                urljoin(answer.effective_url, answer.headers["Location"]).removeprefix(self.site.url)
            )
        return answer

    async def text(self, path: str = "") -> str:
        """Open a page that must be there, and give its HTML."""
        answer = await self.open(path)
        assert answer.code == 200, (path, answer.code)
        return answer.body.decode()

    async def token(self, path: str = "course/physics101") -> str:
        """The XSRF token that stands in a page."""
        found = re.search(r'name="_xsrf" value="([^"]+)"', await self.text(path))
        assert found
        return found[1]

    def close(self) -> None:
        self._client.close()
