# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""People with names of every kind: what the hub asks of the cluster for them, and what the cluster makes of it."""

import json
import shlex
import string
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus_hub.names import is_slug, slug_of
from tests.unit.gateway.loading import load
from tests.unit.hub import shared
from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = [pytest.mark.asyncio(loop_scope="module")]
login_node, signer, hub = shared.FIXTURES

BASE_DIR = "/srv/hpcampus"
SHELL = "'\"`$&|;<>(){}[]*?!~#%^=\\ \t\n\r\0:,@+.-_/"
SIGNS = st.one_of(
    st.sampled_from(SHELL), st.sampled_from(string.ascii_letters + string.digits), st.characters(codec="utf-8")
)
NAMES = st.text(SIGNS, min_size=1, max_size=120)
container = load("hpcampus_job.container")

# What an authenticator of another kind than the account file may let in: mail addresses, names of a directory, of a federation.
PEOPLE = [
    "standby",
    "Standby",
    "course",
    "courses-x",
    "Course-py1",
    "alice.b",
    "alice-b",
    "alice_b",
    "alice+b",
    "Alice.B",
    "a@b.example.org",
    "$(id)",
    "`id`",
    "a;b",
    "a'b",
    'a"b',
    "a b",
    "a|b&c>d",
    "a\\b",
    "-rf",
    "~root",
    "a..b",
    "%2F",
    "{{x}}",
    "$HOME",
    "é",
    "e\u0301",
    "名前",
    "\u202egnp",
    "x" * 63,
    "x" * 64,
    "x" * 65,
    "x" * 250,
]


def spawn_for(user_id: str, base_url: str) -> dict[str, Any]:
    """The part of a job's message that depends on a person."""
    return {
        "user_id": user_id,
        "apptainer": "/usr/bin/apptainer",
        "image": "base",
        "module": "",
        "secrets": {"base_url": base_url, "tunnel": {"api_port": 25000}, "env": {}, "default_url": ""},
    }


@given(NAMES, NAMES)
async def test_two_people_share_no_directory(one: str, other: str) -> None:
    homes = [container.home_of(BASE_DIR, slug_of(name)) for name in (one, other)]
    assert (one == other) == (homes[0] == homes[1])
    below = [f"{home}/" for home in homes]
    assert one == other or not (below[0].startswith(below[1]) or below[1].startswith(below[0]))


@given(NAMES)
async def test_a_name_is_no_part_of_an_argument_but_as_a_slug(name: str) -> None:
    slug = slug_of(name)
    assert is_slug(slug)
    assert shlex.split(slug) == [slug], "no shell would see more in it than a word"
    assert not slug.startswith("-")
    argv = container.container_argv(BASE_DIR, spawn_for(slug, f"/user/{quote(name)}/"), "/tmp/p", "/tmp/e", [])
    plain = container.container_argv(BASE_DIR, spawn_for("x", "/user/x/"), "/tmp/p", "/tmp/e", [])
    assert argv == [text.replace("/users/x/", f"/users/{slug}/") for text in plain]


@given(NAMES)
async def test_a_name_reads_back_from_the_environments_file_as_it_was(name: str) -> None:
    """Apptainer has a shell read that file."""
    lines = container.env_file({"JUPYTERHUB_USER": name.replace("\0", ""), "X": "1"})
    assert shlex.split(lines) == [f"JUPYTERHUB_USER={name.replace(chr(0), '')}", "X=1"]


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess) -> None:
    """Let the authenticator be less strict about names than the one of this platform."""
    new_hub.settings["authenticator"] = "tests.unit.hub.makers.AnyName"


@pytest.mark.processes
async def test_every_name_gets_a_server_and_a_place_of_its_own(hub: HubProcess, login_node: LoginNode) -> None:
    answer = await hub.api("POST", "/users", {"usernames": PEOPLE})
    assert answer.code == 201, answer.body
    for name in PEOPLE:
        answer = await hub.api("POST", f"/users/{quote(name, safe='')}/server", {"profile": "small"})
        assert answer.code in (201, 202), (name, answer.body)
    await until(lambda: _all_ready(hub), 60)
    requests = [job.request for job in login_node.jobs.values()]
    ids = [request["user_id"] for request in requests]
    assert sorted(ids) == sorted(slug_of(name) for name in PEOPLE)
    assert len(set(ids)) == len(PEOPLE)
    assert len({request["secrets"]["base_url"] for request in requests}) == len(PEOPLE)
    for request in requests:
        assert request["courses"] == [], "nobody has got a course by a name"
        assert request["secrets"]["env"]["JUPYTERHUB_USER"] in PEOPLE


@pytest.mark.processes
@pytest.mark.parametrize("name", [".", "..", "...", "%2e%2e", "a/b", "../alice", "a\0/b"])
async def test_names_that_change_an_address_are_nobodys(hub: HubProcess, name: str) -> None:
    assert (await hub.api("POST", "/users", {"usernames": [name]})).code == 400


async def _all_ready(hub: HubProcess) -> bool:
    return await hub.ready_count() == len(PEOPLE)


@pytest.mark.processes
@pytest.mark.parametrize("name", ["course-py1", "course-new", "course-"])
async def test_nobody_gets_a_course_by_a_name(hub: HubProcess, login_node: LoginNode, name: str) -> None:
    """An administrator can make such an account, but it starts nothing, or what the course's own is."""
    before = len(login_node.jobs)
    assert await hub.login(name) is None
    if name != "course-py1":
        await hub.api("POST", "/users", {"usernames": [name]})
        assert (await hub.api("POST", f"/users/{name}/server", {"profile": "small"})).code == 400
    assert len(login_node.jobs) == before
    assert json.loads((await hub.api("GET", "/users/course-py1")).body)["name"] == "course-py1"


@pytest.mark.processes
async def test_names_of_servers_are_mapped_like_those_of_people(hub: HubProcess, login_node: LoginNode) -> None:
    """Where a site allows several servers for a person; here it does not, so that none is made."""
    before = len(login_node.jobs)
    for server in ("$(id)", "..", "a;b", "x" * 300):
        answer = await hub.api("POST", f"/users/standby/servers/{quote(server, safe='')}", {"profile": "small"})
        assert answer.code == 400, (server, answer.code)
    assert len(login_node.jobs) == before
