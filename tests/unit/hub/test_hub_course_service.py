# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a real hub tells the course service of the tokens that it may be shown."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import pytest_asyncio

from tests.unit.courses.client import Client
from tests.unit.courses.site import Site
from tests.unit.hub import shared
from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES


@pytest_asyncio.fixture(loop_scope="module")
async def site(tmp_path: Path, hub: HubProcess) -> AsyncIterator[Site]:
    """The course service, which asks the hub."""
    site = Site(tmp_path, api_url=f"http://127.0.0.1:{hub.port}/hub/api", courses=hub.settings["courses"])
    yield site
    await site.close()


async def servers_token(hub: HubProcess, login_node: LoginNode, user: str) -> str:
    """The token of somebody's notebook server."""
    await hub.spawn(user)
    await until(lambda: hub.is_ready(user))
    (job,) = [job for job in login_node.jobs.values() if job.request["secrets"]["env"]["JUPYTERHUB_USER"] == user]
    return str(job.request["secrets"]["env"]["JUPYTERHUB_API_TOKEN"])


async def visit(hub: HubProcess, visitor: str, host: str, secret: str) -> str:
    """The token that the host's server gets of whoever opens its pages; the secret is the server's own token."""
    browser = await hub.browser(visitor)
    query = {
        "client_id": f"jupyterhub-user-{host}",
        "redirect_uri": f"/user/{host}/oauth_callback",
        "response_type": "code",
        "state": "x",
    }
    path = "/hub/api/oauth2/authorize?" + urlencode(query)
    answer = await browser.get(path, **{"Sec-Fetch-Mode": "navigate"})
    if answer.code == 200:
        scopes = re.findall(r'name="scopes"[^>]*value="([^"]*)"', answer.body.decode())
        answer = await browser.post(path, {"scopes": scopes[0]})
    assert answer.code == 302, answer.body
    (code,) = parse_qs(urlsplit(answer.headers["Location"]).query)["code"]
    form = {
        "client_id": query["client_id"],
        "client_secret": secret,
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": query["redirect_uri"],
    }
    answer = await hub.fetch("POST", "/hub/api/oauth2/token", body=urlencode(form))
    assert answer.code == 200, answer.body
    return str(json.loads(answer.body)["access_token"])


async def test_tokens_of_servers_count_and_what_others_got_on_a_visit_does_not(
    hub: HubProcess, login_node: LoginNode, site: Site
) -> None:
    alice = await servers_token(hub, login_node, "alice")
    course = await servers_token(hub, login_node, "course-py1")

    async def roles(token: str, visitor_token: str = "") -> list[tuple[str, str]]:
        answer = await Client(site.port, "", visitor_token, token).get("courses")
        return [(one["slug"], one["role"]) for one in answer.json["courses"]]

    assert await roles(alice) == [("py1", "student")]
    assert await roles(course) == [("py1", "course")]

    # whoever teaches at the course's server: the audit has the name
    ida = await visit(hub, "ida", "course-py1", course)
    at_server = Client(site.port, "", ida, course)
    assert (await at_server.release("py1", "ps1")).status == 200
    audit = (await at_server.get("courses", "py1", "audit")).json["audit"]
    assert [(one["action"], one["who"]) for one in audit] == [("release", "ida")]

    # the same token alone opens nothing, nor does what a student's server has of a visitor
    own = await visit(hub, "alice", "alice", alice)
    for token in (ida, own):
        answer = await Client(site.port, token=token).get("courses", "py1", "submissions")
        assert (answer.status, answer.error) == (403, "weak-token")
    answer = await Client(site.port, "", own, course).get("courses", "py1", "submissions")
    assert (answer.status, answer.error) == (403, "not-allowed")


async def test_a_person_may_use_a_token_of_their_own_and_a_stopped_servers_token_is_nobodys(
    hub: HubProcess, login_node: LoginNode, site: Site
) -> None:
    made = json.loads((await hub.api("POST", "/users/ida/tokens", {})).body)["token"]
    answer = await Client(site.port, token=made).get("courses", "py1", "roster")
    assert {one["name"] for one in answer.json["students"]} >= {"alice"}
    weak = json.loads((await hub.api("POST", "/users/ida/tokens", {"scopes": ["read:users!user=ida"]})).body)["token"]
    assert (await Client(site.port, token=weak).get("courses", "py1", "roster")).error == "weak-token"

    bob = await servers_token(hub, login_node, "bob")
    assert (await Client(site.port, token=bob).get("courses")).json == {"courses": []}
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: hub.is_stopped("bob"))
    site.seconds = 60
    assert (await Client(site.port, token=bob).get("courses")).error == "unknown-token"
