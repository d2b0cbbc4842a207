# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who shows a token, while the hub answers and while it does not."""

import asyncio

import pytest

from hpcampus_courses.identity import HubDownError, HubIdentity, UnknownTokenError
from hpcampus_courses.people import Person
from tests.unit.courses.client import token_of
from tests.unit.courses.hub_stand_in import OWN_TOKEN
from tests.unit.courses.site import Site


async def test_the_hub_is_asked_once_a_minute(site: Site) -> None:
    for _ in range(3):
        assert (await site.identity.person("token-of-alice")).name == "alice"
    await asyncio.gather(*(site.identity.person("token-of-bob") for _ in range(20)))
    assert site.hub.asked == ["user", "user"]
    site.seconds = 59.9
    await site.identity.person("token-of-alice")
    assert len(site.hub.asked) == 2
    site.seconds = 60
    site.hub.users["alice"] = ["course-py1-graders"]
    assert (await site.identity.person("token-of-alice")).groups == {"course-py1-graders"}
    assert len(site.hub.asked) == 3


async def test_a_token_that_was_taken_back_ends_within_a_minute(site: Site) -> None:
    await site.identity.person("token-of-alice")
    del site.hub.users["alice"]
    site.seconds = 60
    for _ in range(2):
        with pytest.raises(UnknownTokenError):
            await site.identity.person("token-of-alice")
    site.hub.status = 503
    with pytest.raises(HubDownError):  # and is not known any more while the hub is down
        await site.identity.person("token-of-alice")


@pytest.mark.parametrize("status", [500, 503, 429, 302])
async def test_while_the_hub_fails_who_was_seen_within_an_hour_is_known(site: Site, status: int) -> None:
    await site.identity.person("token-of-alice")
    site.hub.status = status
    site.seconds = 3599
    assert (await site.identity.person("token-of-alice")).name == "alice"
    with pytest.raises(HubDownError):
        await site.identity.person("token-of-bob")
    site.seconds = 3600
    with pytest.raises(HubDownError):
        await site.identity.person("token-of-alice")


async def test_students_go_on_while_the_hub_is_gone_and_others_are_told_when_to_come_again(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    assert (await site.as_("alice").get("courses")).status == 200
    await site.hub.close()
    site.seconds = 600
    await site.as_("alice").submit("py1", "ps1", b"mine")
    answer = await site.as_("bob").begin_submission("py1", "ps1", b"mine")
    assert (answer.status, answer.error, answer.headers["retry-after"]) == (503, "hub-down", "5")
    assert (await site.as_("").get("health")).status == 200
    assert {one["id"] for one in (await site.as_("ida").get("courses", "py1", "roster")).json["students"]} >= {"alice"}


async def test_a_service_is_nobody(site: Site) -> None:
    with pytest.raises(UnknownTokenError):
        await site.identity.person(OWN_TOKEN)


@pytest.mark.parametrize("model", [{}, {"kind": "user"}, {"kind": "user", "name": ""}, {"kind": "group", "name": "x"}])
def test_a_model_that_is_no_users_is_refused(model: dict) -> None:
    with pytest.raises(ValueError, match="user of the hub"):
        Person.from_model(model)


async def test_what_is_remembered_does_not_grow_without_end(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpcampus_courses.identity._REMEMBERED", 3)
    site.hub.users |= {f"u{number}": [] for number in range(6)}
    for number in range(6):
        await site.identity.person(f"token-of-u{number}")
    site.hub.status = 503
    site.seconds = 60
    known = [number for number in range(6) if await is_known(site.identity, f"token-of-u{number}")]
    assert known == [3, 4, 5]


async def is_known(identity: HubIdentity, token: str) -> bool:
    try:
        await identity.person(token)
    except HubDownError:
        return False
    return True


async def test_members_of_a_group_are_asked_with_the_services_own_token(site: Site) -> None:
    site.hub.groups["course-py1-students"] = ["eve", "Zoë Müller"]
    site.hub.users["dora"] = ["course-py1-students"]
    await site.as_("ida").release("py1", "ps1")
    await site.as_("dora").submit("py1", "ps1", b"x")
    await site.as_("ida").submit("py1", "ps1", b"a try")
    students = (await site.as_("ida").get("courses", "py1", "roster")).json["students"]
    assert [one["name"] for one in students] == ["alice", "bob", "dora", "eve", "Zoë Müller"]
    assert students[-1]["id"].startswith("zo-m-ller--")
    assert all("token" not in path for path in site.hub.asked)
    assert token_of("ida") not in str(site.hub.asked)
