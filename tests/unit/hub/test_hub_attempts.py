# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Everything that the hub's API has, asked for by a student: with her notebook's token, and with one of her own."""

import asyncio
import itertools
import json
import re
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from jupyterhub import apihandlers, handlers
from tornado.httpclient import HTTPResponse

from hpcampus_hub.spawner import HpcSpawner
from tests.unit.hub import shared
from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES

METHODS = ("get", "post", "put", "patch", "delete")
OTHERS = ("alice", "course-py1", "staff", "boss", "test", "nobody")
"""What goes into the addresses in place of users, groups, services, servers and tokens, the first ones where there are several places."""

BODY = {
    "usernames": ["evil"],
    "users": ["bob"],
    "name": "alice",
    "admin": True,
    "roles": ["admin", "user"],
    "scopes": ["admin:users", "admin:servers", "access:servers!user=alice"],
    "user": "bob",
    "group": "staff",
    "properties": {"x": 1},
    "url": "http://127.0.0.1:1",
    "api_token": "0" * 64,
    "ip": "127.0.0.1",
    "port": 1,
    "cmd": ["id"],
    "hub_connect_url": "http://127.0.0.1:1",
    "auth_state": {"x": 1},
    "state": {"hpcampus": {"port": 22}},
    "last_activity": "2030-01-01T00:00:00Z",
}
EXPIRED_BODY = {**BODY, "users": [], "servers": {"": {"last_activity": "2030-01-01T00:00:00Z"}}}

HOSTILE_TEXT = st.text(st.sampled_from("'\"`$&|;<>(){}[]*?!~#%^=\\ \t\n\0:,@+.-_/aZ9\u00e9\u202e\u0664"), max_size=40)
HOSTILE_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(allow_nan=False), HOSTILE_TEXT),
    lambda values: st.one_of(st.lists(values, max_size=3), st.dictionaries(HOSTILE_TEXT, values, max_size=3)),
    max_leaves=6,
)
OPTION_NAMES = st.one_of(
    st.sampled_from(
        ["course", "image", "cpus", "memory", "time_limit_minutes", "gres", "partition", "ip", "port", "cmd"]
    ),
    HOSTILE_TEXT,
)

Route = tuple[str, str]
BROKEN = ("/api/authorizations/token", "/api/authorizations/cookie/")
"""JupyterHub's own, long out of use, which end in an error of the server where they do not refuse."""

PUBLIC: set[Route] = {
    ("get", ""),
    ("get", "/api"),
    ("get", "/api/health"),
    ("get", "/health"),
    ("get", "/login"),
    ("post", "/security/csp-report"),
}
"""Anybody may ask for it, without a token too."""


def routes() -> list[tuple[str, str, int]]:
    """Method, address with a brace for each part to fill in, and number of these parts: of every handler that JupyterHub has."""
    found = []
    for pattern, handler, *_ in [*apihandlers.default_handlers, *handlers.default_handlers]:
        address = re.sub(r"\((?!\?:)[^()]*\)", "{}", pattern.replace("(?:/([^/]+))?", "")).removesuffix("$")
        address = address.replace("{}?", "{}").removesuffix("?").rstrip("/")
        address = address.replace("/user/{}{}", "/user/{}/lab")
        assert not set(address) & set("()[]*+?"), f"{pattern}: cannot be filled in"
        methods = [method for method in METHODS if getattr(handler, method).__name__ != "_unimplemented_method"]
        found += [(method, address, address.count("{}")) for method in methods]
    return found


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess) -> None:
    new_hub.settings["admins"] = ["boss"]
    new_hub.write_accounts("alice", "bob", "ida", "boss")


