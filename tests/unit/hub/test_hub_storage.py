# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The page for WebDAV folders in a real hub: who gets there, what is kept, and where the password is not."""

import asyncio
import json
import sqlite3
from collections.abc import Iterator

import pytest

from tests.unit.gateway.dav_server import PASSWORD, USER, DavServer
from tests.unit.hub import shared
from tests.unit.hub.hub_process import HubProcess, until
from tests.unit.hub.login_node import LoginNode

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.processes]
login_node, signer, hub = shared.FIXTURES

CLOUD = "https://cloud.example.org/remote.php/dav/files/alice/"
CANARY = "canary-5a17"


@pytest.fixture(scope="module")
def dav(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DavServer]:
    server = DavServer(tmp_path_factory.mktemp("dav"))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def prepare(new_hub: HubProcess, dav: DavServer) -> None:
    new_hub.settings.update(webdav_hosts=["cloud.example.org", f"127.0.0.1:{dav.port}"], crypt_keys=["11" * 32])
    new_hub.settings["environment"] = {"SSL_CERT_FILE": str(dav.pem)}
    new_hub.write_accounts("alice", "bob", "ida", "dora", "root")
    new_hub.settings["admins"] = ["root"]


def form(**changes: str) -> dict[str, str]:
    return {"action": "save", "url": CLOUD, "user": USER, "password": PASSWORD, "name": "cloud", **changes}


def rows(hub: HubProcess) -> list[tuple[int, bytes]]:
    with sqlite3.connect(hub.settings["db"]) as db:
        return db.execute("select user_id, sealed from hpcampus_folders").fetchall()


def nowhere_in_clear(hub: HubProcess) -> None:
    for path in hub.directory.rglob("*"):
        assert not path.is_file() or CANARY.encode() not in path.read_bytes(), path


async def test_nobody_gets_there_without_a_login_or_with_a_token(hub: HubProcess) -> None:
    assert (await hub.fetch("GET", "/hub/storage")).code == 302
    await hub.browser("alice")
    token = json.loads((await hub.api("POST", "/users/alice/tokens", {})).body)["token"]
    for method, body in (("GET", None), ("POST", "action=remove")):
        answer = await hub.fetch(method, "/hub/storage", body=body, headers={"Authorization": f"token {token}"})
        assert answer.code in (302, 403)


async def test_home_leads_to_the_page_and_the_page_offers_the_servers(hub: HubProcess) -> None:
    alice = await hub.browser("alice")
    assert 'href="/hub/storage"' in (await alice.get("/hub/home")).body.decode()
    page = (await alice.get("/hub/storage")).body.decode()
    assert "cloud.example.org" in page
    assert "A folder is stored" not in page


async def test_a_folder_is_kept_encrypted_and_shown_without_its_password(hub: HubProcess) -> None:
    alice = await hub.browser("alice")
    saved = await alice.post("/hub/storage", form())
    assert (saved.code, saved.headers["Location"]) == (302, "/hub/storage?done=saved")
    page = await alice.get("/hub/storage?done=saved")
    assert page.headers["Cache-Control"] == "no-store"
    text = page.body.decode()
    assert "A folder is stored" in text
    assert CLOUD in text
    assert CANARY not in text
    ((_, sealed),) = rows(hub)
    assert CANARY.encode() not in sealed
    assert b"cloud.example.org" not in sealed
    nowhere_in_clear(hub)

    other = (await (await hub.browser("bob")).get("/hub/storage")).body.decode()
    admin = (await (await hub.browser("root")).get("/hub/storage")).body.decode()
    for page_text in (other, admin):
        assert "A folder is stored" not in page_text
        assert CLOUD not in page_text


async def test_the_page_refuses_what_the_hubs_own_form_did_not_send(hub: HubProcess) -> None:
    alice = await hub.browser("alice")
    before = rows(hub)
    for token in ("", "wrong"):
        assert (await alice.post("/hub/storage", form(_xsrf=token, url=CLOUD + "x"))).code == 403
        assert (await alice.post("/hub/storage", {"action": "remove", "_xsrf": token})).code == 403
    assert (await alice.post("/hub/storage", {"action": "explode"})).code == 400
    assert rows(hub) == before


@pytest.mark.parametrize(
    "changes",
    [
        {"url": "https://evil.example.org/"},
        {"url": "https://cloud.example.org@evil.example.org/"},
        {"url": "https://cloud.example.org/\r\nuser = x"},
        {"url": "https://[::1]/"},
        {"url": '"><script>alert(1)</script>'},
        {"user": '"><script>alert(1)</script>'},
        {"name": "../x"},
        {"password": f"{CANARY}\n"},
        {"password": ""},
    ],
)
async def test_a_wrong_entry_is_told_and_not_kept(hub: HubProcess, changes: dict[str, str]) -> None:
    bob = await hub.browser("bob")
    answer = await bob.post("/hub/storage", form(**changes))
    assert answer.code == 400
    text = answer.body.decode()
    assert "alert-danger" in text
    assert CANARY not in text
    assert "<script>alert" not in text
    assert len(rows(hub)) == 1
    nowhere_in_clear(hub)


async def test_the_job_gets_it_and_a_person_without_one_gets_none(hub: HubProcess, login_node: LoginNode) -> None:
    for user, expected in (
        ("alice", {"url": CLOUD, "user": USER, "password": PASSWORD, "name": "cloud"}),
        ("bob", None),
    ):
        await hub.spawn(user)
        await until(lambda user=user: hub.is_ready(user))
        (job,) = login_node.jobs.values()
        assert job.request["secrets"].get("webdav") == expected
        await hub.api("DELETE", f"/users/{user}/server")
        await until(lambda: not login_node.jobs)
    nowhere_in_clear(hub)


