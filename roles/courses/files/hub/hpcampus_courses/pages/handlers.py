# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The pages by their addresses."""

from functools import partial
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote

from tornado.ioloop import IOLoop
from tornado.web import HTTPError, StaticFileHandler

from hpcampus_courses import links
from hpcampus_courses.downloads import send_archive, send_public_copy
from hpcampus_courses.grades_table import csv_of
from hpcampus_courses.names import problem_of_name
from hpcampus_courses.people import LEADERS, STAFF, Role
from hpcampus_courses.public_copy import SecretError
from hpcampus_courses.settings import Course
from hpcampus_courses.store.audit import Entry
from hpcampus_courses.store.submissions import Submission

from . import feedback, guard, sync_report, views
from .base import Ask, Callback, Doors, Page
from .course_server import Answer, Errand
from .render import STATIC

_SHOWN_RUNS = 8
_SHOWN_EVENTS = 500

LINK_FIELDS = (
    ("repo", "Repository", "Address of a git repository that needs no password.", "url"),
    ("branch", "Branch", "Leave it empty for the repository's own choice.", "text"),
    ("path", "File that opens", "Its path within the repository, such as week1/start.ipynb.", "text"),
    ("profile", "Size", "Name of a size. Leave it empty for the course's own.", "text"),
    ("image", "Image", "Name of an image. Leave it empty for the course's own.", "text"),
)

_SAYS = {
    Answer.NOTHING: "Nothing of it has been collected yet. Open the formgrader, and collect the submissions first.",
    Answer.NOT_RUNNING: "This is done by the course's server, and it does not run.",
    Answer.REFUSED: "The course's server did not begin. Open the formgrader to see more.",
    Answer.SILENT: "The course's server does not answer. Try again in a minute, or open the formgrader.",
}
_STATUS = {Answer.NOTHING: 409, Answer.NOT_RUNNING: 409, Answer.REFUSED: 502, Answer.SILENT: 504}


class Courses(Page):
    """All courses of the person."""

    def get(self) -> None:
        """Show them."""
        mine = [{"slug": one.slug, "title": one.title, "role": str(role)} for one, role in self.my_courses()]
        self.show("courses.html", courses=mine, others=self.other_courses())


