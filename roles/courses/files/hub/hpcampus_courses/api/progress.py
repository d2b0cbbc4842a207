# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How far autograding is, who did what, and who takes part."""

from typing import ClassVar

from hpcampus_courses.clock import as_text
from hpcampus_courses.names import RUN
from hpcampus_courses.people import LEADERS, STAFF
from hpcampus_courses.store.runs import STATES, Run

from . import fields
from .base import Allowed, ApiHandler, RefusalError


class OneRun(ApiHandler):
    """A run of autograding."""

    ALLOWED: ClassVar[Allowed] = {"PUT": LEADERS}

    async def put(self, slug: str, run: str) -> None:
        """Remember how far it is."""
        body = self.json_body()
        state = fields.text(body, "state")
        if RUN.fullmatch(run) is None:
            raise fields.refused("The run", "named by 32 hexadecimal digits")
        if state not in STATES:
            raise fields.refused("state", f"one of {', '.join(STATES)}")
        total, done, failed = (fields.count(body, name) for name in ("total", "done", "failed"))
        assignment, message = self.assignment(body.get("assignment")), fields.text(body, "message")
        now = self.arrived
        await self.store.runs.put(
            slug, Run(run, assignment, total, done, failed, state, message, self.acting.name, now, now)
        )
        self.finish({})


class Runs(ApiHandler):
    """The newest runs of a course."""

    ALLOWED: ClassVar[Allowed] = {"GET": STAFF}

    async def get(self, slug: str) -> None:
        """List them, of one assignment or of all."""
        runs = self.store.runs.listed(slug, self.get_query_argument("assignment", ""))
        shown = [{**vars(one), "started": as_text(one.started), "changed": as_text(one.changed)} for one in runs]
        self.finish({"runs": shown})


class AuditLines(ApiHandler):
    """Who did what."""

    ALLOWED: ClassVar[Allowed] = {"GET": LEADERS, "POST": STAFF}

    async def get(self, slug: str) -> None:
        """List it, the newest first."""
        self.finish({"audit": [{**vars(one), "time": as_text(one.time)} for one in self.store.audit.listed(slug)]})

    async def post(self, slug: str) -> None:
        """Add a line; who and when are not what the request says."""
        del slug
        body = self.json_body()
        action = fields.text(body, "action", 200)
        if not action:
            raise RefusalError(400, "bad-value", "action must say what was done.")
        await self.note(
            action,
            assignment=fields.text(body, "assignment", 200),
            student=fields.text(body, "student", 200),
            detail=fields.text(body, "detail", 2000),
        )
        self.finish({})


class Roster(ApiHandler):
    """The students of a course."""

    ALLOWED: ClassVar[Allowed] = {"GET": STAFF}

    async def get(self, slug: str) -> None:
        """List them by name."""
        del slug
        students = await self.service.roster(self.record)
        listed = sorted(students.items(), key=lambda one: (one[1].casefold(), one[0]))
        self.finish({"students": [{"id": identity, "name": name} for identity, name in listed]})
