# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who sees which page, and what keeps pages from scripts and from what students write."""

import csv
import io
import re
import zipfile
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio

from hpcampus_courses.archive.check import check
from hpcampus_courses.pages import guard
from hpcampus_courses.store.submissions import Claim, Submission
from tests.unit.courses.pages_site import HOSTILE, NAVIGATE, PREFIX, SCORE, Site, Visitor, course, packed

ELSEWHERE = {"slug": "secret", "title": "Secret", "instructors": ["eve"], "students": []}
HIDDEN = ELSEWHERE["title"]


@pytest_asyncio.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    site = Site(tmp_path, course(), ELSEWHERE)
    await site.release("ps1", "problem")
    yield site
    await site.close()


@pytest_asyncio.fixture
async def handed(site: Site) -> Submission:
    """Alice's submission with feedback, graded."""
    submission = await site.hand_in("alice", "ps1", -3)
    await site.give_feedback(submission, {"problem.html": b"<h1>Well done</h1>", "../up.html": b"up", "data.csv": b"1"})
    await site.grade("ps1", SCORE)
    return submission


async def visitor(site: Site, name: str) -> Visitor:
    person = Visitor(site, name)
    await person.open()
    return person


async def test_logging_in_comes_back_to_the_page(site: Site) -> None:
    alice = Visitor(site, "alice")
    first = await alice.ask("course/physics101")
    assert first.code == 302
    assert first.headers["Location"].startswith("/hub/api/oauth2/authorize?")
    assert "<h1>Physics 101</h1>" in await alice.text("course/physics101")
    assert "Secret" not in await alice.text()


ROUTES = {
    "course/physics101": "student grader instructor",
    "course/physics101/assignment/ps1": "grader instructor",
    "course/physics101/activity": "instructor",
    "course/physics101/grades.csv": "instructor",
    "course/physics101/archive": "instructor",
    "course/physics101/public-copy": "instructor",
    "course/physics101/submission/{id}/files": "student grader instructor",
    "course/physics101/submission/{id}/feedback": "student grader instructor",
    "course/physics101/submission/{id}/feedback/problem.html": "student grader instructor",
    "course/secret": "",
    "course/secret/assignment/ps1": "",
    "course/secret/activity": "",
    "course/secret/grades.csv": "",
    "course/secret/archive": "",
    "course/secret/public-copy": "",
    "course/secret/submission/{id}/files": "",
    "course/secret/submission/{id}/feedback": "",
    "course/secret/submission/{id}/feedback/problem.html": "",
    "course/nothing": "",
    "course/physics101/assignment/nothing": "",
    "course/physics101/nothing": "",
    "nothing": "",
}
PEOPLE = {"student": "alice", "other student": "bob", "grader": "tom", "instructor": "ida", "stranger": "mallory"}


@pytest.mark.parametrize("role", PEOPLE)
async def test_who_sees_what(site: Site, handed: Submission, role: str) -> None:
    person = await visitor(site, PEOPLE[role])
    for path, roles in ROUTES.items():
        allowed = role in roles.split() or (role == "other student" and path == "course/physics101")
        answer = await person.open(path.format(id=handed.id))
        assert answer.code == (200 if allowed else 404), (role, path)
        if not allowed:
            assert "There is no such page" in answer.body.decode()


async def test_groups_of_the_hub_count(site: Site) -> None:
    site.hub.groups = {"mallory": ["course-secret-graders"], "new": ["course-physics101-students"]}
    assert "Open the formgrader" in await (await visitor(site, "mallory")).text("course/secret")
    assert ">new</li>" in re.sub(r"\s+", "", await (await visitor(site, "ida")).text("course/physics101"))


async def test_the_course_itself_and_a_token_in_a_header_are_no_visitors(site: Site) -> None:
    """The pages are for people with a browser; programs have the API."""
    site.hub.tokens["tok"] = "ida"
    for headers in ({"Authorization": "token tok"}, {**NAVIGATE, "Authorization": "token tok"}):
        assert (await Visitor(site, "ida").ask("course/physics101", headers=headers)).code == 302
    assert (await Visitor(site, "ida").ask("course/physics101?token=tok")).code == 302


