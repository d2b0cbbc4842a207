# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What people see, what they may do, and what nobody may."""

import json

import pytest

from tests.unit.hub import shared
from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess) -> None:
    new_hub.write_accounts("alice", "bob", "ida", "eve")


async def token(hub: HubProcess, user: str) -> str:
    """A token with all that the user may do."""
    await hub.browser(user)
    response = await hub.api("POST", f"/users/{user}/tokens", {})
    return str(json.loads(response.body)["token"])


async def test_logging_in(hub: HubProcess) -> None:
    assert await hub.login("alice")
    for name, password in [("alice", "wrong"), ("nobody", "correct horse"), ("course-py1", "correct horse"), ("", "")]:
        assert await hub.login(name, password) is None


async def test_the_form_offers_profiles_and_courses_by_their_labels(hub: HubProcess) -> None:
    page = (await (await hub.browser("alice")).get("/hub/spawn")).body.decode()
    assert page.count('type="radio"') == 3
    assert "Small &lt;1&gt;" in page
    assert "1 CPU, 1 GB memory, up to 60 minutes" in page
    assert 'value="py1"' in page
    for line in page.splitlines():
        assert "<legend>" not in line or line.strip() in ("<legend>Size</legend>", "<legend>Course</legend>")
    assert page.count("checked") == 2
    assert "Python 1" not in (await (await hub.browser("bob")).get("/hub/spawn")).body.decode()


async def test_the_form_starts_what_was_picked_and_refuses_the_rest(hub: HubProcess, login_node: LoginNode) -> None:
    eve = await hub.browser("eve")
    page = await eve.get("/hub/spawn")
    assert page.code == 200
    bad = await eve.post(f"/hub/spawn?_xsrf={eve.cookies['_xsrf']}", {"profile": "$(reboot)"})
    assert bad.code == 400
    assert "is not on offer" in bad.body.decode()
    assert not login_node.jobs
    good = await eve.post(f"/hub/spawn?_xsrf={eve.cookies['_xsrf']}", {"profile": "gpu"})
    assert good.code == 302, good.body
    await until(lambda: hub.is_ready("eve"))
    (job,) = login_node.jobs.values()
    assert (job.request["partition"], job.request["gres"], job.request["overlay_mb"]) == ("gpu", "gpu:1", 512)
    await hub.api("DELETE", "/users/eve/server")
    await until(lambda: not login_node.jobs)
    assert 'value="gpu"' in (await eve.get("/hub/spawn")).body.decode()


async def test_a_link_starts_with_its_options_and_a_wrong_one_shows_the_form(
    hub: HubProcess, login_node: LoginNode
) -> None:
    bob = await hub.browser("bob")
    wrong = await bob.get("/hub/spawn/bob?profile=small&environment=x")
    assert wrong.code == 400
    assert "is not an option" in wrong.body.decode()
    assert not login_node.jobs
    right = await bob.get("/hub/spawn/bob?profile=gpu")
    assert right.code == 302
    await until(lambda: hub.is_ready("bob"))
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: not login_node.jobs)


async def test_an_instructor_finds_and_runs_the_courses_server_and_a_student_does_not(
    hub: HubProcess, login_node: LoginNode
) -> None:
    ida, alice = await hub.browser("ida"), await hub.browser("alice")
    home = (await ida.get("/hub/home")).body.decode()
    assert '<a href="/hub/spawn/course-py1">Python 1: assignments and grading</a>' in home
    assert "course-py1" not in (await alice.get("/hub/home")).body.decode()
    assert (await alice.get("/hub/spawn/course-py1")).code in (403, 404)
    assert (await hub.api("POST", "/users/course-py1/server", {}, await token(hub, "alice"))).code in (403, 404)
    assert not login_node.jobs

    assert (await ida.get("/hub/spawn/course-py1")).code == 302
    await until(lambda: hub.is_ready("course-py1"))
    (job,) = login_node.jobs.values()
    assert job.request["user_id"] == "course-py1"
    assert job.request["courses"] == [{"slug": "py1", "role": "course"}]
    assert job.request["secrets"]["default_url"] == "/formgrader"
    assert job.request["secrets"]["env"]["HPCAMPUS_COURSE_ROLE"] == "course"
    mine = await token(hub, "ida")
    assert (await hub.api("DELETE", "/users/course-py1/server", token=mine)).code in (202, 204)
    await until(lambda: not login_node.jobs)
    for path in ("/users/alice/server", "/users/bob/server"):
        assert (await hub.api("POST", path, {}, mine)).code in (403, 404)


async def test_no_endpoint_sets_attributes_of_a_spawner(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.spawn("alice", {"profile": "small"})
    await until(lambda: hub.is_ready("alice"))
    (job,) = login_node.jobs.values()
    own = job.request["secrets"]["env"]["JUPYTERHUB_API_TOKEN"]
    for who in (own, await token(hub, "alice")):
        for method in ("GET", "POST", "PUT"):
            response = await hub.api(method, "/batchspawner", {"port": 1, "batch_query_cmd": "id", "cmd": ["id"]}, who)
            assert response.code in (403, 404, 405)
    changes = {"cmd": ["id"], "port": 1, "user_options": {"cmd": "id"}, "state": {"hpcampus": {"port": 1}}}
    for key, value in changes.items():
        response = await hub.api("PATCH", "/users/alice/server", {key: value}, await token(hub, "alice"))
        assert response.code >= 400, key
    await hub.api("DELETE", "/users/alice/server")
    await until(lambda: not login_node.jobs)


async def test_the_jobs_token_opens_only_its_own_server(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    (job,) = login_node.jobs.values()
    own = job.request["secrets"]["env"]["JUPYTERHUB_API_TOKEN"]
    for method, path in (
        ("GET", "/users"),
        ("GET", "/users/alice"),
        ("POST", "/users/alice/server"),
        ("GET", "/proxy"),
    ):
        assert (await hub.api(method, path, token=own)).code in (403, 404)
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: not login_node.jobs)


HOSTILE = ["$(id)", "a;b", "a b", "..", "%2e%2e", "é", "x" * 300, "a%0ab", "course-new"]


@pytest.mark.parametrize("name", HOSTILE)
async def test_a_hostile_name_never_reaches_the_cluster_as_it_is(
    hub: HubProcess, login_node: LoginNode, name: str
) -> None:
    response = await hub.api("POST", "/users", {"usernames": [name]})
    assert response.code in (400, 201)
    if response.code == 201:
        assert name == "course-new"
        assert (await hub.api("POST", f"/users/{name}/server", {})).code == 400
    assert not login_node.jobs