@pytest_asyncio.fixture(scope="module", loop_scope="module", autouse=True)
async def people(hub: HubProcess) -> None:
    """Alice and bob have a server each, and there is a group and an administrator."""
    for user in ("alice", "bob"):
        await hub.spawn(user)
        await until(lambda user=user: hub.is_ready(user))
    await hub.api("POST", "/groups/staff", {})
    await hub.api("POST", "/users/alice/tokens", {"note": "mine"})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def tokens(hub: HubProcess, login_node: LoginNode) -> dict[str, str]:
    """Bob's tokens: his notebook's, and one that he made himself."""
    made = json.loads((await hub.api("POST", "/users/bob/tokens", {})).body)["token"]
    (job,) = [job for job in login_node.jobs.values() if job.request["user_id"] == "bob"]
    return {"notebook": job.request["secrets"]["env"]["JUPYTERHUB_API_TOKEN"], "own": made}


async def whole_state(hub: HubProcess) -> dict[str, Any]:
    """What an attempt could have changed, as an administrator sees it; when somebody was last active is no part of it."""
    found = {}
    for path in ("/users?include_stopped_servers", "/groups", "/users/alice/tokens", "/users/boss/tokens"):
        found[path] = re.sub(rb'"(last_activity|progress_url)": [^,}]*', b"", (await hub.api("GET", path)).body)
    return found


def is_done(answer: HTTPResponse) -> bool:
    """Whether the hub did or told something; a page that sends a person to log in does not."""
    return answer.code < 300 or (answer.code < 400 and "/hub/login" not in answer.headers.get("Location", ""))


async def ask_all(hub: HubProcess, asked: list[Route], token: str) -> set[Route]:
    """Send requests, some at a time; gives those that were answered with more than a refusal."""
    slots, done = asyncio.Semaphore(8), set()

    async def ask(method: str, path: str) -> None:
        for body in (BODY, EXPIRED_BODY) if method in ("post", "patch") else (None,):
            async with slots:
                answer = await hub.fetch(
                    method.upper(), f"/hub{path}", json_body=body, headers={"Authorization": f"token {token}"}
                )
            assert answer.code < 500 or path.startswith(BROKEN), (method, path, answer.body)
            if is_done(answer):
                done.add((method, path))

    await asyncio.gather(*(ask(*one) for one in asked))
    return done


@pytest.mark.parametrize("kind", ["notebook", "own"])
async def test_of_others_and_of_the_hub_itself_nothing_is_done(
    hub: HubProcess, login_node: LoginNode, tokens: dict[str, str], kind: str
) -> None:
    asked = [
        (method, address.format(*values))
        for method, address, count in routes()
        for values in itertools.product(OTHERS[: 6 if count < 2 else 3], repeat=count)
        if not address.endswith(("/logout", "/api/shutdown"))
    ]
    asked.append(("post", "/api/shutdown"))
    assert len(asked) > 300
    before, calls = (
        await whole_state(hub),
        len([call for call in login_node.calls if call["op"] in ("submit", "cancel", "assign")]),
    )
    own = (
        {("get", "/api/user")}
        if kind == "notebook"
        else {("get", "/api/user"), ("get", "/api/users"), ("get", "/api/info")}
    )
    done = await ask_all(hub, sorted(asked), tokens[kind])
    assert ("get", "/api/user") in done
    assert done - PUBLIC <= own
    assert await whole_state(hub) == before
    assert len([call for call in login_node.calls if call["op"] in ("submit", "cancel", "assign")]) == calls, (
        "nothing reached the cluster"
    )


