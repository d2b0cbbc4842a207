# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the pages show, as data and words."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hpcampus_courses.pages import views, words
from hpcampus_courses.settings import Course, read
from hpcampus_courses.store.audit import Entry
from hpcampus_courses.store.grades import Check, Grade, Score
from hpcampus_courses.store.releases import Release
from hpcampus_courses.store.runs import Run
from hpcampus_courses.store.submissions import Feedback, Submission

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("span", "said"),
    [
        (timedelta(seconds=1), "in 1 second"),
        (timedelta(seconds=59), "in 59 seconds"),
        (timedelta(minutes=1), "in 1 minute"),
        (timedelta(minutes=119), "in 119 minutes"),
        (timedelta(hours=2), "in 2 hours"),
        (timedelta(hours=47), "in 47 hours"),
        (2 * DAY, "in 2 days"),
        (59 * DAY, "in 59 days"),
        (60 * DAY, "in 8 weeks"),
        (-timedelta(0), "0 seconds ago"),
        (-3 * DAY, "3 days ago"),
    ],
)
def test_distance(span: timedelta, said: str) -> None:
    assert words.distance(NOW + span, NOW) == said


@pytest.mark.parametrize(
    ("value", "said"), [(7.0, "7"), (7.5, "7.5"), (1 / 3, "0.33"), (10, "10"), (0, "0"), (100.0, "100")]
)
def test_number(value: float, said: str) -> None:
    assert words.number(value) == said


