# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Handing out, in and back."""

from datetime import timedelta

import pytest

from tests.unit.courses.client import digest, new_key
from tests.unit.courses.site import Site

MB = 2**20
RECORD = {"slug": "py1", "title": "P", "instructors": ["ida"], "students": ["alice"]}


async def assignments(site: Site, name: str = "alice") -> list[dict]:
    return (await site.as_(name).get("courses", "py1", "assignments")).json["assignments"]


async def test_a_release_is_there_with_everything_it_needs(site: Site) -> None:
    assert await assignments(site) == []
    answer = await site.as_("ida").release("py1", "ps2", b"one", "p1,%C3%9Cbung%2C%202")
    assert (answer.status, answer.json) == (200, {"version": 1})
    assert await assignments(site) == [
        {
            "assignment": "ps2",
            "released_at": "2026-11-26T10:00:00.000000+00:00",
            "version": 1,
            "due": "2026-12-01T11:00:00.000000+00:00",
            "late_until": None,
            "notebooks": ["p1", "Übung, 2"],
            "size": 3,
            "sha256": digest(b"one"),
        }
    ]
    fetched = await site.as_("alice").get("courses", "py1", "assignments", "ps2", "release")
    assert (fetched.status, fetched.body) == (200, b"one")
    assert fetched.headers["hpcampus-sha256"] == digest(b"one")
    assert fetched.headers["content-type"] == "application/x-tar"
    assert fetched.headers["cache-control"] == "no-store"
    assert fetched.headers["content-disposition"].startswith("attachment")


async def test_the_same_again_is_the_same_version_and_another_is_the_next(site: Site) -> None:
    ida = site.as_("ida")
    versions = [(await ida.release("py1", "ps1", data)).json["version"] for data in (b"a", b"a", b"b", b"a")]
    assert versions == [1, 1, 2, 3]
    assert [(one["version"], one["sha256"]) for one in await assignments(site)] == [(3, digest(b"a"))]
    audit = (await ida.get("courses", "py1", "audit")).json["audit"]
    assert [(one["action"], one["who"], one["assignment"], one["detail"]) for one in audit] == [
        ("release", "ida", "ps1", f"version {number}") for number in (3, 2, 1)
    ]


async def test_what_is_taken_back_is_gone_for_students_and_kept(site: Site) -> None:
    ida, alice = site.as_("ida"), site.as_("alice")
    await ida.release("py1", "ps1", b"a")
    assert (await ida.delete("courses", "py1", "assignments", "ps1", "release")).status == 200
    assert await assignments(site) == []
    assert (await alice.get("courses", "py1", "assignments", "ps1", "release")).error == "not-released"
    assert (await alice.begin_submission("py1", "ps1", b"x")).error == "not-released"
    assert (await ida.delete("courses", "py1", "assignments", "ps1", "release")).error == "not-released"
    assert digest(b"a") in site.files
    assert (await ida.release("py1", "ps1", b"a")).json == {"version": 1}
    assert len(await assignments(site)) == 1


async def test_the_audit_names_the_person_at_the_courses_server(site: Site) -> None:
    await site.at_server("ivan").release("py1", "ps1")
    await site.as_("course-py1").release("py1", "ps3")
    audit = (await site.as_("ida").get("courses", "py1", "audit")).json["audit"]
    assert [(one["assignment"], one["who"]) for one in audit] == [("ps3", "course-py1"), ("ps1", "ivan")]


