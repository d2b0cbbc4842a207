# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a person may choose with a profile, through form, link and API of a real hub."""

import json
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import pytest
import pytest_asyncio
from playwright.async_api import Page, async_playwright, expect

from tests.quiet_chromium import PATIENCE_MS, PROGRAM
from tests.unit.hub import shared
from tests.unit.hub.hub_process import PASSWORD, HubProcess, until
from tests.unit.hub.login_node import LoginNode
from tests.unit.hub.signer_peer import SignerPeer

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES

PEOPLE = ("alice", "bob", "eve", "ann", "ben")
expect.set_options(timeout=PATIENCE_MS)
PHONE = {"width": 360, "height": 640}
LARGE = {
    "name": "large",
    "label": "Large",
    "description": "For <big> data.",
    "cluster": "lab",
    "partition": "jupyter",
    "cpus": 2,
    "memory": "4G",
    "time_limit_minutes": 60,
    "image": "base",
    "images": ["base", "r"],
    "ranges": {
        "cpus": {"min": 1, "max": 8},
        "memory": {"min": "1G", "max": "16G"},
        "time_limit_minutes": {"min": 30, "max": 720},
        "gres": ["none", "gpu:1"],
    },
    "account": "teaching",
    "qos": "short",
    "environment": {"TZ": "Europe/Berlin", "NBGITPULLER_DEPTH": 1, "LANG": "$(id) 'ü\" `;"},
}
ASKED = {"profile": "large", "cpus": 8, "memory": "16G", "time_limit_minutes": "720", "gres": "gpu:1", "image": "r"}


def given(login_node: LoginNode) -> tuple[Any, ...]:
    """What the only job asks for."""
    (job,) = login_node.jobs.values()
    return tuple(job.request[key] for key in ("cpus", "memory_mb", "time_limit_minutes", "gres", "image"))


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess) -> None:
    small = new_hub.settings["profiles"][0]
    exam = {**small, "name": "exam", "label": "Exam", "courses": ["py1"], "reservation": "exam"}
    staff = {**small, "name": "staff", "label": "Staff", "groups": ["staff"]}
    new_hub.settings["profiles"] = [small, LARGE, exam, staff]
    new_hub.settings["grace"] = 0.5
    new_hub.write_accounts(*PEOPLE)


@pytest_asyncio.fixture(loop_scope="module", autouse=True)
async def clean(hub: HubProcess, login_node: LoginNode) -> AsyncIterator[None]:
    """Every test begins and ends without jobs and ports."""
    yield
    for user in (*PEOPLE, "course-py1"):
        await hub.api("DELETE", f"/users/{user}/server")
    await until(lambda: not login_node.jobs and hub.leases == [])
    for user in (*PEOPLE, "course-py1"):
        await until(lambda user=user: hub.is_stopped(user))
    login_node.calls.clear()


async def test_the_job_asks_for_what_was_chosen(hub: HubProcess, login_node: LoginNode, signer: SignerPeer) -> None:
    assert (await hub.spawn("bob", ASKED)).code in (201, 202)
    await until(lambda: hub.is_ready("bob"))
    assert given(login_node) == (8, 16384, 720, "gpu:1", "r")
    (job,) = login_node.jobs.values()
    fixed = tuple(job.request[key] for key in ("partition", "account", "qos", "reservation"))
    assert fixed == ("jupyter", "teaching", "short", "")
    env = job.request["secrets"]["env"]
    assert {name: env[name] for name in LARGE["environment"]} == {  # type: ignore[attr-defined]
        "TZ": "Europe/Berlin",
        "NBGITPULLER_DEPTH": "1",
        "LANG": "$(id) 'ü\" `;",
    }
    assert env["JUPYTERHUB_USER"] == "bob"
    assert signer.requests[-1]["seconds"] >= 720 * 60


