# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the pages show, as data: made from what the store gives, without a look at files or clock."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from hpcampus_courses.deadlines import judge
from hpcampus_courses.settings import Course
from hpcampus_courses.store import audit, grades, runs
from hpcampus_courses.store.releases import Release
from hpcampus_courses.store.submissions import Submission

from . import words


@dataclass(frozen=True)
class Due:
    """A deadline: when, in words, whether it is over, and until when late work is taken ("" for no such time)."""

    time: datetime
    clock: str
    distance: str
    over: bool
    late_until: str = ""


@dataclass(frozen=True)
class Check:
    """A check of an assignment with the points it gave; ``message`` and ``hint`` say why there are not all."""

    name: str
    points: str
    passed: bool
    message: str
    hint: str


@dataclass(frozen=True)
class Points:
    """Points of one student for one assignment."""

    total: str
    penalty: str
    by_hand: bool
    checks: tuple[Check, ...]
    flags: tuple[str, ...] = ()

    @property
    def missed(self) -> tuple[Check, ...]:
        """The checks that did not give all their points."""
        return tuple(check for check in self.checks if not check.passed)


@dataclass(frozen=True)
class Handed:
    """A submission: its number, when it came, whether late, its size, and whether there is feedback on it."""

    id: str
    clock: str
    iso: str
    late: bool
    size: str
    feedback: bool


@dataclass(frozen=True)
class OwnAssignment:
    """An assignment as a student sees it; submissions, the newest first."""

    name: str
    notebooks: str
    due: Due | None
    handed: tuple[Handed, ...]
    points: Points | None
    released: bool

    @property
    def state(self) -> str:
        """How it stands, in a word or two."""
        if self.points:
            return "graded"
        if self.handed:
            return "handed in late" if self.handed[0].late else "handed in"
        return "not handed in" if self.due and self.due.over else "open"


@dataclass(frozen=True)
class TaughtAssignment:
    """An assignment in numbers, for those who teach."""

    name: str
    due: Due | None
    released: str
    version: int
    handed: int
    late: int
    graded: int
    by_hand: int
    flagged: int
    feedback: int


@dataclass(frozen=True)
class Work:
    """What one student has of an assignment.

    ``handed`` is the newest submission of ``tries``, ``feedback`` the number of the newest one with feedback, or "".
    """

    student: str
    name: str
    tries: int
    handed: Handed | None
    feedback: str
    points: Points | None


@dataclass(frozen=True)
class Run:
    """A run of autograding."""

    id: str
    assignment: str
    words: str
    message: str
    finished: int
    total: int
    ended: bool

    def as_json(self) -> dict[str, Any]:
        """The run as the open page gets it."""
        return {
            "run": self.id,
            "assignment": self.assignment,
            "words": self.words,
            "message": self.message,
            "finished": self.finished,
            "total": self.total,
            "ended": self.ended,
        }


@dataclass(frozen=True)
class Event:
    """A line of the audit."""

    clock: str
    iso: str
    who: str
    what: str
    detail: str


@dataclass
class _Numbers:
    students: set[str] = field(default_factory=set)
    late: set[str] = field(default_factory=set)
    feedback: set[str] = field(default_factory=set)


def due_of(course: Course, assignment: str, now: datetime) -> Due | None:
    """The deadline of an assignment, if it has one; ``now`` is the hub's time."""
    deadline = course.deadlines.get(assignment)
    if deadline is None:
        return None
    return Due(
        deadline.due,
        words.clock(deadline.due),
        words.distance(deadline.due, now),
        deadline.due <= now,
        words.clock(deadline.late_until) if deadline.late_until else "",
    )


def handed_of(course: Course, submission: Submission) -> Handed:
    """A submission."""
    return Handed(
        submission.id,
        words.clock(submission.time),
        submission.time.isoformat(),
        _is_late(course, submission),
        words.size(submission.size),
        submission.feedback is not None,
    )


def _is_late(course: Course, submission: Submission) -> bool:
    return judge(submission.time, course.deadlines.get(submission.assignment), course.late).late


def points_of(score: grades.Score, *, with_flags: bool) -> Points:
    """Points of a student. What a flag says is for those who teach: it may be a suspicion that nobody has looked at yet."""
    earned = max(0.0, score.score - score.late_penalty)
    return Points(
        words.of(earned, score.max_score),
        words.number(score.late_penalty) if score.late_penalty else "",
        score.needs_manual,
        tuple(_check(check) for check in score.checks),
        score.flags if with_flags else (),
    )


def _check(check: grades.Check) -> Check:
    passed = check.points >= check.max_points
    return Check(
        check.cell,
        words.of(check.points, check.max_points),
        passed,
        "" if passed else check.message,
        "" if passed else check.hint,
    )


