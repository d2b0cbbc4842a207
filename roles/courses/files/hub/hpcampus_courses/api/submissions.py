# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What students hand in, and what comes back to them."""

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from hpcampus_courses.clock import as_text
from hpcampus_courses.deadlines import Verdict, judge
from hpcampus_courses.names import RUN
from hpcampus_courses.people import EVERYBODY, LEADERS, PEOPLE, STAFF, Role
from hpcampus_courses.store.submissions import Claim, KeyUsedError, Submission, TooManyError

from .assignments import not_released
from .base import Allowed, ApiHandler, RefusalError
from .uploads import FileHandler, checked_digest, checked_notebooks, too_large

WAITING_MAX = 50
"""So many submissions of a student in a course may wait for their content."""

_ID = re.compile(r"[0-9a-f]{32}")
NOT_THERE = RefusalError(403, "not-allowed", "A submission is made in one's own server, and not in that of a course.")
NO_SUBMISSION = RefusalError(404, "no-submission", "There is no such submission.")


class SubmissionHandler(ApiHandler):
    """What handlers of submissions have in common."""

    def verdict(self, submission: Submission) -> Verdict:
        """How a submission stands to its deadline as that is now."""
        return judge(submission.time, self.record.deadlines.get(submission.assignment), self.record.late)

    def submission_max(self) -> int:
        """The most bytes of a submission to the course."""
        return (self.record.submission_max_mb or self.settings_now.limits.submission_max_mb) * 2**20

    def find(self, identity: str) -> Submission:
        """A submission that whoever asks may see; for students there are only their own."""
        found = self.store.submissions.get(self.record.slug, identity) if _ID.fullmatch(identity) else None
        if found is None or (self.role not in STAFF and found.student != self.acting.id):
            raise NO_SUBMISSION
        return found

    def find_complete(self, identity: str) -> Submission:
        """The same, and its content is there."""
        found = self.find(identity)
        if not found.complete:
            raise NO_SUBMISSION
        return found


class Begin(SubmissionHandler):
    """Begins a submission: from now on its time and its digest stand."""

    ALLOWED: ClassVar[Allowed] = {"POST": PEOPLE}

    async def post(self, slug: str, assignment: str) -> None:
        """Begin one, or find the one that the key has begun."""
        if self.acting is not self.person:
            raise NOT_THERE
        assignment = self.assignment(assignment)
        claim = self._claim(slug, assignment, self.json_body())
        limit = self.submission_max()
        known = self.store.submissions.by_key(slug, claim.student, claim.key)
        if known is None:
            self._refuse(claim, limit)
        try:
            found, new = await self.store.submissions.begin(claim, self.arrived, WAITING_MAX)
        except KeyUsedError:
            raise RefusalError(409, "key-used", "The key of the submission was used for another one.") from None
        except TooManyError:
            raise RefusalError(
                429,
                "too-many",
                "Too many of your submissions to this course were begun and not finished.",
                Retry_After="60",
            ) from None
        self.set_status(201 if new else 200)
        self.finish(
            {
                "id": found.id,
                "time": as_text(found.time),
                "late": self.verdict(found).late,
                "upload": not found.complete,
                "limit_bytes": limit,
            }
        )

    def _claim(self, slug: str, assignment: str, body: Mapping[str, Any]) -> Claim:
        key, size = body.get("key"), body.get("size")
        if not isinstance(key, str) or RUN.fullmatch(key) is None:
            raise RefusalError(400, "bad-key", "The key must be 32 hexadecimal digits.")
        if not isinstance(size, int) or isinstance(size, bool) or size < 0:
            raise RefusalError(400, "bad-size", "The size must be a number of bytes.")
        return Claim(
            slug,
            self.acting.id,
            self.acting.name,
            assignment,
            key,
            checked_digest(body.get("sha256")),
            size,
            checked_notebooks(body.get("notebooks", [])),
        )

    def _refuse(self, claim: Claim, limit: int) -> None:
        if self.store.releases.current(claim.course, claim.assignment) is None:
            raise not_released(claim.assignment)
        end = self.record.end
        if end is not None and self.today > end and self.role is Role.STUDENT:
            raise RefusalError(409, "ended", f"The course ended on {end}, so this submission was not taken.")
        deadline = self.record.deadlines.get(claim.assignment)
        since = judge(self.arrived, deadline, self.record.late).refused_since
        if since is not None:
            raise RefusalError(
                409,
                "too-late",
                f"{claim.assignment} was taken until {since:%Y-%m-%d %H:%M:%S %z}, so this submission was not taken."
                " Earlier submissions still count.",
            )
        if claim.size > limit:
            raise too_large("The submission", claim.size, limit)
        whole = self.settings_now.limits.student_max_mb * 2**20
        if self.store.submissions.bytes_of(claim.course, claim.student) + claim.size > whole:
            raise RefusalError(
                413,
                "too-much",
                f"With this submission yours to this course would have more than {whole // 2**20} MB. Ask the instructor.",
            )