async def test_a_session_that_ended_logs_in_again(site: Site) -> None:
    alice = await visitor(site, "alice")
    site.hub.tokens.clear()
    site.identity._known.clear()
    assert (await alice.ask("course/physics101")).code == 302
    assert "<h1>Physics 101</h1>" in await alice.text("course/physics101")


async def test_without_the_hub_known_people_go_on(site: Site) -> None:
    alice = await visitor(site, "alice")
    site.hub.down = True
    assert (await alice.ask("course/physics101")).code == 200
    site.identity._known.clear()
    answer = await alice.ask("course/physics101")
    assert answer.code == 503
    assert answer.headers["Retry-After"] == "5"
    assert "One moment" in answer.body.decode()


@pytest.mark.parametrize(
    ("headers", "opened"),
    [
        ({}, True),
        (NAVIGATE, True),
        ({"Sec-Fetch-Mode": "navigate"}, True),
        ({**NAVIGATE, "Sec-Fetch-Dest": "iframe"}, False),
        ({**NAVIGATE, "Sec-Fetch-Dest": "object"}, False),
        ({**NAVIGATE, "Sec-Fetch-Dest": "embed"}, False),
        ({"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}, False),
        ({"Sec-Fetch-Mode": "no-cors", "Sec-Fetch-Dest": "image"}, False),
        ({"Sec-Fetch-Mode": "same-origin"}, False),
        ({"Sec-Fetch-Mode": "websocket"}, False),
    ],
)
async def test_a_page_is_opened_by_a_person(
    site: Site, handed: Submission, headers: dict[str, str], opened: bool
) -> None:
    assert guard.is_opened(headers) is opened
    alice = await visitor(site, "alice")
    for path in ("", "course/physics101", f"course/physics101/submission/{handed.id}/feedback/problem.html"):
        answer = await alice.ask(path, headers=headers)
        assert answer.code == (200 if opened else 403)
        assert answer.headers["Cache-Control"] == "no-store"
        assert ("Physics 101" in answer.body.decode()) is (opened and "feedback" not in path)


async def test_nobody_logs_in_from_a_script(site: Site) -> None:
    alice = Visitor(site, "alice")
    assert (await alice.ask("course/physics101", headers={"Sec-Fetch-Mode": "cors"})).code == 403
    assert (await alice.ask("oauth_callback?code=1&state=2", headers={"Sec-Fetch-Mode": "cors"})).code == 403
    assert (await alice.ask("oauth_callback?code=1&state=2")).code == 403
    assert not alice.cookies


async def test_cookies_are_hidden_from_scripts_and_stay_in_the_service(site: Site) -> None:
    alice = Visitor(site, "alice")
    site.hub.visitor = "ida"
    answers, path = [], "course/physics101"
    for _ in range(4):
        answer = await alice.ask(path)
        answers += answer.headers.get_list("Set-Cookie")
        path = answer.headers.get("Location", "")
    lines = [line for line in answers if '=""' not in line]  # without what is taken away
    assert {line.split("=")[0] for line in lines} >= {"_xsrf", "service-courses", "service-courses-oauth-state"}
    for line in lines:
        assert "httponly" in line.lower()
        assert "path=/services/courses/" in line.lower()


AUTOGRADE = "course/physics101/autograde"
COMPARE = "course/physics101/similarity"


async def test_autograding_is_asked_of_the_courses_server_in_the_persons_name(site: Site) -> None:
    ida = await visitor(site, "ida")
    form = {"_xsrf": await ida.token(), "assignment": "ps1"}
    answer = await ida.ask(AUTOGRADE, method="POST", form=form)
    assert answer.code == 303
    assert site.hub.asked == [("hpcampus/autograde/ps1", "ida")]
    page = await ida.open(answer.headers["Location"])
    assert "Autograding of ps1 has begun." in page.body.decode()
    assert [(one.who, one.action, one.assignment) for one in site.store.audit.listed("physics101")] == [
        ("ida", "autograde", "ps1")
    ]


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (424, 409, "it does not run"),
        (503, 409, "it does not run"),
        (409, 409, "Nothing of it has been collected yet"),
        (403, 502, "did not begin"),
        (404, 502, "did not begin"),
        (500, 502, "did not begin"),
    ],
)
async def test_a_courses_server_that_does_not_autograde(site: Site, status: int, code: int, words: str) -> None:
    ida = await visitor(site, "ida")
    site.hub.server_status = status
    answer = await ida.ask(AUTOGRADE, method="POST", form={"_xsrf": await ida.token(), "assignment": "ps1"})
    text = answer.body.decode()
    assert answer.code == code
    assert words in text
    assert ("Start the course&#39;s server" in text or "Start the course's server" in text) is (
        "it does not run" in words
    )
    assert not site.store.audit.listed("physics101")