async def test_people_with_folders_take_a_clusters_room_once(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.stop()
    hub.settings["clusters"][0]["max_servers"] = 1
    await hub.start()
    bob = await hub.browser("bob")
    assert (await bob.post("/hub/storage", form())).code == 302
    codes = [answer.code for answer in await asyncio.gather(hub.spawn("alice"), hub.spawn("bob"))]
    assert sum(code in (201, 202) for code in codes) == 1, codes
    first = "alice" if codes[0] in (201, 202) else "bob"
    await until(lambda: hub.is_ready(first))
    await hub.api("DELETE", f"/users/{first}/server")
    await until(lambda: not login_node.jobs)
    assert (await bob.post("/hub/storage", {"action": "remove"})).code == 302
    del hub.settings["clusters"][0]["max_servers"]
    await hub.stop()
    await hub.start()


async def test_a_test_asks_the_server(hub: HubProcess, dav: DavServer) -> None:
    ida = await hub.browser("ida")
    assert "nothing to test" in (await ida.post("/hub/storage", {"action": "test"})).body.decode()
    for password, path, part in (
        (PASSWORD, "", "user name and password are right"),
        ("wrong", "", "refuses user name or password"),
        (PASSWORD, "../none/", "no folder"),
    ):
        address = dav.url if not path else f"https://127.0.0.1:{dav.port}/none/"
        assert (await ida.post("/hub/storage", form(url=address, password=password))).code == 302
        answer = await ida.post("/hub/storage", {"action": "test"})
        assert part in answer.body.decode()
        assert CANARY not in answer.body.decode()
    nowhere_in_clear(hub)


async def test_a_row_that_was_moved_to_another_user_does_not_open(hub: HubProcess, login_node: LoginNode) -> None:
    """Somebody who can write to the database, but has no key, cannot have another's folder mounted."""
    with sqlite3.connect(hub.settings["db"]) as db:
        ids = dict(db.execute("select name, id from users").fetchall())
        (sealed,) = db.execute("select sealed from hpcampus_folders where user_id = ?", (ids["alice"],)).fetchone()
        db.execute("insert into hpcampus_folders values (?, ?)", (ids["bob"], sealed))
    page = (await (await hub.browser("bob")).get("/hub/storage")).body.decode()
    assert "cannot be read any more" in page
    assert CLOUD not in page
    await hub.spawn("bob")
    await until(lambda: hub.is_ready("bob"))
    (job,) = login_node.jobs.values()
    assert "webdav" not in job.request["secrets"]
    await hub.api("DELETE", "/users/bob/server")
    await until(lambda: not login_node.jobs)
    removed = await (await hub.browser("bob")).post("/hub/storage", {"action": "remove"})
    assert removed.headers["Location"] == "/hub/storage?done=removed"


async def test_a_folder_goes_with_its_user_and_follows_a_new_name(hub: HubProcess) -> None:
    dora = await hub.browser("dora")
    await dora.post("/hub/storage", form())
    count = len(rows(hub))
    assert (await hub.api("PATCH", "/users/dora", {"name": "dorothea"})).code == 200
    hub.write_accounts("alice", "bob", "ida", "dora", "dorothea", "root")
    assert "A folder is stored" in (await (await hub.browser("dorothea")).get("/hub/storage")).body.decode()
    assert "A folder is stored" not in (await (await hub.browser("dora")).get("/hub/storage")).body.decode()
    assert len(rows(hub)) == count
    assert (await hub.api("DELETE", "/users/dorothea")).code == 204
    assert len(rows(hub)) == count - 1


async def job_without_a_folder(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.spawn("alice")
    await until(lambda: hub.is_ready("alice"))
    (job,) = login_node.jobs.values()
    assert "webdav" not in job.request["secrets"]
    await hub.api("DELETE", "/users/alice/server")
    await until(lambda: not login_node.jobs)


async def test_it_survives_a_restart_and_a_cluster_may_be_without(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.stop()
    hub.settings["clusters"][0]["webdav"] = False
    await hub.start()
    alice = await hub.browser("alice")
    assert CLOUD in (await alice.get("/hub/storage")).body.decode()
    await job_without_a_folder(hub, login_node)
    del hub.settings["clusters"][0]["webdav"]


async def test_a_server_that_is_no_longer_allowed_is_left_out(hub: HubProcess, login_node: LoginNode) -> None:
    await hub.stop()
    hub.settings["webdav_hosts"] = ["other.example.org"]
    await hub.start()
    alice = await hub.browser("alice")
    assert "other.example.org only" in (await alice.get("/hub/storage")).body.decode()
    await job_without_a_folder(hub, login_node)


async def test_without_hosts_there_is_no_page_and_with_hosts_there_must_be_a_key(hub: HubProcess) -> None:
    await hub.stop()
    hub.settings["webdav_hosts"] = []
    await hub.start()
    alice = await hub.browser("alice")
    assert (await alice.get("/hub/storage")).code == 404
    assert "storage" not in (await alice.get("/hub/home")).body.decode()
    await hub.stop()
    hub.settings.update(webdav_hosts=["cloud.example.org"], crypt_keys=[])
    hub.launch()
    assert await hub.wait() == 78
    assert "CryptKeeper.keys" in hub.log
    assert CANARY not in hub.log
