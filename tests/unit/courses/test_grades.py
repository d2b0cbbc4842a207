# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Points, progress and the audit."""

import csv
import io
from datetime import timedelta

import pytest

from tests.unit.courses.client import new_key
from tests.unit.courses.site import Site

CHECK = {"cell": "test-1", "points": 0, "max_points": 5, "message": "assert f(2) == 4", "hint": "square it"}
ALICE = {
    "student": "alice", "score": 5, "max_score": 10, "late_penalty": 1.5, "needs_manual": True, "flags": ["uses __eq__"],
    "checks": [CHECK],
}  # fmt: skip
BOB = {"student": "bob", "score": 10, "max_score": 10}


async def draft(site: Site, *scores: dict, name: str = "ida") -> None:
    body = {"max_score": 10, "scores": list(scores)}
    answer = await site.as_(name).put("courses", "py1", "grades", "ps1", json_body=body)
    assert (answer.status, answer.json) == (200, {})


async def release(site: Site) -> None:
    site.time += timedelta(seconds=1)
    assert (await site.as_("ida").post("courses", "py1", "grades", "ps1", "release")).status == 200


async def grades(site: Site, name: str) -> list[dict]:
    return (await site.as_(name).get("courses", "py1", "grades")).json["grades"]


async def test_students_see_points_when_they_are_released_and_only_their_own(site: Site) -> None:
    await draft(site, ALICE, BOB)
    assert await grades(site, "alice") == []
    await release(site)
    (seen,) = await grades(site, "alice")
    assert seen == {
        "assignment": "ps1", "student": "alice", "name": "alice", "score": 5, "max_score": 10, "late_penalty": 1.5,
        "needs_manual": True, "checks": [CHECK], "time": "2026-11-26T10:00:01.000000+00:00",
        "released": {"score": 5, "time": "2026-11-26T10:00:01.000000+00:00"},
    }  # fmt: skip
    (seen,) = await grades(site, "bob")
    assert (seen["student"], seen["score"], seen["checks"]) == ("bob", 10, [])


async def test_a_newer_draft_waits_for_its_release(site: Site) -> None:
    await draft(site, ALICE, BOB)
    await release(site)
    await draft(site, {**ALICE, "score": 6}, name="gus")
    assert (await grades(site, "alice"))[0]["score"] == 5
    assert [
        (one["student"], one["score"], one["released"]["score"], one["flags"]) for one in await grades(site, "gus")
    ] == [("alice", 6, 5, ["uses __eq__"])]
    await release(site)
    assert (await grades(site, "alice"))[0]["score"] == 6
    assert await grades(site, "bob") == []


async def test_releasing_twice_is_releasing_once(site: Site) -> None:
    await draft(site, ALICE)
    for _ in range(3):
        await release(site)
    assert (await grades(site, "alice"))[0]["released"]["time"] == "2026-11-26T10:00:01.000000+00:00"
    audit = (await site.as_("ida").get("courses", "py1", "audit")).json["audit"]
    assert [one["action"] for one in audit] == ["release grades"]
    answer = await site.as_("ida").post("courses", "py1", "grades", "ps9", "release")
    assert (answer.status, answer.error) == (404, "no-grades")


