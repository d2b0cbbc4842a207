# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Points: a draft, what students see, a table, and where they belong on a learning platform."""

from collections.abc import Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from hpcampus_courses.clock import as_text
from hpcampus_courses.grades_table import csv_of
from hpcampus_courses.people import EVERYBODY, LEADERS, STAFF
from hpcampus_courses.store.grades import Check, Grade, LineItem, Score

from . import fields
from .base import Allowed, ApiHandler, RefusalError

STUDENTS_MAX = 5000
CHECKS_MAX = 1000
FLAGS_MAX = 50


class Draft(ApiHandler):
    """The draft of an assignment's points."""

    ALLOWED: ClassVar[Allowed] = {"PUT": STAFF}

    async def put(self, slug: str, assignment: str) -> None:
        """Replace it."""
        assignment, body = self.assignment(assignment), self.json_body()
        scores = [_score(one) for one in fields.mappings(body, "scores", STUDENTS_MAX)]
        if len({one.student for one in scores}) < len(scores):
            raise RefusalError(400, "bad-value", "scores must have each student once.")
        await self.store.grades.draft(slug, assignment, fields.number(body, "max_score"), scores, self.arrived)
        self.finish({})


class Release(ApiHandler):
    """Lets students see the draft."""

    ALLOWED: ClassVar[Allowed] = {"POST": LEADERS}

    async def post(self, slug: str, assignment: str) -> None:
        """Release it; again when it has not changed changes nothing."""
        sheet = self.store.grades.sheets(slug).get(self.assignment(assignment))
        if sheet is None:
            raise RefusalError(404, "no-grades", f"{assignment} has no points yet.")
        if sheet.pending:
            await self.store.grades.release(slug, assignment, self.arrived)
            await self.note("release grades", assignment=assignment)
        self.finish({})


class Grades(ApiHandler):
    """The points of a course."""

    ALLOWED: ClassVar[Allowed] = {"GET": EVERYBODY}

    async def get(self, slug: str) -> None:
        """List drafts with what is released; students see of their own what is released."""
        grades, staff = self.store.grades, self.role in STAFF
        own = "" if staff else self.acting.id
        released = grades.listed(slug, released=True, student=own)
        if not staff:
            self.finish({"grades": [_shown(one, released=one, flags=False) for one in released]})
            return
        seen = {(one.assignment, one.score.student): one for one in released}
        drafts = grades.listed(slug, released=False)
        self.finish(
            {"grades": [_shown(one, seen.get((one.assignment, one.score.student)), flags=True) for one in drafts]}
        )


class Table(ApiHandler):
    """The points of a course as a table for spreadsheets."""

    ALLOWED: ClassVar[Allowed] = {"GET": STAFF}

    async def get(self, slug: str) -> None:
        """Give the drafts, which are the newest points, one line for each student and assignment."""
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", f'attachment; filename="{slug}-grades.csv"')
        self.finish(csv_of(self.store, slug))


class LineItems(ApiHandler):
    """Where the points of an assignment belong on a learning platform."""

    ALLOWED: ClassVar[Allowed] = {"GET": LEADERS, "PUT": LEADERS}

    async def get(self, slug: str, assignment: str) -> None:
        """Show it."""
        item = self.store.grades.line_item(slug, self.assignment(assignment))
        if item is None:
            raise RefusalError(404, "no-line-item", f"{assignment} has no line item.")
        self.finish(
            {
                "line_item_url": item.line_item_url,
                "resource_id": item.resource_id,
                "label": item.label,
                "max_score": item.max_score,
            }
        )

    async def put(self, slug: str, assignment: str) -> None:
        """Remember it."""
        body = self.json_body()
        url = fields.text(body, "line_item_url", 2000)
        if urlsplit(url).scheme != "https" or not urlsplit(url).hostname:
            raise fields.refused("line_item_url", "an address that begins with https://")
        item = LineItem(
            self.assignment(assignment),
            url,
            fields.text(body, "resource_id", 500),
            fields.text(body, "label", 500),
            fields.number(body, "max_score"),
        )
        await self.store.grades.set_line_item(slug, item)
        await self.note("line item", assignment=assignment, detail=url)
        self.finish({})


def _score(values: Mapping[str, Any]) -> Score:
    return Score(
        student=fields.student(values),
        score=fields.number(values, "score"),
        max_score=fields.number(values, "max_score"),
        late_penalty=fields.number(values, "late_penalty", 0),
        needs_manual=fields.flag(values, "needs_manual"),
        flags=fields.texts(values, "flags", FLAGS_MAX),
        checks=tuple(_check(one) for one in fields.mappings(values, "checks", CHECKS_MAX)),
    )


def _check(values: Mapping[str, Any]) -> Check:
    return Check(
        cell=fields.text(values, "cell", 500),
        points=fields.number(values, "points"),
        max_points=fields.number(values, "max_points"),
        message=fields.text(values, "message"),
        hint=fields.text(values, "hint"),
    )


def _shown(grade: Grade, released: Grade | None, *, flags: bool) -> dict[str, object]:
    """A grade for whoever asks; flags are for those who teach."""
    score = grade.score
    shown: dict[str, object] = {
        "assignment": grade.assignment,
        "student": score.student,
        "name": grade.name,
        "score": score.score,
        "max_score": score.max_score,
        "late_penalty": score.late_penalty,
        "needs_manual": score.needs_manual,
        "checks": [vars(check) for check in score.checks],
        "time": as_text(grade.time),
        "released": None if released is None else {"score": released.score.score, "time": as_text(released.time)},
    }
    return {**shown, "flags": list(score.flags)} if flags else shown