async def test_a_submission_counts_from_when_it_was_begun(site: Site) -> None:
    await site.as_("ida").release("py1", "ps2")
    alice, key = site.as_("alice"), new_key()
    site.set_time("2026-12-01T12:00:00+01:00")
    begun = await alice.begin_submission("py1", "ps2", b"mine", key)
    assert begun.status == 201
    assert begun.json == {
        "id": begun.json["id"], "time": "2026-12-01T11:00:00.000000+00:00", "late": False, "upload": True, "limit_bytes": MB,
    }  # fmt: skip
    assert await alice.submissions("py1") == []
    assert (await alice.get("courses", "py1", "submissions", begun.json["id"], "content")).error == "no-submission"

    site.time += timedelta(hours=5)
    again = await alice.begin_submission("py1", "ps2", b"mine", key)
    assert (again.status, again.json) == (200, begun.json)
    for _ in range(2):
        assert (await alice.send_content("py1", begun.json["id"], b"mine")).status == 200
    (listed,) = await alice.submissions("py1")
    assert listed == {
        "id": begun.json["id"], "assignment": "ps2", "student": "alice", "name": "alice",
        "time": "2026-12-01T11:00:00.000000+00:00", "size": 4, "sha256": digest(b"mine"), "late": False, "notebooks": ["p1"],
        "feedback": None,
    }  # fmt: skip
    assert (await alice.get("courses", "py1", "submissions", listed["id"], "content")).body == b"mine"


async def test_the_second_after_the_deadline_is_too_late_where_late_ones_are_refused(site: Site) -> None:
    await site.as_("ida").release("py1", "ps2")
    site.set_time("2026-12-01T12:00:00.000001+01:00")
    answer = await site.as_("alice").begin_submission("py1", "ps2", b"mine")
    assert (answer.status, answer.error) == (409, "too-late")
    assert "2026-12-01 12:00:00 +0100" in answer.json["message"]
    await site.as_("ida").release("py1", "ps1")
    assert (await site.as_("alice").begin_submission("py1", "ps1", b"mine")).status == 201


async def test_late_follows_the_deadline_as_it_is_now(site: Site) -> None:
    ida, alice = site.as_("ida"), site.as_("alice")
    await ida.release("py1", "ps1")
    await alice.submit("py1", "ps1", b"mine")
    assert not (await ida.submissions("py1"))[0]["late"]
    moved = {"deadlines": [{"assignment": "ps1", "due": "2026-11-26T10:59:59+01:00"}]}
    site.configure(courses=[{**RECORD, "calendar": moved, "late": {"policy": "percent_per_day", "percent": 10}}])
    assert (await ida.submissions("py1"))[0]["late"]
    assert (await alice.begin_submission("py1", "ps1", b"more")).json["late"]
    assert (await alice.get("courses", "py1", "calendar")).json == {
        "deadlines": {"ps1": {"due": "2026-11-26T09:59:59.000000+00:00", "late_until": None}},
        "late": {"policy": "percent_per_day", "percent": 10, "grace_minutes": 0},
    }