class CoursePage(Page):
    """A course: for a student, or for those who teach."""

    async def get(self, slug: str) -> None:
        """Show it."""
        course, role = self.enter(slug)
        if role is Role.STUDENT:
            self._show_to_student(course)
        else:
            await self.show_to_teacher(course, role, done=self._begun())

    def _begun(self) -> str:
        """What the person has just begun, in a sentence."""
        for name, sentence in ((Autograde.query, Autograde.sentence), (Compare.query, Compare.sentence)):
            assignment = self.get_query_argument(name, "")
            if not problem_of_name(assignment):
                return sentence.format(assignment=assignment)
        return ""

    def _show_to_student(self, course: Course) -> None:
        store, person = self.store, self.person
        self.show(
            "student.html",
            course=course,
            start=self._start(course),
            assignments=views.own_assignments(
                course,
                store.releases.all_current(course.slug),
                store.submissions.listed(course.slug, student=person.id),
                store.grades.listed(course.slug, released=True, student=person.id),
                self.arrived,
            ),
        )

    def _start(self, course: Course) -> str:
        """The link of the start button; with the course's repository, if it has one."""
        repository = course.record.get("repository") or {}
        try:
            return links.course_link(
                self.site_url,
                course.slug,
                repository.get("url") or "",
                branch=repository.get("branch") or "",
                path=repository.get("path") or "",
            )
        except links.LinkError:
            return links.course_link(self.site_url, course.slug)

    async def show_to_teacher(
        self, course: Course, role: Role, *, done: str = "", problem: str = "", start_first: bool = False
    ) -> None:
        """Show a course to those who teach, with what has just been done or did not work."""
        store, instructor = self.store, role in LEADERS
        roster = await self.service.roster(course)
        self.show(
            "teacher.html",
            course=course,
            here=self.address(course.slug),
            instructor=instructor,
            done=done,
            problem=problem,
            start_first=start_first,
            formgrader=self.server_address(course.slug, "formgrader"),
            server=self.server_address(course.slug, "lab"),
            xsrf=self.xsrf,
            roster=sorted(roster.items(), key=lambda one: (one[1].casefold(), one[0])),
            assignments=views.taught_assignments(
                course,
                store.releases.all_current(course.slug),
                store.submissions.listed(course.slug),
                store.grades.listed(course.slug, released=False),
                self.arrived,
            ),
            compares=views.compares(course),
            runs=[views.run_of(run, self.arrived) for run in store.runs.listed(course.slug, limit=_SHOWN_RUNS)]
            if instructor
            else [],
            sync=await self._sync(course) if instructor else None,
            **self._link(course),
        )

    async def _sync(self, course: Course) -> sync_report.Report | None:
        """What came of bringing files to homes."""
        read = partial(
            sync_report.read_report, self.settings_now.sync_dir, course.slug, wanted=bool(course.record.get("sync"))
        )
        return await IOLoop.current().run_in_executor(None, read)

    def _link(self, course: Course) -> dict[str, Any]:
        """The form for a link, and the link if one was asked for."""
        repository = course.record.get("repository") or {}
        usual = {"repo": repository.get("url"), "branch": repository.get("branch"), "path": repository.get("path")}
        asked = self.request.method == "GET" and self.get_query_argument("repo", None) is not None
        values = {
            name: self.get_query_argument(name, "")[:1000] if asked else usual.get(name) or ""
            for name, *_ in LINK_FIELDS
        }
        made = problem = ""
        if asked:
            try:
                made = links.course_link(
                    self.site_url,
                    course.slug,
                    values["repo"],
                    branch=values["branch"],
                    path=values["path"],
                    profile=values["profile"],
                    image=values["image"],
                )
            except links.LinkError as error:
                problem = str(error)
        choices = {name: () for name, *_ in LINK_FIELDS} | {"profile": tuple(course.record.get("profiles") or ())}
        return {
            "link_fields": LINK_FIELDS,
            "link": values,
            "link_choices": choices,
            "link_made": made,
            "link_problem": problem,
        }


class Errands(CoursePage):
    """Has the course's server do something with all submissions of an assignment."""

    errand: ClassVar[Errand]
    query: ClassVar[str]
    """In the address of the page to which the person comes back it has the assignment."""
    place: ClassVar[str]
    """Where on that page it goes on."""
    sentence: ClassVar[str]

    def offers(self, course: Course) -> bool:
        """Whether there is such a thing in a course."""
        return course.assignments

    async def get(self, slug: str) -> None:
        """Somebody who came back here after logging in: show the course."""
        self.enter(slug, *LEADERS)
        self.redirect(self.address(slug))

    async def post(self, slug: str) -> None:
        """Ask the course's server."""
        course, role = self.enter(slug, *LEADERS)
        assignment = self.get_body_argument("assignment")
        if not self.offers(course) or problem_of_name(assignment):
            raise HTTPError(404)
        answer = await self.doors.servers.ask(self.errand, slug, assignment, self.session_token())
        if answer is Answer.STARTED:
            entry = Entry(
                self.arrived, self.person.name, self.errand.value, assignment, detail="begun from the course's page"
            )
            await self.store.audit.add(slug, entry)
            self.redirect(f"{self.address(slug)}?{self.query}={quote(assignment, safe='')}#{self.place}", status=303)
            return
        self.set_status(_STATUS[answer])
        await self.show_to_teacher(course, role, problem=_SAYS[answer], start_first=answer is Answer.NOT_RUNNING)


class Autograde(Errands):
    """Begins to autograde an assignment."""

    errand = Errand.AUTOGRADE
    query = "autograding"
    place = "progress"
    sentence = "Autograding of {assignment} has begun."