@pytest.mark.parametrize(
    ("octets", "said"),
    [
        (0, "0 bytes"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (10_240, "10 kB"),
        (1_500_000, "1.5 MB"),
        (5 * 10**12, "5000 GB"),
    ],
)
def test_size(octets: int, said: str) -> None:
    assert words.size(octets) == said


def a_course(**more: Any) -> Course:
    record = {
        "slug": "py1",
        "calendar": {
            "deadlines": [
                {"assignment": "over", "due": (NOW - DAY).isoformat(), "late_until": (NOW + DAY).isoformat()},
                {"assignment": "longover", "due": (NOW - 9 * DAY).isoformat()},
                {"assignment": "soon", "due": (NOW + DAY).isoformat()},
                {"assignment": "later", "due": (NOW + 9 * DAY).isoformat()},
            ]
        },
        **more,
    }
    return read({"hub_api_url": "http://x", "public_url": "http://x", "courses": [record]}).courses["py1"]


def release(name: str) -> Release:
    return Release("py1", name, 2, "0" * 64, 5, ("a", "b"), NOW - DAY, "ida")


def submission(name: str, student: str, ago: float, feedback: bool = False) -> Submission:
    given = Feedback(NOW, "0" * 64, 5) if feedback else None
    time = NOW - timedelta(days=ago)
    return Submission(f"{student}{ago}", "py1", student, student.title(), name, "k", "0" * 64, 5, (), time, True, given)


def grade(name: str, student: str, **more: Any) -> Grade:
    return Grade(name, student.title(), NOW, Score(student, 7, 10, **more))


def test_what_is_due_next_comes_first() -> None:
    released = [release(name) for name in ("free", "later", "longover", "over", "soon")]
    shown = views.own_assignments(a_course(), released, [], [], NOW)
    assert [one.name for one in shown] == ["soon", "later", "free", "over", "longover"]
    assert [one.state for one in shown] == ["open", "open", "open", "not handed in", "not handed in"]


def test_a_student_sees_the_newest_submission_first_and_what_is_no_longer_released() -> None:
    tries = [submission("over", "alice", 3, feedback=True), submission("over", "alice", 0.5)]
    gone, over = sorted(
        views.own_assignments(a_course(), [release("over")], tries, [grade("gone", "alice")], NOW),
        key=lambda one: one.name,
    )
    assert [(one.id, one.late, one.feedback) for one in over.handed] == [
        ("alice0.5", True, False),
        ("alice3", False, True),
    ]
    assert over.state == "handed in late"
    assert over.due
    assert over.due.over
    assert over.due.late_until
    assert (gone.state, gone.released, over.released) == ("graded", False, True)


@pytest.mark.parametrize(("policy", "late"), [("mark", True), ("accept", False), ("percent_per_day", True)])
def test_late_is_what_the_courses_rule_says(policy: str, late: bool) -> None:
    course = a_course(late={"policy": policy})
    assert views.handed_of(course, submission("over", "alice", 0.5)).late is late


def test_points_are_after_the_penalty_and_never_less_than_nothing() -> None:
    assert views.points_of(Score("a", 7, 10, 2), with_flags=True).total == "5 of 10"
    assert views.points_of(Score("a", 1, 10, 2), with_flags=True).total == "0 of 10"


def test_a_student_sees_no_flag_and_no_message_of_a_check_that_passed() -> None:
    checks = (
        Check("good", 1, 1, "said", "hint"),
        Check("bad", 0, 1, "said", "hint"),
        Check("extra", 0, 0, "said", "hint"),
    )
    points = views.points_of(Score("a", 1, 2, flags=("suspicious",), checks=checks), with_flags=False)
    assert points.flags == ()
    assert [check.name for check in points.missed] == ["bad"]
    assert [(check.message, check.hint) for check in points.checks] == [("", ""), ("said", "hint"), ("", "")]
    assert views.points_of(Score("a", 1, 2, flags=("suspicious",)), with_flags=True).flags == ("suspicious",)


def test_numbers_count_students_and_not_tries() -> None:
    tries = [
        submission("over", "alice", 3, feedback=True),
        submission("over", "alice", 2),
        submission("over", "bob", 5),
        submission("over", "bob", 0.5),
    ]
    drafts = [grade("over", "alice", needs_manual=True), grade("over", "bob", flags=("x", "y"))]
    shown = {one.name: one for one in views.taught_assignments(a_course(), [release("over")], tries, drafts, NOW)}
    over = shown["over"]
    assert (over.handed, over.late, over.graded, over.by_hand, over.flagged, over.feedback) == (2, 1, 2, 1, 1, 1)
    assert over.version == 2
    assert set(shown) == {"over", "longover", "soon", "later"}
    assert shown["soon"].released == ""


def test_works_have_everybody() -> None:
    tries = [submission("over", "bob", 3, feedback=True), submission("over", "bob", 2), submission("over", "gone", 2)]
    shown = views.works(a_course(), {"bob": "Bob", "zoe": "Zoé"}, tries, [grade("over", "left")])
    assert [(one.name, one.tries, bool(one.points)) for one in shown] == [
        ("Bob", 2, False),
        ("Gone", 1, False),
        ("Left", 0, True),
        ("Zoé", 0, False),
    ]
    assert shown[0].handed
    assert (shown[0].handed.id, shown[0].feedback) == ("bob2", "bob3")


@pytest.mark.parametrize(
    ("state", "done", "failed", "minutes", "said", "ended"),
    [
        ("queued", 0, 0, 9, "waits for the cluster: 0 of 5", False),
        ("running", 3, 1, 9, "runs on the cluster: 3 of 5, 1 with a problem", False),
        ("running", 3, 1, 11, "runs on the cluster: 3 of 5, 1 with a problem", True),
        ("done", 5, 0, 11, "done: 5 of 5", True),
        ("failed", 1, 1, 11, "failed: 1 of 5, 1 with a problem", True),
    ],
)
def test_runs(state: str, done: int, failed: int, minutes: int, said: str, ended: bool) -> None:
    told = Run("0" * 32, "ps1", 5, done, failed, state, "a message", "ida", NOW, NOW)
    run = views.run_of(told, NOW + timedelta(minutes=minutes))
    assert (run.words, run.ended, run.finished) == (said, ended, done)
    assert ("no news since" in run.message) == (state == "running" and minutes > 10)


def test_events_in_words() -> None:
    event = views.event_of(Entry(NOW, "ida", "collect", "ps1", "alice", "1 new"))
    assert (event.who, event.what, event.detail) == ("ida", "collected submissions: ps1, alice", "1 new")
    assert views.event_of(Entry(NOW, "ida", "something new")).what == "something new"