async def test_every_submission_is_kept_and_the_latest_can_be_asked_for(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    await site.as_("ida").release("py1", "ps3")
    ids = {}
    for student in ("alice", "Zoë Müller"):
        for data in (b"one", b"two", b"one"):
            site.time += timedelta(seconds=1)
            ids[student] = await site.as_(student).submit("py1", "ps1", data + student.encode())
    other = await site.as_("alice").submit("py1", "ps3", b"x")
    gus = site.as_("gus")
    assert len(await gus.submissions("py1")) == 7
    latest = await gus.submissions("py1", "?assignment=ps1&latest=1")
    assert {one["name"]: one["id"] for one in latest} == ids
    zoe = next(one["student"] for one in latest if one["name"] == "Zoë Müller")
    assert zoe.startswith("zo-m-ller--")
    assert len(await gus.submissions("py1", f"?student={zoe}")) == 3
    assert {one["id"] for one in await gus.submissions("py1", "?latest=1")} == {*ids.values(), other}


async def test_a_digest_does_not_lead_to_what_others_have_handed_in(site: Site) -> None:
    """Whoever knows only a digest must send the content; whoever has sent it before need not."""
    await site.as_("ida").release("py1", "ps1")
    secret = b"what bob wrote"
    await site.as_("bob").submit("py1", "ps1", secret)
    alice = site.as_("alice")
    begun = await alice.begin_submission("py1", "ps1", secret)
    assert begun.json["upload"] is True
    for path in ("content", "feedback"):
        assert (await alice.get("courses", "py1", "submissions", begun.json["id"], path)).status == 404
    again = await site.as_("bob").begin_submission("py1", "ps1", secret)
    assert again.json["upload"] is False
    assert len(await site.as_("bob").submissions("py1")) == 2


async def test_a_key_stands_for_one_submission_of_one_student(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    await site.as_("ida").release("py1", "ps3")
    alice, key = site.as_("alice"), new_key()
    first = await alice.begin_submission("py1", "ps1", b"one", key)
    for answer in (
        await alice.begin_submission("py1", "ps1", b"two", key),
        await alice.begin_submission("py1", "ps3", b"one", key),
        await alice.begin_submission("py1", "ps1", b"one", key, size=4),
    ):
        assert (answer.status, answer.error) == (409, "key-used")
    others = await site.as_("bob").begin_submission("py1", "ps1", b"two", key)
    assert others.status == 201
    assert others.json["id"] != first.json["id"]


async def test_limits_are_told_in_the_refusal(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    alice = site.as_("alice")
    answer = await alice.begin_submission("py1", "ps1", b"", size=MB + 1)
    assert (answer.status, answer.error) == (413, "too-large")
    assert "1.0 MB" in answer.json["message"]
    assert "at most 1 MB" in answer.json["message"]
    answer = await site.as_("ida").release("py1", "ps3", bytes(2 * MB + 1))
    assert (answer.status, answer.error) == (413, "too-large")
    assert "at most 2 MB" in answer.json["message"]
    assert (await site.as_("ida").release("py1", "ps3", bytes(2 * MB))).status == 200


async def test_a_course_may_have_a_limit_of_its_own(site: Site) -> None:
    site.configure(courses=[{**RECORD, "quota_mb": 2}])
    await site.as_("ida").release("py1", "ps1")
    alice = site.as_("alice")
    assert (await alice.begin_submission("py1", "ps1", b"", size=2 * MB + 1)).error == "too-large"
    begun = (await alice.begin_submission("py1", "ps1", bytes(2 * MB))).json
    assert begun["limit_bytes"] == 2 * MB
    assert (await alice.send_content("py1", begun["id"], bytes(2 * MB))).status == 200


async def test_before_its_start_students_see_nothing_and_after_its_end_they_hand_nothing_in(site: Site) -> None:
    site.configure(courses=[{**RECORD, "start": "2026-11-27", "end": "2026-11-28"}])
    ida, alice = site.as_("ida"), site.as_("alice")
    await ida.release("py1", "ps1")
    assert (await alice.get("courses")).json == {"courses": []}
    assert (await alice.get("courses", "py1", "assignments")).error == "no-course"
    site.set_time("2026-11-28T12:00:00+00:00")
    mine = await alice.submit("py1", "ps1", b"mine")
    site.set_time("2026-11-29T12:00:00+00:00")
    answer = await alice.begin_submission("py1", "ps1", b"more")
    assert (answer.status, answer.error) == (409, "ended")
    assert "2026-11-28" in answer.json["message"]
    assert [one["id"] for one in await alice.submissions("py1")] == [mine]
    assert (await ida.begin_submission("py1", "ps1", b"a try")).status == 201


async def test_one_student_cannot_fill_the_disk(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    limits = {"submission_max_mb": 1, "student_max_mb": 2, "disk_reserve_mb": 0}
    site.configure(limits=limits)
    alice = site.as_("alice")
    for number in range(2):
        await alice.submit("py1", "ps1", bytes([number]) * MB)
    answer = await alice.begin_submission("py1", "ps1", b"2")
    assert (answer.status, answer.error) == (413, "too-much")
    assert (await site.as_("bob").begin_submission("py1", "ps1", b"2")).status == 201


async def test_what_is_begun_and_never_sent_has_an_end(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    alice = site.as_("alice")
    answers = [await alice.begin_submission("py1", "ps1", b"%d" % number) for number in range(51)]
    assert [answer.status for answer in answers] == [201] * 50 + [429]
    assert answers[-1].headers["retry-after"] == "60"
    await alice.send_content("py1", answers[0].json["id"], b"0")
    assert (await alice.begin_submission("py1", "ps1", b"more")).status == 201


async def test_feedback_reaches_its_student(site: Site) -> None:
    ida, alice = site.as_("ida"), site.as_("alice")
    await ida.release("py1", "ps1")
    submission = await alice.submit("py1", "ps1", b"mine")
    place = ("courses", "py1", "submissions", submission, "feedback")
    assert (await alice.get(*place)).error == "no-feedback"
    for data in (b"<h1>well</h1>", b"<h1>well</h1>", b"<h1>better</h1>"):
        site.time += timedelta(seconds=1)
        assert (await ida.put(*place, body=data, Hpcampus_SHA256=digest(data))).status == 200
    assert (await alice.get(*place)).body == b"<h1>better</h1>"
    assert (await alice.submissions("py1"))[0]["feedback"] == {
        "time": "2026-11-26T10:00:03.000000+00:00", "sha256": digest(b"<h1>better</h1>"), "size": 15,
    }  # fmt: skip
    audit = (await ida.get("courses", "py1", "audit")).json["audit"]
    assert [(one["action"], one["student"]) for one in audit][:2] == [("feedback", "alice")] * 2
    assert digest(b"<h1>well</h1>") in site.files


async def test_there_is_no_feedback_to_what_was_not_handed_in(site: Site) -> None:
    await site.as_("ida").release("py1", "ps1")
    begun = await site.as_("alice").begin_submission("py1", "ps1", b"mine")
    for identity in (begun.json["id"], "0" * 32, "..", "x"):
        answer = await site.as_("ida").put(
            "courses", "py1", "submissions", identity, "feedback", body=b"f", Hpcampus_SHA256=digest(b"f")
        )
        assert (answer.status, answer.error) == (404, "no-submission")
    assert site.incoming == []


@pytest.mark.parametrize("name", ["..", ".", "a/b", "../../etc", "a+b", ".hidden", "a\0b", "*", "x" * 101, " a"])
async def test_names_that_are_paths_are_refused(site: Site, name: str) -> None:
    ida = site.as_("ida")
    for answer in (
        await ida.release("py1", name),
        await site.as_("alice").begin_submission("py1", name, b"x"),
        await ida.put("courses", "py1", "grades", name, json_body={"max_score": 1}),
        await ida.put("courses", "py1", "runs", new_key(), json_body={"assignment": name, "state": "done"}),
        await ida.release("py1", "ps1", notebooks=f"p1,{name.replace('%', '%25')}" if "\0" not in name else "%00"),
    ):
        assert (answer.status, answer.error) == (400, "bad-name"), answer
        assert "name of" in answer.json["message"]
    assert site.files == set()
    assert await assignments(site) == []


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"key": "x"}, "bad-key"), ({"key": None}, "bad-key"), ({"sha256": "A" * 64}, "bad-digest"), ({"sha256": 5}, "bad-digest"),
        ({"size": -1}, "bad-size"), ({"size": True}, "bad-size"), ({"size": "3"}, "bad-size"), ({"notebooks": "p1"}, "bad-notebooks"),
        ({"notebooks": ["a/b"]}, "bad-name"), ({"notebooks": [1]}, "bad-name"), ({"notebooks": ["a"] * 201}, "bad-notebooks"),
    ],
)  # fmt: skip
async def test_a_claim_that_makes_no_sense_is_refused(site: Site, changed: dict, error: str) -> None:
    await site.as_("ida").release("py1", "ps1")
    body = {"key": new_key(), "sha256": digest(b"x"), "size": 1, "notebooks": ["p1"], **changed}
    answer = await site.as_("alice").post("courses", "py1", "assignments", "ps1", "submissions", json_body=body)
    assert (answer.status, answer.error) == (400, error)


async def test_what_is_no_json_object_is_refused(site: Site) -> None:
    for body in (b"", b"[]", b"{", b"\xff", b"[" * 100_000):
        answer = await site.as_("ida").call("POST", "/services/courses/api/v1/courses/py1/audit", body=body)
        assert (answer.status, answer.error) == (400, "not-json")


async def test_an_address_that_does_not_exist_is_told(site: Site) -> None:
    answer = await site.as_("ida").get("courses", "py1", "nothing")
    assert (answer.status, answer.error) == (404, "no-address")
    health = await site.as_("").get("health")
    assert (health.status, health.json) == (200, {"ok": True})