@pytest_asyncio.fixture
async def comparing(tmp_path: Path) -> AsyncIterator[Site]:
    """A course whose record says that submissions are compared."""
    site = Site(tmp_path, course(grading={"similarity": True}))
    await site.release("ps1", "problem")
    yield site
    await site.close()


async def test_submissions_are_compared_by_instructors_where_the_record_says_so(comparing: Site) -> None:
    ida = await visitor(comparing, "ida")
    page = await ida.text("course/physics101")
    assert "Compare submissions of ps1" in page
    answer = await ida.ask(COMPARE, method="POST", form={"_xsrf": await ida.token(), "assignment": "ps1"})
    assert (answer.code, comparing.hub.asked) == (303, [("hpcampus/similarity/ps1", "ida")])
    assert "The submissions of ps1 are being compared." in (await ida.open(answer.headers["Location"])).body.decode()
    assert [(one.who, one.action) for one in comparing.store.audit.listed("physics101")] == [("ida", "similarity")]
    assert "compared submissions: ps1" in await ida.text("course/physics101/activity")
    report = "/hub/spawn/course-physics101?next=%2Fuser%2Fcourse-physics101%2Fhpcampus%2Fsimilarity%2Fps1%2Freport"
    assert report in await ida.text("course/physics101/assignment/ps1")
    tom = await visitor(comparing, "tom")
    assert "similarity" not in await tom.text("course/physics101/assignment/ps1")
    assert "Compare" not in await tom.text("course/physics101")
    for name in ("tom", "alice", "mallory"):
        person = await visitor(comparing, name)
        form = {"_xsrf": person.cookies.get("_xsrf", ""), "assignment": "ps1"}
        assert (await person.ask(COMPARE, method="POST", form=form)).code == 404
    assert len(comparing.hub.asked) == 1


async def test_without_a_word_in_the_record_nothing_is_compared(site: Site) -> None:
    ida = await visitor(site, "ida")
    assert "similarity" not in await ida.text("course/physics101")
    assert "similarity" not in await ida.text("course/physics101/assignment/ps1")
    answer = await ida.ask(COMPARE, method="POST", form={"_xsrf": await ida.token(), "assignment": "ps1"})
    assert (answer.code, site.hub.asked) == (404, [])


async def test_nothing_is_done_without_the_token_of_the_page(site: Site) -> None:
    ida, eve = await visitor(site, "ida"), await visitor(site, "ida")
    other = await eve.token()
    for form in ({"assignment": "ps1"}, {"assignment": "ps1", "_xsrf": "x"}, {"assignment": "ps1", "_xsrf": other}):
        assert (await ida.ask(AUTOGRADE, method="POST", form=form)).code == 403
    assert not site.hub.asked


async def test_who_may_not_autograde(site: Site) -> None:
    for name in ("alice", "tom", "mallory"):
        person = await visitor(site, name)
        # Their own pages have no such form, so they take the token of their session.
        form = {"_xsrf": person.cookies.get("_xsrf", ""), "assignment": "ps1"}
        assert (await person.ask(AUTOGRADE, method="POST", form=form)).code == 404
    ida = await visitor(site, "ida")
    for assignment in ("../x", "", "a/b", HOSTILE):
        form = {"_xsrf": await ida.token(), "assignment": assignment}
        assert (await ida.ask(AUTOGRADE, method="POST", form=form)).code in (400, 404)
    assert not site.hub.asked