async def test_the_table_holds_what_a_spreadsheet_does_not_take_for_a_formula(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    site.hub.users["=cmd|' /C calc'!A0"] = ["course-py1-students"]
    await site.as_("=cmd|' /C calc'!A0").submit("py1", "ps1", b"x")
    (submission,) = await site.as_("ida").submissions("py1")
    await draft(site, ALICE, {**BOB, "student": submission["student"]})
    answer = await site.as_("gus").get("courses", "py1", "grades.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert rows[0] == {
        "assignment": "ps1", "student": "alice", "name": "alice", "score": "5", "late_penalty": "1.5", "points": "3.5",
        "max_score": "10", "needs_manual": "yes", "released": "no",
    }  # fmt: skip
    assert rows[1]["name"] == "'=cmd|' /C calc'!A0"
    await release(site)
    answer = await site.as_("gus").get("courses", "py1", "grades.csv")
    assert {row["released"] for row in csv.DictReader(io.StringIO(answer.body.decode()))} == {"yes"}


@pytest.mark.parametrize(
    "changed",
    [
        {"student": ""}, {"student": 5}, {"score": "5"}, {"score": None}, {"score": float("inf")}, {"score": float("nan")},
        {"score": True}, {"needs_manual": 1}, {"flags": "x"}, {"flags": [1]}, {"checks": {}}, {"checks": [1]}, {"checks": [{}]},
        {"checks": [{**CHECK, "message": "x" * 20_001}]},
    ],
)  # fmt: skip
async def test_points_that_make_no_sense_are_refused_and_the_draft_stays(site: Site, changed: dict) -> None:
    await draft(site, BOB)
    body = {"max_score": 10, "scores": [{**ALICE, **changed}]}
    answer = await site.as_("ida").put("courses", "py1", "grades", "ps1", json_body=body)
    assert (answer.status, answer.error) == (400, "bad-value")
    assert [one["student"] for one in await grades(site, "ida")] == ["bob"]


async def test_a_student_has_points_once(site: Site) -> None:
    body = {"max_score": 10, "scores": [ALICE, ALICE]}
    answer = await site.as_("ida").put("courses", "py1", "grades", "ps1", json_body=body)
    assert (answer.status, answer.error) == (400, "bad-value")


async def test_text_that_cannot_be_stored_is_taken_with_a_sign_for_it(site: Site) -> None:
    await draft(site, {**ALICE, "checks": [{**CHECK, "message": "a\0b\ud800c"}]})
    assert (await grades(site, "ida"))[0]["checks"][0]["message"] == "a\ufffdb?c"


async def test_line_items_are_kept(site: Site) -> None:
    ida, place = site.as_("ida"), ("courses", "py1", "line-items", "ps1")
    assert (await ida.get(*place)).error == "no-line-item"
    item = {"line_item_url": "https://lms.example.org/li/1", "resource_id": "r", "label": "Set 1", "max_score": 10}
    for label in ("Set 1", "Set one"):
        assert (await ida.put(*place, json_body={**item, "label": label})).status == 200
    assert (await ida.get(*place)).json == {**item, "label": "Set one"}
    for url in ("http://lms.example.org", "javascript:alert(1)", "https://", ""):
        assert (await ida.put(*place, json_body={**item, "line_item_url": url})).error == "bad-value"


async def test_runs_show_how_far_they_are(site: Site) -> None:
    run, course = new_key(), site.at_server("ida")
    place = ("courses", "py1", "runs", run)
    body = {"assignment": "ps1", "total": 3, "done": 0, "failed": 0, "state": "queued", "message": ""}
    await course.put(*place, json_body=body)
    site.time += timedelta(seconds=5)
    await site.as_("course-py1").put(
        *place, json_body={**body, "done": 3, "failed": 1, "state": "done", "message": "ok"}
    )
    await site.as_("ivan").put("courses", "py1", "runs", new_key(), json_body={**body, "assignment": "ps2"})
    assert (await site.as_("gus").get("courses", "py1", "runs", query="?assignment=ps1")).json["runs"] == [
        {
            "run": run, "assignment": "ps1", "total": 3, "done": 3, "failed": 1, "state": "done", "message": "ok", "who": "ida",
            "started": "2026-11-26T10:00:00.000000+00:00", "changed": "2026-11-26T10:00:05.000000+00:00",
        }
    ]  # fmt: skip
    assert len((await site.as_("gus").get("courses", "py1", "runs")).json["runs"]) == 2
    for wrong in ({"state": "x"}, {"total": -1}, {"done": 1.5}, {"failed": True}, {"message": 5}):
        assert (await course.put(*place, json_body={**body, **wrong})).error == "bad-value"
    assert (await course.put("courses", "py1", "runs", "x", json_body=body)).error == "bad-value"


async def test_the_audit_says_who_and_when_itself(site: Site) -> None:
    body = {
        "action": "collect",
        "assignment": "ps1",
        "student": "alice",
        "detail": "3 submissions",
        "who": "eve",
        "time": "x",
    }
    assert (await site.at_server("gus").post("courses", "py1", "audit", json_body=body)).status == 200
    assert (await site.as_("ida").post("courses", "py1", "audit", json_body={})).error == "bad-value"
    assert (await site.as_("ida").get("courses", "py1", "audit")).json["audit"] == [
        {
            "time": "2026-11-26T10:00:00.000000+00:00", "who": "gus", "action": "collect", "assignment": "ps1", "student": "alice",
            "detail": "3 submissions",
        }
    ]  # fmt: skip
    assert (await site.as_("otto").get("courses", "bio2", "audit")).json["audit"] == []