def own_assignments(
    course: Course,
    releases: Iterable[Release],
    submissions: Iterable[Submission],
    released_grades: Iterable[grades.Grade],
    now: datetime,
) -> list[OwnAssignment]:
    """All assignments that concern a student: released ones, and those with work of the student in them.

    Args:
        course: the course.
        releases: what is handed out.
        submissions: the student's own.
        released_grades: the student's own.
        now: the hub's time.

    Returns:
        Those with a deadline ahead first, then those without one, then those whose deadline is over, the latest first.
    """
    released = {release.assignment: release for release in releases}
    handed = _by_assignment(submissions)
    graded = {grade.assignment: points_of(grade.score, with_flags=False) for grade in released_grades}
    shown = [
        OwnAssignment(
            name,
            words.listed(released[name].notebooks) if name in released else "",
            due_of(course, name, now),
            tuple(handed_of(course, one) for one in _newest_first(handed.get(name, ()))),
            graded.get(name),
            name in released,
        )
        for name in sorted({*released, *handed, *graded})
    ]
    return sorted(shown, key=_by_urgency)


def _by_urgency(one: OwnAssignment) -> tuple[int, float]:
    if one.due is None:
        return (1, 0.0)
    return (2, -one.due.time.timestamp()) if one.due.over else (0, one.due.time.timestamp())


def taught_assignments(
    course: Course,
    releases: Iterable[Release],
    submissions: Iterable[Submission],
    drafts: Iterable[grades.Grade],
    now: datetime,
) -> list[TaughtAssignment]:
    """All assignments that those who teach should see: released or announced ones, and those with work in them.

    Args:
        course: the course.
        releases: what is handed out.
        submissions: of all students.
        drafts: points of all students.
        now: the hub's time.
    """
    released = {release.assignment: release for release in releases}
    numbers: dict[str, _Numbers] = defaultdict(_Numbers)
    for (name, student), ones in _by_student(submissions).items():
        numbers[name].students.add(student)
        if _is_late(course, _newest_first(ones)[0]):
            numbers[name].late.add(student)
        if any(one.feedback for one in ones):
            numbers[name].feedback.add(student)
    graded: dict[str, list[grades.Score]] = defaultdict(list)
    for grade in drafts:
        graded[grade.assignment].append(grade.score)
    return [
        TaughtAssignment(
            name,
            due_of(course, name, now),
            words.clock(released[name].time) if name in released else "",
            released[name].version if name in released else 0,
            len(numbers[name].students),
            len(numbers[name].late),
            len(graded[name]),
            sum(score.needs_manual for score in graded[name]),
            sum(bool(score.flags) for score in graded[name]),
            len(numbers[name].feedback),
        )
        for name in sorted({*released, *course.deadlines, *numbers, *graded})
    ]


def compares(course: Course) -> bool:
    """Whether submissions may be compared with each other."""
    return bool((course.record.get("grading") or {}).get("similarity"))


def works(
    course: Course,
    roster: Mapping[str, str],
    submissions: Iterable[Submission],
    drafts: Iterable[grades.Grade],
) -> list[Work]:
    """What every student has of one assignment, those without a submission too.

    Args:
        course: the course.
        roster: names of the students by id.
        submissions: of this assignment; by somebody who left the course too.
        drafts: points of this assignment.
    """
    handed = {student: _newest_first(ones) for (_, student), ones in _by_student(submissions).items()}
    points = {grade.score.student: grade for grade in drafts}
    names = {
        **{student: grade.name for student, grade in points.items()},
        **{student: ones[0].name for student, ones in handed.items()},
        **roster,
    }
    return [
        Work(
            student,
            name,
            len(handed.get(student, ())),
            handed_of(course, handed[student][0]) if student in handed else None,
            next((one.id for one in handed.get(student, ()) if one.feedback), ""),
            points_of(points[student].score, with_flags=True) if student in points else None,
        )
        for student, name in sorted(names.items(), key=lambda one: (one[1].casefold(), one[0]))
    ]


def run_of(run: runs.Run, now: datetime) -> Run:
    """A run of autograding; one that was silent for long counts as ended, for its server may be gone. ``now`` is the hub's time."""
    is_silent = run.state not in words.RUN_ENDED and now - run.changed > words.RUN_SILENT
    return Run(
        run.run,
        run.assignment,
        words.run_state(run.state, run.done, run.failed, run.total),
        words.silent_since(run.changed) if is_silent else run.message,
        min(run.done, run.total),
        run.total,
        is_silent or run.state in words.RUN_ENDED,
    )


def event_of(entry: audit.Entry) -> Event:
    """A line of the audit."""
    what = words.action(entry.action)
    about = words.listed(part for part in (entry.assignment, entry.student) if part)
    return Event(
        words.clock(entry.time),
        entry.time.isoformat(),
        entry.who,
        f"{what}: {about}" if about else what,
        entry.detail,
    )


def _by_assignment(submissions: Iterable[Submission]) -> dict[str, list[Submission]]:
    found: dict[str, list[Submission]] = defaultdict(list)
    for one in submissions:
        found[one.assignment].append(one)
    return found


def _by_student(submissions: Iterable[Submission]) -> dict[tuple[str, str], list[Submission]]:
    found: dict[tuple[str, str], list[Submission]] = defaultdict(list)
    for one in submissions:
        found[one.assignment, one.student].append(one)
    return found


def _newest_first(submissions: Sequence[Submission]) -> list[Submission]:
    return sorted(submissions, key=lambda one: one.time, reverse=True)
