# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""NativeAuthenticator on hub 6, by its pages."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from tornado.httpclient import HTTPResponse

from tests.unit.hub.hub_process import PASSWORD as BOSS_PASSWORD
from tests.unit.hub.hub_process import Browser, HubProcess
from tests.unit.hub.makers import make_hub, make_login_node, make_signer
from tests.unit.hub.zygote import Zygote

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
PASSWORD = "long enough"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> AsyncIterator[HubProcess]:
    async with (
        make_login_node(tmp_path_factory.mktemp("cluster")) as node,
        make_signer(tmp_path_factory.mktemp("signer")) as signer,
        make_hub(tmp_path_factory.mktemp("hub"), node, signer, zygote) as process,
    ):
        process.settings["authenticator"] = "hpcampus_hub.native.NativeAuthenticator"
        process.settings["admins"] = ["boss", "chief"]
        process.write_accounts("boss")
        await process.start()
        yield process


async def sign_up(hub: HubProcess, name: str, password: str = PASSWORD) -> HTTPResponse:
    browser = Browser(hub)
    assert (await browser.get("/hub/signup")).code == 200
    form = {"username": name, "signup_password": password, "signup_password_confirmation": password}
    return await browser.post("/hub/signup", form)


async def log_in(hub: HubProcess, name: str, password: str = PASSWORD, **more: str) -> tuple[Browser, HTTPResponse]:
    browser = Browser(hub)
    page = await browser.get("/hub/login")
    assert b"Sign In" in page.body
    return browser, await browser.post("/hub/login", {"username": name, "password": password, **more})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def boss(hub: HubProcess) -> Browser:
    """The administrator, logged in."""
    browser, response = await log_in(hub, "boss", BOSS_PASSWORD)
    assert response.code == 302
    return browser


async def test_an_account_is_asked_for_authorized_and_used(hub: HubProcess, boss: Browser) -> None:
    assert b"has been sent to the admin" in (await sign_up(hub, "alice")).body
    _, early = await log_in(hub, "alice")
    assert early.code == 403
    assert b"not been authorized by an administrator yet" in early.body
    assert b"alice" in (await boss.get("/hub/authorize")).body
    assert (await boss.get("/hub/authorize/alice")).code == 302
    alice, response = await log_in(hub, "alice")
    assert response.code == 302
    assert (await alice.get("/hub/home")).code == 200
    assert (await alice.get("/hub/authorize")).code == 403


@pytest.mark.parametrize(("name", "password"), [("boss", "wrong"), ("nobody", PASSWORD), ("boss", "")])
async def test_a_wrong_login_shows_the_form_again(hub: HubProcess, name: str, password: str) -> None:
    _, response = await log_in(hub, name, password)
    assert response.code == 403
    assert b"Invalid username or password." in response.body


async def test_a_form_without_its_token_shows_the_form_again(hub: HubProcess) -> None:
    _, response = await log_in(hub, "boss", _xsrf="forged")
    assert response.code == 403
    assert b"Login form invalid or expired" in response.body
    assert b"Sign In" in response.body


async def test_a_form_without_a_password_is_refused(hub: HubProcess) -> None:
    browser = Browser(hub)
    await browser.get("/hub/login")
    assert (await browser.post("/hub/login", {"username": "boss"})).code == 400


async def test_passwords_that_bcrypt_would_cut_are_refused(hub: HubProcess) -> None:
    response = await sign_up(hub, "longpass", "x" * 73)
    assert response.code == 400
    _, response = await log_in(hub, "boss", "x" * 73)
    assert response.code == 400
    assert b"72 bytes at most" in response.body


@pytest.mark.parametrize("name", ["boss", "chief", "course-py1", "a;b", "$(id)", "..", "x" * 65, "é"])
async def test_reserved_and_hostile_names_get_no_account(hub: HubProcess, name: str) -> None:
    assert b"Something went wrong" in (await sign_up(hub, name)).body


async def test_another_site_cannot_make_an_administrator_authorize_somebody(hub: HubProcess, boss: Browser) -> None:
    await sign_up(hub, "mallory")
    for site in ("cross-site", "same-site"):
        for path in ("/hub/authorize/mallory", "/hub/discard/mallory"):
            assert (await boss.get(path, **{"Sec-Fetch-Site": site})).code == 403
    assert (await log_in(hub, "mallory"))[1].code == 403
    assert (await boss.get("/hub/authorize/mallory", **{"Sec-Fetch-Site": "same-origin"})).code == 302
    assert (await log_in(hub, "mallory"))[1].code == 302


async def test_people_change_their_password(hub: HubProcess, boss: Browser) -> None:
    await sign_up(hub, "carol")
    assert (await boss.get("/hub/authorize/carol")).code == 302
    carol, _ = await log_in(hub, "carol")
    assert (await carol.get("/hub/change-password")).code == 200
    form = {"old_password": "x" * 73, "new_password": "a new one", "new_password_confirmation": "a new one"}
    assert (await carol.post("/hub/change-password", form)).code == 400
    short = {"old_password": PASSWORD, "new_password": "seven77", "new_password_confirmation": "seven77"}
    assert b"at least 8 characters" in (await carol.post("/hub/change-password", short)).body
    response = await carol.post("/hub/change-password", {**form, "old_password": PASSWORD})
    assert b"changed successfully" in response.body
    assert (await log_in(hub, "carol", "a new one"))[1].code == 302


async def test_who_is_in_the_account_file_is_told_where_the_password_is(boss: Browser) -> None:
    response = await boss.get("/hub/change-password")
    assert response.code == 400
    assert b"kept by the administrator" in response.body


async def test_whoever_leaves_the_account_file_is_out(hub: HubProcess) -> None:
    hub.write_accounts("boss", "dora")
    assert (await log_in(hub, "dora", BOSS_PASSWORD))[1].code == 302
    hub.write_accounts("boss")
    assert (await log_in(hub, "dora", BOSS_PASSWORD))[1].code == 403