class Compare(Errands):
    """Begins to compare the submissions of an assignment with each other."""

    errand = Errand.COMPARE
    query = "comparing"
    place = "assignments"
    sentence = (
        "The submissions of {assignment} are being compared. The report is on the page of the assignment in a moment."
    )

    def offers(self, course: Course) -> bool:
        """Whether the course's record says so."""
        return course.assignments and views.compares(course)


class Progress(Ask):
    """How far autograding is, for a page that is open."""

    def get(self, slug: str) -> None:
        """Tell it."""
        self.enter(slug, *LEADERS)
        listed = self.store.runs.listed(slug, limit=_SHOWN_RUNS)
        self.finish({"runs": [views.run_of(run, self.arrived).as_json() for run in listed]})


class AssignmentPage(Page):
    """An assignment with what every student has of it."""

    async def get(self, slug: str, assignment: str) -> None:
        """Show it."""
        course, role = self.enter(slug, *STAFF)
        store = self.store
        submissions = store.submissions.listed(slug, assignment)
        drafts = store.grades.listed(slug, released=False, assignment=assignment)
        if not (submissions or drafts or assignment in course.deadlines or store.releases.current(slug, assignment)):
            raise HTTPError(404)
        self.show(
            "assignment.html",
            course=course,
            here=self.address(slug),
            assignment=assignment,
            due=views.due_of(course, assignment, self.arrived),
            formgrader=self.server_address(slug, f"formgrader/manage_submissions/{quote(assignment, safe='')}"),
            report=self._report(course, assignment) if role in LEADERS else "",
            works=views.works(course, await self.service.roster(course), submissions, drafts),
        )

    def _report(self, course: Course, assignment: str) -> str:
        """Where the course's server shows which submissions are alike; "" when they are not compared."""
        place = f"hpcampus/{Errand.COMPARE.value}/{quote(assignment, safe='')}/report"
        return self.server_address(course.slug, place) if views.compares(course) else ""


class Activity(Page):
    """Who did what in a course."""

    def get(self, slug: str) -> None:
        """Show it."""
        course, _ = self.enter(slug, *LEADERS)
        listed = self.store.audit.listed(slug, limit=_SHOWN_EVENTS + 1)
        self.show(
            "activity.html",
            course=course,
            here=self.address(slug),
            events=[views.event_of(entry) for entry in listed[:_SHOWN_EVENTS]],
            more=len(listed) > _SHOWN_EVENTS,
        )


class GradesFile(Page):
    """Points as CSV."""

    def get(self, slug: str) -> None:
        """Send it."""
        self.enter(slug, *LEADERS)
        self.set_header("Content-Type", "text/csv; charset=utf-8")
        self.set_header("Content-Disposition", _attachment(f"{slug}-grades.csv"))
        self.finish(csv_of(self.store, slug))


class ArchiveFile(Page):
    """All of a course."""

    async def get(self, slug: str) -> None:
        """Send it; a browser saves it."""
        course, _ = self.enter(slug, *LEADERS)
        self.set_headers(guard.foreign_headers())
        await send_archive(self, course)


class PublicCopy(CoursePage):
    """The released assignments, for everybody."""

    async def get(self, slug: str) -> None:
        """Send them; a browser saves them."""
        course, role = self.enter(slug, *LEADERS)
        try:
            await send_public_copy(self, course)
        except SecretError as error:
            self.set_status(409)
            await self.show_to_teacher(course, role, problem=f"There is no public copy. {error}")


class SubmissionPage(Page):
    """Something that belongs to a submission: its student and those who teach get it."""

    def submission(self, slug: str, number: str) -> tuple[Course, Submission]:
        """The submission.

        Raises:
            HTTPError: 404.
        """
        course, role = self.enter(slug)
        found = self.store.submissions.get(slug, number)
        if found is None or not found.complete or (role not in STAFF and found.student != self.person.id):
            raise HTTPError(404)
        return course, found


