# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Every address of the API, as everybody: what is not allowed is refused, and of others' courses and submissions nothing shows."""

from dataclasses import dataclass

import pytest
from tornado.web import RequestHandler

from hpcampus_courses.api.base import ApiHandler
from hpcampus_courses.api.routes import ROUTES
from tests.unit.courses.client import Answer, Client, digest, new_key, target
from tests.unit.courses.site import Site

METHODS = ("GET", "PUT", "POST", "DELETE")
TAR = b"what bob hands in"
STAFF = {"gus", "ida", "course", "course+ida", "course+gus"}
LEADERS = STAFF - {"gus", "course+gus"}
COURSE = {"course", "course+ida"}
STUDENTS = {"alice", "bob"}
PEOPLE = STUDENTS | {"gus", "ida"}
EVERYBODY = STUDENTS | STAFF
OUTSIDERS = ("eve", "otto", "carol", "course-bio2")
TEACHERS_OF_A_COURSE = ("course+alice", "course+otto")

EMPTY_TAR = bytes(1024)
SENT = {"Hpcampus-SHA256": digest(TAR), "Hpcampus-Notebooks": "p1"}
SCORES = {"max_score": 10, "scores": [{"student": "bob", "score": 7, "max_score": 10}]}
RUN = {"assignment": "ps1", "total": 3, "state": "running"}
NEEDED = {"version": 1, "python": "3.11.2", "packages": {"numpy": "2.3.1"}, "missing": ["ourlib"]}
LINE_ITEM = {"line_item_url": "https://lms.example.org/1", "max_score": 10}


@dataclass(frozen=True)
class Case:
    """A method of an address: who may, and who may but finds nothing, because it is another's."""

    may: set[str]
    body: bytes | None = None
    json_body: object = None
    headers: tuple[tuple[str, str], ...] = ()
    finds_nothing: frozenset[str] = frozenset()
    error: str = ""
    """What is answered to those who may, where there is nothing to get in these tests."""


def claim() -> dict[str, object]:
    return {"key": new_key(), "sha256": digest(TAR), "size": len(TAR), "notebooks": ["p1"]}


NOT_BOB = frozenset({"alice"})
TEACHERS = frozenset({"gus", "ida"})
CASES: dict[tuple[str, str], Case] = {
    ("courses/{slug}/assignments", "GET"): Case(EVERYBODY),
    ("courses/{slug}/assignments/{assignment}/release", "GET"): Case(EVERYBODY),
    ("courses/{slug}/assignments/{assignment}/release", "PUT"): Case(LEADERS, TAR, headers=tuple(SENT.items())),
    ("courses/{slug}/assignments/{assignment}/release", "DELETE"): Case(LEADERS),
    ("courses/{slug}/assignments/{assignment}/requirements", "PUT"): Case(LEADERS, json_body=NEEDED),
    ("courses/{slug}/assignments/{assignment}/submissions", "POST"): Case(PEOPLE, json_body=claim),
    ("courses/{slug}/calendar", "GET"): Case(EVERYBODY),
    ("courses/{slug}/submissions", "GET"): Case(EVERYBODY),
    ("courses/{slug}/submissions/{submission}/content", "GET"): Case(EVERYBODY, finds_nothing=NOT_BOB),
    ("courses/{slug}/submissions/{submission}/content", "PUT"): Case(PEOPLE, TAR, finds_nothing=NOT_BOB),
    ("courses/{slug}/submissions/{submission}/feedback", "GET"): Case(EVERYBODY, finds_nothing=NOT_BOB),
    ("courses/{slug}/submissions/{submission}/feedback", "PUT"): Case(LEADERS, TAR, headers=tuple(SENT.items())),
    ("courses/{slug}/gradebook", "GET"): Case({"course", "course+ida"}, error="no-gradebook"),
    ("courses/{slug}/roster", "GET"): Case(STAFF),
    ("courses/{slug}/grades", "GET"): Case(EVERYBODY),
    ("courses/{slug}/grades.csv", "GET"): Case(STAFF),
    ("courses/{slug}/grades/{assignment}", "PUT"): Case(STAFF, json_body=SCORES),
    ("courses/{slug}/grades/{assignment}/release", "POST"): Case(LEADERS, json_body={}),
    ("courses/{slug}/line-items/{assignment}", "GET"): Case(LEADERS),
    ("courses/{slug}/line-items/{assignment}", "PUT"): Case(LEADERS, json_body=LINE_ITEM),
    ("courses/{slug}/runs", "GET"): Case(STAFF),
    ("courses/{slug}/runs/{run}", "PUT"): Case(LEADERS, json_body=RUN),
    ("courses/{slug}/archive", "GET"): Case(LEADERS),
    ("courses/{slug}/public-copy", "GET"): Case(LEADERS),
    ("courses/{slug}/audit", "GET"): Case(LEADERS),
    ("courses/{slug}/audit", "POST"): Case(STAFF, json_body={"action": "collect"}),
}
PATTERNS = sorted({pattern for pattern, _ in CASES})


