# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Runs of submissions, as the server of a course asks for them: ``/hub/hpcampus/grading/COURSE``.

``GET`` tells image and limits, or with ``?run=`` how far a run is; ``POST`` starts a run, ``DELETE ?run=`` ends one. Only a token whose
owner is the course's own user gets an answer; cookies count for nothing here, since pages of notebook servers share the hub's origin.
What is run where follows from the course's record and its profile, never from the request.
"""

import re
from dataclasses import dataclass
from typing import Any

from jupyterhub.apihandlers.base import APIHandler
from tornado import web

from .engine import SETTINGS_KEY, Engine
from .link import LinkDownError
from .names import course_user
from .protocol import GatewayError, ProtocolError, decode_job_id, shown
from .settings import Course, Grading, Profile, Site

PATH = "/hpcampus/grading/([a-z0-9-]{1,64})"
TASKS_MAX = 2000
MARGIN_MINUTES = 2
"""What a task may take beyond its cells: the node's share of starting it."""

_RUN = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class Terms:
    """How the submissions of a course are run.

    Args:
        course: whose they are.
        profile: where, and on whose account.
        image: name of the image.
    """

    course: Course
    profile: Profile
    image: str

    def shown(self, version: str) -> dict[str, Any]:
        """What the course's server must know, with the version of the image."""
        rules = self.course.grading
        return {
            "image": self.image,
            "image_version": version,
            "slots": rules.slots,
            "seconds": rules.minutes * 60,
            "memory_mb": rules.memory_mb,
            "isolate_tests": rules.isolate_tests,
            "similarity": rules.similarity,
        }

    def fields(self, run: str, tasks: int) -> dict[str, Any]:
        """What the gateway is asked for."""
        rules: Grading = self.course.grading
        return {
            "course": self.course.slug,
            "run": run,
            "tasks": tasks,
            "slots": rules.slots,
            "cpus": 1,
            "memory_mb": rules.memory_mb,
            "time_limit_minutes": rules.minutes + MARGIN_MINUTES,
            "seconds": rules.minutes * 60,
            "image": self.image,
            "partition": self.profile.partition,
            "account": self.profile.account,
            "qos": self.profile.qos,
            "reservation": self.course.reservation or self.profile.reservation,
        }


def terms_of(site: Site, slug: str) -> Terms | None:
    """How the submissions of a course are run; None when there is no such course."""
    course = site.courses.get(slug)
    if course is None:
        return None
    profile = site.profiles[course.profile] if course.profile else next(iter(site.profiles.values()))
    return Terms(course, profile, course.image or profile.image)


def read_request(body: object) -> tuple[str, int]:
    """Run and number of tasks of a request.

    Raises:
        ValueError: the request is not of this form; the text says what is.
    """
    if not isinstance(body, dict) or set(body) != {"run", "tasks"}:
        raise ValueError("expected an object with run and tasks")
    run, tasks = body["run"], body["tasks"]
    if not isinstance(run, str) or not _RUN.fullmatch(run):
        raise ValueError("run: expected 32 hexadecimal digits")
    if type(tasks) is not int or not 1 <= tasks <= TASKS_MAX:
        raise ValueError(f"tasks: expected a whole number from 1 to {TASKS_MAX}")
    return run, tasks


class GradingHandler(APIHandler):
    """Asks the gateway on behalf of a course's server."""

    async def get_current_user(self) -> Any:
        """The owner of the token; nobody without one."""
        user = self.get_current_user_token()
        self._jupyterhub_user = user
        return user

    def _terms(self, slug: str) -> Terms:
        """How the course is graded, if it is the course that asks.

        Raises:
            HTTPError: it is not.
        """
        token = self.get_token()
        if token is None or token.user is None or token.user.name != course_user(slug):
            raise web.HTTPError(403, "Only the course's own server may ask for this.")
        engine: Engine = self.settings[SETTINGS_KEY]
        terms = terms_of(engine.site, slug)
        if terms is None:
            raise web.HTTPError(404, "There is no such course.")
        return terms

    def _run(self) -> str:
        run = str(self.get_query_argument("run"))
        if not _RUN.fullmatch(run):
            raise web.HTTPError(400, "run: expected 32 hexadecimal digits")
        return run

    async def _ask(self, terms: Terms, op: str, **fields: Any) -> dict[str, Any]:
        """Ask the gateway of the course's cluster.

        Raises:
            HTTPError: it refused (502), or cannot be asked (503).
        """
        engine: Engine = self.settings[SETTINGS_KEY]
        try:
            return dict(await engine.links[terms.profile.cluster].call(op, **fields))
        except LinkDownError as error:
            raise web.HTTPError(503, f"The cluster cannot be reached: {shown(str(error))}") from None
        except (GatewayError, ProtocolError) as error:
            raise web.HTTPError(502, f"The cluster did not do it: {shown(str(error))}") from None

    async def get(self, slug: str) -> None:
        """Tell image and limits, or how far a run is."""
        terms = self._terms(slug)
        if self.get_query_argument("run", ""):
            state = await self._ask(terms, "grade_state", course=slug, run=self._run())
            self.write(
                {name: state.get(name, 0) for name in ("pending", "running")}
                | {"reason": shown(str(state.get("reason", "")))}
            )
            return
        answer = await self._ask(terms, "image_version", image=terms.image)
        self.write(terms.shown(shown(str(answer.get("version", "")))))

    async def post(self, slug: str) -> None:
        """Start a run; the same run is never started twice."""
        terms = self._terms(slug)
        try:
            run, tasks = read_request(self.get_json_body())
        except ValueError as error:
            raise web.HTTPError(400, str(error)) from None
        answer = await self._ask(terms, "grade", **terms.fields(run, tasks))
        try:
            job_id = decode_job_id(answer)
        except ProtocolError as error:
            raise web.HTTPError(502, shown(str(error))) from None
        self.log.info("Course %s runs %d submissions as job %d", slug, tasks, job_id)
        self.set_status(201)
        self.write({"job_id": job_id})

    async def delete(self, slug: str) -> None:
        """End a run; one that is over already is no error."""
        terms = self._terms(slug)
        await self._ask(terms, "grade_cancel", course=slug, run=self._run())
        self.set_status(204)


HANDLERS = [(PATH, GradingHandler)]