async def test_the_profile_alone_gives_its_own_values(hub: HubProcess, login_node: LoginNode) -> None:
    assert (await hub.spawn("bob", {"profile": "large"})).code in (201, 202)
    await until(lambda: hub.is_ready("bob"))
    assert given(login_node) == (2, 4096, 60, "", "base")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"cpus": 9}, "cpus 9 is not on offer with profile large, which has 1 to 8"),
        ({"cpus": True}, "cpus must be a whole number above 0, not True"),
        ({"cpus": "$(id)"}, "cpus must be a whole number above 0"),
        ({"memory": "64G"}, "which has 1G to 16G"),
        ({"memory": {"min": "1G"}}, "memory must be text"),
        ({"time_limit_minutes": 10**30}, "which has 30 to 720"),
        ({"gres": "gpu:8"}, "which has none, gpu:1"),
        ({"gres": "gpu:1 --exclusive"}, "which has none, gpu:1"),
        ({"image": "../../etc"}, "which has base, r"),
        ({"environment": {"TZ": "x"}}, "is not an option"),
        ({"partition": "gpu"}, "is not an option"),
        ({"large.cpus": 3}, "is not an option"),
        ({"profile": "exam"}, "'exam' is not on offer; there are small, large"),
        ({"profile": "staff"}, "'staff' is not on offer; there are small, large"),
        ({"profile": "small"}, "cpus 2 is not on offer with profile small, which has 1"),
    ],
    ids=lambda value: str(value)[:30],
)
async def test_a_request_out_of_range_is_told_why_and_leaves_nothing(
    hub: HubProcess, login_node: LoginNode, change: dict[str, Any], reason: str
) -> None:
    asked = {"profile": "large", "cpus": 2, **change}
    response = await hub.spawn("bob", asked)
    assert response.code == 400, response.body
    assert reason in json.loads(response.body)["message"]
    assert not [call for call in login_node.calls if call["op"] == "submit"]
    assert not login_node.jobs
    assert hub.leases == []
    assert await hub.server("bob") is None
    user = json.loads((await hub.api("GET", "/users/bob?include_stopped_servers")).body)
    assert all(server["user_options"] in (None, {}) for server in user["servers"].values())
    assert (await hub.spawn("bob")).code in (201, 202)


async def test_the_same_is_refused_to_form_and_link(hub: HubProcess, login_node: LoginNode) -> None:
    eve = await hub.browser("eve")
    link = await eve.get("/hub/spawn/eve?opt-profile=large&opt-cpus=9")
    sent = {"profile": "large", "large.cpus": "9", "large.memory_gb": "8", "large.gres": "gpu:1"}
    await eve.get("/hub/spawn")
    form = await eve.post(f"/hub/spawn?_xsrf={eve.cookies['_xsrf']}", sent)
    for response in (link, form):
        assert response.code == 400
        page = response.body.decode()
        assert "cpus &#39;9&#39; is not on offer with profile large, which has 1 to 8" in page
        assert 'id="profile-large"' in page
    page = form.body.decode()
    assert _value(page, "large.cpus") == "2"
    assert _value(page, "large.memory_gb") == "8"
    assert _value((await eve.get("/hub/spawn")).body.decode(), "large.memory_gb") == "4"
    assert not login_node.jobs
    assert hub.leases == []


def _value(page: str, field: str) -> str:
    """The value of a field of a page."""
    return page.split(f'id="field.{field}"')[1].split('value="')[1].split('"', maxsplit=1)[0]


@pytest.mark.parametrize("key", ["profile", "course", "image", "cpus", "memory", "time_limit_minutes", "gres"])
async def test_hostile_texts_reach_nothing_by_any_way(hub: HubProcess, login_node: LoginNode, key: str) -> None:
    eve = await hub.browser("eve")
    await eve.get("/hub/spawn")
    for text in ("$(reboot)", "4;id", "`id`\n4", "../4", "\u0664", "<script>4</script>", "9" * 5000, "gpu:1 --uid=0"):
        asked = {"profile": "large", key: text}
        form = await eve.post(f"/hub/spawn?_xsrf={eve.cookies['_xsrf']}", asked)
        link = await eve.get("/hub/spawn/eve?" + urlencode({f"opt-{name}": value for name, value in asked.items()}))
        api = await hub.spawn("eve", asked)
        field = await eve.post(f"/hub/spawn?_xsrf={eve.cookies['_xsrf']}", {"profile": "large", f"large.{key}": text})
        assert [response.code for response in (form, link, api, field)] == [400] * 4, text
        assert b"<script>4" not in form.body + link.body
    assert not [call for call in login_node.calls if call["op"] == "submit"]
    assert hub.leases == []