PROGRESS = "course/physics101/progress"
FETCH = {"Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty", "Sec-Fetch-Site": "same-origin"}


async def test_progress_needs_the_token_of_the_page_also_for_reading(site: Site) -> None:
    await site.run("ps1", 3, 10, "running")
    ida = await visitor(site, "ida")
    token = {"X-XSRFToken": await ida.token()}
    answer = await ida.ask(PROGRESS, headers={**FETCH, **token})
    assert answer.code == 200
    assert b"3 of 10" in answer.body
    other = await (await visitor(site, "ida")).token()
    for headers in (
        FETCH,
        {**FETCH, "X-XSRFToken": "x"},
        {**FETCH, "X-XSRFToken": other},
        {},
        {**FETCH, **token, "Sec-Fetch-Site": "cross-site"},
        {**FETCH, **token, "Sec-Fetch-Site": "same-site"},
        {**FETCH, **token, "Sec-Fetch-Mode": "no-cors"},
        {**NAVIGATE, **token},
    ):
        answer = await ida.ask(PROGRESS, headers=headers)
        assert answer.code == 403, headers
        assert b"3 of 10" not in answer.body
    for name in ("tom", "alice", "mallory"):
        person = await visitor(site, name)
        assert (await person.ask(PROGRESS, headers={**FETCH, "X-XSRFToken": person.cookies.get("_xsrf", "")})).code in (
            403,
            404,
        )
    assert (await Visitor(site, "x").ask(PROGRESS, headers={**FETCH, **token})).code == 403