def plain(pattern: str) -> str:
    """The pattern of a route as it stands in the table."""
    for name in ("slug", "assignment", "submission", "run"):
        pattern = pattern.replace(f"(?P<{name}>[^/]+)", f"{{{name}}}")
    return pattern.replace("\\", "")


def client_of(site: Site, actor: str) -> Client:
    owner, _, visitor = actor.partition("+")
    if visitor:
        return site.at_server(visitor)
    return site.as_("course-py1" if owner == "course" else owner)


async def ask(client: Client, path: str, method: str, case: Case) -> Answer:
    json_body = case.json_body() if callable(case.json_body) else case.json_body
    return await client.call(method, path, json_body=json_body, body=case.body, headers=dict(case.headers))


async def fill(site: Site) -> dict[str, str]:
    """A released assignment, bob's submission to it, with feedback, points and a line item."""
    ida, bob = site.as_("ida"), site.as_("bob")
    await ida.release("py1", "ps1", EMPTY_TAR)
    submission = await bob.submit("py1", "ps1", TAR)
    await ida.put("courses", "py1", "submissions", submission, "feedback", body=TAR, Hpcampus_SHA256=digest(TAR))
    await ida.put("courses", "py1", "grades", "ps1", json_body=SCORES)
    await ida.put("courses", "py1", "line-items", "ps1", json_body=LINE_ITEM)
    return {"slug": "py1", "assignment": "ps1", "submission": submission, "run": new_key()}


def address(pattern: str, values: dict[str, str]) -> str:
    return target() + pattern.format(**values)


def test_the_table_has_every_address_and_method() -> None:
    def methods(handler: type[RequestHandler]) -> set[str]:
        return {one for one in METHODS if getattr(handler, one.lower()) is not getattr(RequestHandler, one.lower())}

    routes = {(plain(pattern), method) for pattern, handler in ROUTES for method in methods(handler)}
    assert routes == {*CASES, ("courses", "GET")}


def test_handlers_of_a_course_let_nobody_in_but_by_their_list() -> None:
    for pattern, handler in ROUTES:
        if "slug" in pattern:
            assert issubclass(handler, ApiHandler)
            assert handler.ALLOWED


@pytest.mark.parametrize("pattern", PATTERNS)
async def test_only_those_who_may_get_what_they_ask(site: Site, pattern: str) -> None:
    values = await fill(site)
    path = address(pattern, values)
    for method in METHODS:
        case = CASES.get((pattern, method))
        for actor in sorted(EVERYBODY):
            answer = await ask(client_of(site, actor), path, method, case or Case(set()))
            told = f"{actor}: {method} {path}: {answer}"
            if case is None:
                assert answer.status == 405, told
            elif actor in case.finds_nothing:
                assert (answer.status, answer.error) == (404, "no-submission"), told
            elif actor not in case.may or (method == "PUT" and actor in TEACHERS and pattern.endswith("content")):
                assert (answer.status, answer.error) == (403, "not-allowed"), told
            elif case.error:
                assert answer.error == case.error, told
            else:
                assert answer.status < 300, told
                if method == "DELETE":
                    await site.as_("ida").release("py1", "ps1")


@pytest.mark.parametrize("pattern", PATTERNS)
async def test_a_course_is_not_there_for_others(site: Site, pattern: str) -> None:
    """And looks to them like one that does not exist."""
    values = await fill(site)
    before = sorted(site.files), site.incoming
    for method in METHODS:
        case = CASES.get((pattern, method), Case(set()))
        missing = await ask(site.as_("eve"), address(pattern, {**values, "slug": "none"}), method, case)
        for actor in OUTSIDERS:
            answer = await ask(client_of(site, actor), address(pattern, values), method, case)
            assert (answer.status, answer.body) == (404, missing.body), f"{actor}: {method} {pattern}: {answer}"
            assert answer.error == "no-course"
        for actor in TEACHERS_OF_A_COURSE:
            answer = await ask(client_of(site, actor), address(pattern, values), method, case)
            assert (answer.status, answer.error) == (403, "not-allowed"), f"{actor}: {method} {pattern}: {answer}"
    assert (sorted(site.files), site.incoming) == before


@pytest.mark.parametrize("pattern", ["courses", *PATTERNS])
async def test_without_a_token_that_counts_nothing_is_answered(site: Site, pattern: str) -> None:
    values = await fill(site)
    path = address(pattern, values)
    for method in METHODS:
        case = CASES.get((pattern, method), Case(set()))
        for client, error in (
            (Client(site.port), "no-token"),
            (Client(site.port, "nobody"), "unknown-token"),
            # what a student's server knows of an instructor or administrator who looked at it
            (Client(site.port, token=site.hub.visit("ida", "alice")), "weak-token"),
            (Client(site.port, token=site.hub.visit("ida", "course-py1")), "weak-token"),
        ):
            answer = await ask(client, path, method, case)
            assert (answer.status, answer.error) == (403 if error == "weak-token" else 401, error), f"{method} {answer}"