async def test_a_link_chooses(hub: HubProcess, login_node: LoginNode) -> None:
    eve = await hub.browser("eve")
    query = "opt-profile=large&opt-cpus=4&opt-memory=2048M&opt-time_limit_minutes=30&opt-gres=gpu%3A1&opt-image=r"
    assert (await eve.get(f"/hub/spawn/eve?{query}")).code == 302
    await until(lambda: hub.is_ready("eve"))
    assert given(login_node) == (4, 2048, 30, "gpu:1", "r")


async def test_a_profile_for_a_course_or_a_group_is_for_nobody_else(hub: HubProcess, login_node: LoginNode) -> None:
    async def offered(user: str) -> list[str]:
        page = (await (await hub.browser(user)).get("/hub/spawn")).body.decode()
        return [name for name in ("small", "large", "exam", "staff") if f'id="profile-{name}"' in page]

    assert await offered("alice") == ["small", "large", "exam"]
    assert await offered("eve") == ["small", "large"]
    assert (await hub.api("POST", "/groups/staff", {})).code in (201, 409)
    assert (await hub.api("POST", "/groups/staff/users", {"users": ["eve"]})).code == 200
    try:
        assert await offered("eve") == ["small", "large", "staff"]
        assert (await hub.spawn("eve", {"profile": "staff"})).code in (201, 202)
    finally:
        await hub.api("DELETE", "/groups/staff")
    assert (await hub.spawn("alice", {"profile": "exam"})).code in (201, 202)
    reservations = {job.request["user_id"]: job.request["reservation"] for job in login_node.jobs.values()}
    assert reservations == {"alice": "exam", "eve": ""}
    assert (await hub.spawn("course-py1", {"profile": "exam"})).code in (201, 202)


@pytest.mark.parametrize(("user", "script"), [("ann", True), ("ben", False)], ids=["with script", "without script"])
async def test_the_form_in_a_browser_by_keyboard_and_as_wide_as_a_phone(
    hub: HubProcess, login_node: LoginNode, user: str, script: bool
) -> None:
    async with async_playwright() as playwright:
        chromium = await playwright.chromium.launch(executable_path=PROGRAM, args=["--no-sandbox", "--disable-gpu"])
        context = await chromium.new_context(java_script_enabled=script, viewport=PHONE)  # type: ignore[arg-type]
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        try:
            await _log_in(page, f"http://127.0.0.1:{hub.port}", user, script)
            await _choose_by_keyboard(page)
            if script:
                width = await page.evaluate("document.documentElement.scrollWidth")
                assert width <= PHONE["width"]
            await page.keyboard.press("Enter")
            await until(lambda: hub.is_ready(user))
            assert given(login_node) == (5, 4096, 60, "gpu:1", "base")
            await hub.api("DELETE", f"/users/{user}/server")
            await until(lambda: not login_node.jobs)
            await until(lambda: hub.is_stopped(user))
            await page.goto(f"http://127.0.0.1:{hub.port}/hub/spawn")
            await expect(page.get_by_label("Large", exact=True)).to_be_checked()
            await expect(page.get_by_label("CPUs")).to_have_value("5")
            await expect(page.get_by_label("Devices")).to_have_value("gpu:1")
        finally:
            await chromium.close()


async def _log_in(page: Page, address: str, user: str, script: bool) -> None:
    await page.goto(f"{address}/hub/login?next=%2Fhub%2Fspawn")
    await page.fill("#username_input", user)
    await page.fill("#password_input", PASSWORD)
    if script:
        await page.click("#login_submit")
    else:
        await page.focus("#password_input")
        await page.keyboard.press("Enter")
    await page.wait_for_url("**/hub/spawn")


async def _choose_by_keyboard(page: Page) -> None:
    """Pick Large and five CPUs with a device; a number out of range stays in sight when another size is picked."""
    cpus, small, large = (
        page.get_by_label("CPUs"),
        page.get_by_label("Small <1>"),
        page.get_by_label("Large", exact=True),
    )
    await expect(cpus).to_be_hidden()
    await small.focus()
    await page.keyboard.press("ArrowDown")
    await expect(large).to_be_checked()
    await expect(cpus).to_be_visible()
    await expect(page.get_by_text("For <big> data.")).to_be_visible()
    await cpus.fill("99")
    await small.check()
    await expect(cpus).to_be_visible()
    await large.check()
    await cpus.fill("5")
    await small.check()
    await expect(cpus).to_be_hidden()
    await large.check()
    await page.get_by_label("Devices").select_option("gpu:1")
    await cpus.focus()