async def test_a_page_loads_the_services_own_files_only(site: Site) -> None:
    alice = await visitor(site, "alice")
    answer = await alice.open("course/physics101")
    policy = dict(part.split(" ", 1) for part in answer.headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == f"{site.url}/services/courses/static/"
    assert "unsafe" not in answer.headers["Content-Security-Policy"]
    assert "'self'" not in answer.headers["Content-Security-Policy"]
    for name, text in (("pages.css", b":root"), ("pages.js", b"use strict")):
        found = re.search(
            rf'"(/services/courses/static/{name}[^"]*)"', await (await visitor(site, "ida")).text("course/physics101")
        )
        assert found
        file = await alice.ask(found[1], headers={"Sec-Fetch-Mode": "no-cors"})
        assert file.code == 200
        assert text in file.body
        assert file.headers["X-Content-Type-Options"] == "nosniff"
    assert (await alice.ask("static/../handlers.py")).code in (403, 404)
    assert (await alice.ask("static/%2e%2e/handlers.py")).code in (403, 404)


async def test_feedback_is_shown_in_a_sandbox(site: Site, handed: Submission) -> None:
    alice = await visitor(site, "alice")
    place = f"course/physics101/submission/{handed.id}/feedback"
    listed = await alice.text(place)
    assert f"{place}/problem.html" in listed
    assert "data.csv" not in listed
    shown = await alice.open(f"{place}/problem.html")
    assert shown.body == b"<h1>Well done</h1>"
    policy = shown.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox; default-src 'none';")
    assert "script" not in policy
    assert "allow-" not in policy
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert "Content-Disposition" not in shown.headers
    saved = await alice.open(f"{place}/problem.html?download=1")
    assert saved.headers["Content-Disposition"] == "attachment; filename*=UTF-8''problem.html"
    assert saved.headers["Content-Security-Policy"] == policy
    assert (await alice.open(f"{place}/data.csv")).code == 404
    assert (await alice.open(f"{place}/..%2F..%2F..%2Fapp.py")).code == 404


async def test_feedback_that_is_no_archive(site: Site) -> None:
    submission = await site.hand_in("alice", "ps1", -3)
    digest, size = await site.keep(b"no archive at all" * 100)
    await site.store.submissions.give_feedback(submission.id, digest, size, submission.time, "ida")
    alice = await visitor(site, "alice")
    assert "There is no page in it." in await alice.text(f"course/physics101/submission/{submission.id}/feedback")
    assert (await alice.open(f"course/physics101/submission/{submission.id}/feedback/x.html")).code == 404


async def test_files_that_were_handed_in_are_saved_and_never_shown(site: Site, handed: Submission) -> None:
    answer = await (await visitor(site, "alice")).open(f"course/physics101/submission/{handed.id}/files")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''ps1-alice.tar"
    assert answer.headers["Content-Type"] == "application/x-tar"
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    assert len(answer.body) == handed.size


@pytest.mark.usefixtures("handed")
async def test_grades_as_csv(site: Site) -> None:
    answer = await (await visitor(site, "ida")).open("course/physics101/grades.csv")
    assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''physics101-grades.csv"
    rows = list(csv.DictReader(io.StringIO(answer.body.decode())))
    assert "alice" in rows[0].values()


async def test_a_submission_without_content_is_not_there(site: Site) -> None:
    claim = Claim("physics101", "alice", "alice", "ps1", "0" * 32, "0" * 64, 3, ())
    submission, _ = await site.store.submissions.begin(claim, datetime.now(UTC), 10)
    alice = await visitor(site, "alice")
    assert (await alice.open(f"course/physics101/submission/{submission.id}/files")).code == 404


@pytest.mark.usefixtures("handed")
async def test_archive_and_public_copy_are_saved(site: Site, tmp_path: Path) -> None:
    ida = await visitor(site, "ida")
    page = await ida.text("course/physics101")
    assert "No licence was chosen" in page
    for place in ("archive", "public-copy"):
        assert f'href="{PREFIX}course/physics101/{place}"' in page
    answer = await ida.open("course/physics101/archive")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="physics101-archive.tar"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox;")
    file = tmp_path / "archive.tar"
    file.write_bytes(answer.body)
    assert check(file)["counts"]["submissions"] == 1
    answer = await ida.open("course/physics101/public-copy")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="physics101.zip"'
    assert zipfile.ZipFile(io.BytesIO(answer.body)).read("physics101/ps1/problem.ipynb") == b"{}"
    assert [(one.who, one.action) for one in site.store.audit.listed("physics101")] == [
        ("ida", "public copy"),
        ("ida", "archive"),
    ]


async def test_a_copy_that_is_not_fit_is_refused_in_the_page(site: Site) -> None:
    digest, size = await site.keep(packed({"p.ipynb": b"### BEGIN SOLUTION"}))
    await site.store.releases.release("physics101", "ps2", digest, size, ("p",), datetime.now(UTC), "ida")
    answer = await (await visitor(site, "ida")).open("course/physics101/public-copy")
    assert answer.code == 409
    assert "There is no public copy. ps2/p.ipynb has a solution." in answer.body.decode()


async def test_of_a_course_that_is_no_secret_everybody_sees_the_title_and_whom_to_ask(tmp_path: Path) -> None:
    """And nothing more."""
    known = {
        "slug": "known",
        "title": "Known <b>",
        "instructors": ["otto", "eve"],
        "students": ["bob"],
        "private": False,
    }
    over = {**known, "slug": "over", "title": "Is over", "end": "2020-01-01"}
    soon = {**known, "slug": "soon", "title": "Begins later", "start": "2099-01-01", "instructors": []}
    site = Site(tmp_path, course(), ELSEWHERE, known, over, soon)
    try:
        listed = (await (await visitor(site, "alice")).text()).split("Other courses")[1]
        assert "Known &lt;b&gt;" in listed
        assert "ask eve, otto to take part" in listed
        assert "ask who teaches it to take part" in listed
        for hidden in ("Secret", "Is over", "bob", "/course/"):
            assert hidden not in listed
        alice = await visitor(site, "alice")
        assert [(await alice.open(f"course/known{rest}")).code for rest in ("", "/activity", "/archive")] == [404] * 3
        # Who takes part in it, or will, is told nothing of asking.
        assert "Other courses" not in await (await visitor(site, "bob")).text()
    finally:
        await site.close()