class SubmissionFile(FileHandler, SubmissionHandler):
    """The files of a submission."""

    ALLOWED: ClassVar[Allowed] = {"GET": EVERYBODY, "PUT": PEOPLE}
    what = "The submission"

    def file_max(self) -> int:
        """The limit for submissions."""
        return self.submission_max()

    async def admit(self) -> None:
        """Find what the file belongs to before it is taken."""
        await super().admit()
        if self.request.method != "PUT":
            return
        self._submission = self.find(self.path_kwargs["submission"])
        if self._submission.student != self.acting.id:
            raise RefusalError(403, "not-allowed", "Only whoever hands something in sends its files.")
        if self._submission.complete:
            return
        self.receive()
        if self.length != self._submission.size:
            raise RefusalError(400, "wrong-size", f"The submission was announced with {self._submission.size} bytes.")

    async def get(self, slug: str, submission: str) -> None:
        """Give it out."""
        del slug
        found = self.find_complete(submission)
        await self.send(found.sha256, found.size, found.id)

    async def put(self, slug: str, submission: str) -> None:
        """Take it; from now on the submission counts."""
        del slug, submission
        if not self._submission.complete:
            await self.keep(self._submission.sha256)
            if not await self.store.submissions.complete(self._submission.id):
                raise NO_SUBMISSION
        self.finish({})


class Submissions(SubmissionHandler):
    """The submissions of a course that count."""

    ALLOWED: ClassVar[Allowed] = {"GET": EVERYBODY}

    async def get(self, slug: str) -> None:
        """List them; students see their own."""
        student = self.get_query_argument("student", "")
        if self.role is Role.STUDENT:
            student = self.acting.id
        found = self.store.submissions.listed(
            slug,
            self.get_query_argument("assignment", ""),
            student,
            latest=self.get_query_argument("latest", "") == "1",
        )
        self.finish({"submissions": [self._shown(one) for one in found]})

    def _shown(self, submission: Submission) -> dict[str, object]:
        feedback = submission.feedback
        return {
            "id": submission.id,
            "assignment": submission.assignment,
            "student": submission.student,
            "name": submission.name,
            "time": as_text(submission.time),
            "size": submission.size,
            "sha256": submission.sha256,
            "late": self.verdict(submission).late,
            "notebooks": list(submission.notebooks),
            "feedback": None
            if feedback is None
            else {"time": as_text(feedback.time), "sha256": feedback.sha256, "size": feedback.size},
        }


class FeedbackFile(FileHandler, SubmissionHandler):
    """Feedback to a submission."""

    ALLOWED: ClassVar[Allowed] = {"GET": EVERYBODY, "PUT": LEADERS}
    what = "The feedback"

    def file_max(self) -> int:
        """The limit for feedback."""
        return self.settings_now.limits.feedback_max_mb * 2**20

    async def admit(self) -> None:
        """Find what it belongs to before it is taken."""
        await super().admit()
        if self.request.method == "PUT":
            self._sha256 = self.digest_header()
            self._submission = self.find_complete(self.path_kwargs["submission"])
            self.receive()

    async def get(self, slug: str, submission: str) -> None:
        """Give the newest."""
        del slug
        feedback = self.find_complete(submission).feedback
        if feedback is None:
            raise RefusalError(404, "no-feedback", "There is no feedback to this submission yet.")
        await self.send(feedback.sha256, feedback.size, f"feedback-{submission}")

    async def put(self, slug: str, submission: str) -> None:
        """Give it back to the student; the same again changes nothing."""
        del slug
        size, before = await self.keep(self._sha256), self._submission.feedback
        if before is None or before.sha256 != self._sha256:
            await self.store.submissions.give_feedback(submission, self._sha256, size, self.arrived, self.acting.name)
            await self.note("feedback", assignment=self._submission.assignment, student=self._submission.student)
        self.finish({})