class Files(SubmissionPage):
    """What was handed in, packed."""

    async def get(self, slug: str, number: str) -> None:
        """Send it in pieces; a browser saves it, and shows nothing of it."""
        _, submission = self.submission(slug, number)
        self.set_headers(guard.foreign_headers())
        self.set_header("Content-Type", "application/x-tar")
        self.set_header("Content-Disposition", _attachment(f"{submission.assignment}-{submission.student}.tar"))
        self.set_header("Content-Length", str(submission.size))
        async for piece in self.store.content.read(submission.sha256):
            self.write(piece)
            await self.flush()


class FeedbackList(SubmissionPage):
    """The pages of the feedback to a submission."""

    async def get(self, slug: str, number: str) -> None:
        """List them; a single one is shown at once."""
        course, submission = self.submission(slug, number)
        archive = self.archive(submission)
        try:
            names = await IOLoop.current().run_in_executor(None, feedback.names, archive)
        except feedback.FeedbackError:
            names = []
        self.show(
            "feedback.html",
            course=course,
            here=self.address(slug),
            assignment=submission.assignment,
            address=f"{self.address(slug)}/submission/{submission.id}/feedback",
            pages=names,
        )

    def archive(self, submission: Submission) -> Path:
        """Where the feedback lies.

        Raises:
            HTTPError: 404, there is none.
        """
        if submission.feedback is None:
            raise HTTPError(404)
        return self.store.content.path(submission.feedback.sha256)


class FeedbackPage(FeedbackList):
    """A page of the feedback: it shows what a student wrote, so it gets no rights of this origin."""

    async def get(self, slug: str, number: str, name: str = "") -> None:
        """Show or save it."""
        _, submission = self.submission(slug, number)
        try:
            body = await IOLoop.current().run_in_executor(None, feedback.page, self.archive(submission), name)
        except feedback.FeedbackError as error:
            raise HTTPError(404) from error
        self.set_headers(guard.foreign_headers())
        self.set_header("Content-Type", "text/html; charset=utf-8")
        if self.get_query_argument("download", ""):
            self.set_header("Content-Disposition", _attachment(Path(name).name))
        self.finish(body)


class Static(StaticFileHandler):
    """The pages' own style and script."""

    def set_extra_headers(self, _: str) -> None:
        """A browser asks again only when the address has changed."""
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Cross-Origin-Resource-Policy", "same-origin")


class Missing(Page):
    """Any other address."""

    def get(self, _: str) -> None:
        """There is nothing."""
        raise HTTPError(404)


def _attachment(name: str) -> str:
    """The header that makes a browser save something under a name."""
    return f"attachment; filename*=UTF-8''{quote(name, safe='')}"


def handlers(prefix: str, doors: Doors) -> list[tuple[str, Any, dict[str, Any]]]:
    """What answers below the service's prefix, but for the API; the last takes any address that is left."""
    own, course, given = prefix, f"{prefix}course/([a-z0-9-]+)", {"doors": doors}
    return [
        (f"{own}static/(.*)", Static, {"path": str(STATIC)}),
        (f"{own}oauth_callback", Callback, given),
        (own.rstrip("/") + "/?", Courses, given),
        (course, CoursePage, given),
        (f"{course}/{Errand.AUTOGRADE.value}", Autograde, given),
        (f"{course}/{Errand.COMPARE.value}", Compare, given),
        (f"{course}/progress", Progress, given),
        (f"{course}/assignment/([^/]+)", AssignmentPage, given),
        (f"{course}/activity", Activity, given),
        (f"{course}/grades\\.csv", GradesFile, given),
        (f"{course}/archive", ArchiveFile, given),
        (f"{course}/public-copy", PublicCopy, given),
        (f"{course}/submission/([0-9a-f]+)/files", Files, given),
        (f"{course}/submission/([0-9a-f]+)/feedback", FeedbackList, given),
        (f"{course}/submission/([0-9a-f]+)/feedback/(.+)", FeedbackPage, given),
        (f"{own}((?!api/|health$).*)", Missing, given),
    ]