async def test_a_cookie_or_a_token_in_the_address_does_not_count(site: Site) -> None:
    await fill(site)
    path = target("courses", "py1", "submissions")
    for headers in (
        {"Cookie": "service-courses=token-of-ida; jupyterhub-session-id=1"},
        {"Authorization": "Basic aWRhOmlkYQ=="},
        {"Authorization": "token"},
        {"Authorization": "token token-of-ida x"},
        {"Hpcampus-Person-Token": "token-of-ida"},
    ):
        answer = await Client(site.port).call("GET", path, headers=headers)
        assert (answer.status, answer.error) == (401, "no-token")
    assert (await Client(site.port).call("GET", f"{path}?token=token-of-ida")).status == 401


async def test_a_visitors_token_counts_only_at_that_courses_server(site: Site) -> None:
    await fill(site)
    path = target("courses", "py1", "roster")
    for visitor_token in (
        site.hub.visit("ida", "alice"),
        site.hub.visit("ida", "course-bio2"),
        "token-of-ida",
    ):
        answer = await Client(site.port, "course-py1", visitor_token).call("GET", path)
        assert (answer.status, answer.error) == (403, "not-allowed")
    unknown = await Client(site.port, "course-py1", "nonsense").call("GET", path)
    assert unknown.status == 401
    # from a student's server the header changes nothing
    student = await Client(site.port, "alice", site.hub.visit("ida", "course-py1")).call("GET", path)
    assert (student.status, student.error) == (403, "not-allowed")


async def test_students_see_no_submission_but_their_own(site: Site) -> None:
    await fill(site)
    alice, bob = site.as_("alice"), site.as_("bob")
    assert await alice.submissions("py1") == []
    assert await alice.submissions("py1", "?student=bob") == []
    mine = await alice.submit("py1", "ps1", b"alice")
    assert [one["id"] for one in await alice.submissions("py1", "?student=bob")] == [mine]
    assert [one["student"] for one in await bob.submissions("py1")] == ["bob"]
    assert {one["student"] for one in await site.as_("gus").submissions("py1")} == {"alice", "bob"}


async def test_an_id_of_another_course_leads_to_nothing(site: Site) -> None:
    values = await fill(site)
    for actor in ("otto", "carol", "course-bio2"):
        for what in ("content", "feedback"):
            answer = await client_of(site, actor).get("courses", "bio2", "submissions", values["submission"], what)
            assert answer.status in (403, 404)
            assert b"hands in" not in answer.body


async def test_everybody_sees_the_courses_that_are_theirs(site: Site) -> None:
    async def seen(name: str) -> list[tuple[str, str]]:
        answer = await site.as_(name).get("courses")
        return [(one["slug"], one["role"]) for one in answer.json["courses"]]

    assert await seen("alice") == [("py1", "student")]
    assert await seen("gus") == [("py1", "grader")]
    assert await seen("otto") == [("bio2", "instructor")]
    assert await seen("course-py1") == [("py1", "course")]
    assert await seen("eve") == []


async def test_a_course_that_is_no_secret_stays_closed_to_others(site: Site) -> None:
    site.configure(courses=[{"slug": "py1", "title": "P", "private": False, "students": ["bob"]}])
    assert (await site.as_("eve").get("courses")).json == {"courses": []}
    for what in ("assignments", "calendar", "roster", "archive", "public-copy", "submissions", "grades"):
        assert (await site.as_("eve").get("courses", "py1", what)).error == "no-course"


async def test_groups_of_the_hub_make_members(site: Site) -> None:
    site.hub.users["eve"] = [
        "course-py1-graders",
        "course-bio2-students",
        "course-bio2-instructors",
        "course-none-students",
    ]
    courses = (await site.as_("eve").get("courses")).json["courses"]
    assert [(one["slug"], one["role"]) for one in courses] == [("bio2", "instructor"), ("py1", "grader")]


async def test_an_open_course_is_for_everybody_but_not_for_the_accounts_of_other_courses(site: Site) -> None:
    site.configure(courses=[{"slug": "py1", "title": "P", "open": True}, {"slug": "bio2", "title": "B"}])
    assert (await site.as_("eve").get("courses", "py1", "assignments")).status == 200
    assert (await site.as_("course-bio2").get("courses", "py1", "assignments")).status == 404


async def test_a_person_whose_name_looks_like_a_courses_is_that_course_alone(site: Site) -> None:
    """The hub lets nobody log in under such a name; a record that lists one gives no rights."""
    site.configure(courses=[{"slug": "py1", "title": "P", "instructors": ["course-bio2"], "open": True}])
    assert (await site.as_("course-bio2").get("courses", "py1", "assignments")).status == 404