@pytest.mark.parametrize("kind", ["notebook", "own"])
async def test_her_own_account_stays_as_it_is(hub: HubProcess, tokens: dict[str, str], kind: str) -> None:
    """No right, name, group, role or state of her own is hers to change."""
    before = await whole_state(hub)
    for method, path in (
        ("PATCH", "/users/bob"),
        ("POST", "/users/bob"),
        ("DELETE", "/users/bob"),
        ("PUT", "/groups/staff/properties"),
        ("POST", "/groups/staff/users"),
        ("PATCH", "/users/bob/server"),
        ("PUT", "/users/bob/server"),
        ("POST", "/users/bob/servers/..%2Falice"),
    ):
        assert (await hub.api(method, path, BODY, tokens[kind])).code >= 400, (method, path)
    for scopes in (["admin:users"], ["servers!user=alice"], ["access:servers"], ["read:users"]):
        answer = await hub.api("POST", "/users/bob/tokens", {"scopes": scopes}, tokens[kind])
        assert answer.code in (400, 403, 404), scopes
    for roles in (["admin"], ["test"], ["course-py1-instructor"]):
        answer = await hub.api("POST", "/users/bob/tokens", {"roles": roles}, tokens[kind])
        assert answer.code in (400, 403, 404), roles
    assert await whole_state(hub) == before


async def test_no_attribute_of_a_spawner_is_an_option(
    hub: HubProcess, login_node: LoginNode, tokens: dict[str, str]
) -> None:
    """Each by its name, through the API with her own token, at a server that is not running."""
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: all(job.request["user_id"] != "bob" for job in login_node.jobs.values()))
    await until(lambda: _is_gone(hub))
    submits = len([call for call in login_node.calls if call["op"] == "submit"])
    names = sorted(
        {*HpcSpawner.class_trait_names(), "hub_connect_url", "state", "record", "user", "server", "env", "hub"}
    )
    assert len(names) > 50
    for name in names:
        answer = await hub.api("POST", "/users/bob/server", {name: "127.0.0.1"}, tokens["own"])
        assert answer.code == 400, (name, answer.code, answer.body)
    assert len([call for call in login_node.calls if call["op"] == "submit"]) == submits


async def _is_gone(hub: HubProcess) -> bool:
    return await hub.server("bob") is None


NOT_A_PROFILE = HOSTILE_VALUES.filter(lambda value: value not in ("small", "gpu", None))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(NOT_A_PROFILE, st.dictionaries(OPTION_NAMES, HOSTILE_VALUES, max_size=4)), min_size=8, max_size=8
    )
)
async def test_no_options_make_an_error_or_a_job(
    hub: HubProcess, login_node: LoginNode, asked: list[tuple[Any, dict[str, Any]]]
) -> None:
    """Requests of eight people at a time, none of which names a profile that there is."""
    people = [f"person{number}" for number in range(len(asked))]
    await hub.api("POST", "/users", {"usernames": people})
    submits = len([call for call in login_node.calls if call["op"] == "submit"])
    answers = await asyncio.gather(
        *(
            hub.api("POST", f"/users/{person}/server", {**more, "profile": profile})
            for person, (profile, more) in zip(people, asked, strict=True)
        )
    )
    assert [answer.code for answer in answers] == [400] * len(asked)
    assert len([call for call in login_node.calls if call["op"] == "submit"]) == submits


async def test_no_way_of_oauth_leads_elsewhere(hub: HubProcess) -> None:
    """Neither to another address than the server's own, nor to a client that there is not."""
    bob = await hub.browser("bob")
    for client in ("jupyterhub-user-alice", "jupyterhub-user-bob", "service-test", "jupyterhub", "x", ""):
        for target in (
            "https://evil.example.org/",
            "//evil.example.org",
            "/user/bob/../../evil",
            "javascript:alert(1)",
            "/",
        ):
            query = {"client_id": client, "redirect_uri": target, "response_type": "code", "state": "x"}
            answer = await bob.get("/hub/api/oauth2/authorize?" + urlencode(query))
            assert answer.code in (400, 403, 404), (client, target, answer.code)
            assert "Location" not in answer.headers
            form = {**query, "client_secret": "x", "grant_type": "authorization_code", "code": "x", "scopes": "inherit"}
            for path in ("/hub/api/oauth2/authorize?" + urlencode(query), "/hub/api/oauth2/token"):
                answer = await bob.post(path, form)
                assert answer.code >= 400, (path, client, target)
