# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The pages with a real hub, which has the configuration of the role: logging in and out, and what the session may do."""

import asyncio
import json
import re
from collections.abc import AsyncIterator
from http.cookies import SimpleCookie
from pathlib import Path
from urllib.parse import urlencode, urljoin, urlsplit

import pytest
import pytest_asyncio
from tornado.httpclient import AsyncHTTPClient, HTTPRequest, HTTPResponse
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.simple_httpclient import SimpleAsyncHTTPClient
from tornado.web import decode_signed_value

from hpcampus_courses.app import make_app
from hpcampus_courses.identity import HubIdentity
from hpcampus_courses.pages.base import cookie_secret
from hpcampus_courses.settings import read
from hpcampus_courses.store import Store
from tests.unit.hub import shared
from tests.unit.hub.hub_process import PASSWORD, HubProcess

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES

ROLE = Path(__file__).parents[3] / "roles/courses/files/etc/jupyterhub/conf.d/50-courses.py"
TOKEN = "token-of-the-course-service-0123456789"
RECORD = {"slug": "py1", "title": "Python 1", "instructors": ["ida"], "students": ["alice"], "image": "course"}
CLIENT = "service-courses"


@pytest.fixture(scope="module")
def service_sockets() -> list:
    return bind_sockets(0, "127.0.0.1")


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess, service_sockets: list) -> None:
    etc = new_hub.directory / "etc"
    (etc / "conf.d").mkdir(parents=True)
    (etc / "secrets").mkdir()
    port = service_sockets[0].getsockname()[1]
    (etc / "courses.json").write_text(json.dumps([RECORD]))
    (etc / "course-service.json").write_text(json.dumps({"port": port, "gradebook": "sqlite"}))
    (etc / "secrets/courses_token").write_text(TOKEN)
    file = str(etc / "conf.d" / ROLE.name)
    code = f"exec(compile(open({str(ROLE)!r}).read(), {file!r}, 'exec'), {{'get_config': lambda: c, '__file__': {file!r}}})"
    new_hub.more_config = code + "\n"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def service(
    hub: HubProcess, service_sockets: list, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[int]:
    """The port of the service."""
    directory = tmp_path_factory.mktemp("courses")
    settings = read(
        {
            "hub_api_url": f"http://127.0.0.1:{hub.port}/hub/api",
            "public_url": "https://hub.example.org/",
            "state_dir": str(directory),
            "courses": [RECORD],
        }
    )
    store, identity = Store(directory), HubIdentity(settings.hub_api_url, TOKEN)
    server = HTTPServer(make_app(settings, store, identity, TOKEN))
    server.add_sockets(service_sockets)
    yield service_sockets[0].getsockname()[1]
    server.stop()
    await server.close_all_connections()
    identity.close()
    store.close()


class Person:
    """Somebody whose browser goes to the hub and to the service as if they were one site."""

    def __init__(self, hub: HubProcess, service: int) -> None:
        self._ports = (hub.port, service)
        self._client: AsyncHTTPClient = SimpleAsyncHTTPClient(force_instance=True)
        self.cookies: dict[tuple[str, str], str] = {}
        self.seen: list[str] = []

    async def ask(self, path: str, form: dict[str, str] | None = None) -> HTTPResponse:
        place = "/services/courses/" if path.startswith("/services/") else "/hub/"
        sent = {name: value for (name, where), value in self.cookies.items() if place.startswith(where)}
        answer = await self._client.fetch(
            HTTPRequest(
                f"http://127.0.0.1:{self._ports[place != '/hub/']}{path}",
                method="GET" if form is None else "POST",
                body=None if form is None else urlencode(form),
                headers={
                    "Cookie": "; ".join(f"{name}={value}" for name, value in sent.items()),
                    "Sec-Fetch-Mode": "navigate",
                },
                follow_redirects=False,
            ),
            raise_error=False,
        )
        self.seen.append(urlsplit(path).path)
        for line in answer.headers.get_list("Set-Cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name, morsel["path"]] = morsel.value
                if not morsel.value:
                    del self.cookies[name, morsel["path"]]
        return answer

    async def open(self, path: str) -> HTTPResponse:
        answer = await self.ask(path)
        for _ in range(8):
            if answer.code != 302:
                break
            path = urljoin(path, answer.headers["Location"])
            answer = await self.ask(path)
        return answer

    async def log_in(self, name: str, path: str) -> HTTPResponse:
        """Open a page, fill in the form to which it leads, and follow."""
        answer = await self.open(path)
        assert b"username_input" in answer.body, answer.body
        found = re.search(r'action="([^"]+)"', answer.body.decode())
        assert found
        form = {"username": name, "password": PASSWORD, "_xsrf": self.cookies["_xsrf", "/hub/"]}
        answer = await self.ask(found[1].replace("&amp;", "&"), form)
        return await self.open(urljoin(path, answer.headers["Location"]))

    @property
    def token(self) -> str:
        """What the service keeps in its cookie."""
        value = decode_signed_value(cookie_secret(TOKEN), CLIENT, self.cookies[CLIENT, "/services/courses/"])
        assert value
        return value.decode()


async def test_a_link_to_a_course_leads_through_the_login_to_the_course(hub: HubProcess, service: int) -> None:
    alice = Person(hub, service)
    answer = await alice.log_in("alice", "/services/courses/course/py1")
    assert answer.code == 200
    assert "<h1>Python 1</h1>" in answer.body.decode()
    assert "/services/courses/oauth_callback" in alice.seen
    assert "Open the formgrader" not in answer.body.decode()


async def test_what_the_session_may_do(hub: HubProcess, service: int) -> None:
    """It says who somebody is, and reaches the servers of courses that the person teaches; nobody's own server."""
    for name, more in (("alice", set()), ("ida", {"access:servers!user=course-py1"})):
        person = Person(hub, service)
        await person.log_in(name, "/services/courses/")
        model = json.loads((await hub.api("GET", "/user", token=person.token)).body)
        assert model["name"] == name
        scopes = {one for one in model["scopes"] if not one.startswith(("read:", "access:services"))}
        assert scopes == more
        assert f"course-py1-{'instructors' if name == 'ida' else 'students'}" in model["groups"]
        for path in (f"/users/{name}/server", "/users/course-py1/server", f"/users/{name}/tokens"):
            assert (await hub.api("POST", path, token=person.token)).code in (403, 404), path


async def test_the_courses_server_notes_in_the_name_of_who_pressed_a_button_of_the_pages(
    hub: HubProcess, service: int
) -> None:
    """The server has the session's token from the service, and shows it when what was begun has ended."""
    made = await hub.api("POST", "/users/course-py1/tokens", {})
    server = json.loads(made.body)["token"]
    client: AsyncHTTPClient = SimpleAsyncHTTPClient(force_instance=True)
    url = f"http://127.0.0.1:{service}/services/courses/api/v1/courses/py1/audit"
    line = json.dumps({"action": "autograde", "assignment": "ps1", "detail": "done"})
    ida, alice = Person(hub, service), Person(hub, service)
    await ida.log_in("ida", "/services/courses/")
    await alice.log_in("alice", "/services/courses/")
    codes = []
    for person in (ida.token, alice.token, "unknown", ""):
        headers = {"Authorization": f"token {server}", **({"Hpcampus-Person-Token": person} if person else {})}
        request = HTTPRequest(url, method="POST", body=line, headers=headers)
        codes.append((await client.fetch(request, raise_error=False)).code)
    assert codes == [200, 403, 401, 200]
    seen = await client.fetch(HTTPRequest(url, headers={"Authorization": f"token {server}"}))
    assert [one["who"] for one in json.loads(seen.body)["audit"]] == ["course-py1", "ida"]


async def test_who_logs_out_of_the_hub_is_out_of_the_pages(hub: HubProcess, service: int) -> None:
    ida = Person(hub, service)
    answer = await ida.log_in("ida", "/services/courses/course/py1")
    assert "Open the formgrader" in answer.body.decode()
    assert (await ida.ask("/services/courses/course/py1")).code == 200
    token = ida.token
    await ida.open("/hub/logout")
    for _ in range(50):
        if (await hub.api("GET", "/user", token=token)).code != 200:
            break
        await asyncio.sleep(0.1)
    assert (await hub.api("GET", "/user", token=token)).code in (401, 403)


async def test_the_hubs_home_page_leads_to_the_courses(hub: HubProcess, service: int) -> None:
    alice = Person(hub, service)
    answer = await alice.log_in("alice", "/hub/home")
    found = re.search(r'<a href="([^"]+)">Your courses', answer.body.decode())
    assert found
    page = await alice.open(found[1])
    assert page.code == 200
    assert "Python 1" in page.body.decode()
