# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What all exchange classes share: the course, the service, and how a failure is told."""

from __future__ import annotations

import difflib
import os
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from jupyter_core.paths import jupyter_data_dir
from nbgrader.exchange import ExchangeError, abc
from traitlets import Bool, Unicode, default

from hpcampus_nbgrader.settings import Settings

from .service import Service, ServiceError, own_service
from .tar import Rules, TarError

if TYPE_CHECKING:
    from collections.abc import Iterator


REFUSAL: ContextVar[str] = ContextVar("hpcampus_refusal", default="")
"""The sentence with which the last call ended, for a page that shows it."""


class ServiceExchange(abc.Exchange):
    """An exchange whose other end is the course service on the hub."""

    cache = Unicode(
        "", help="Directory with a copy of what was submitted. Defaults to $JUPYTER_DATA_DIR/nbgrader_cache"
    ).tag(config=True)
    path_includes_course = Bool(
        False, help="Whether assignments are fetched into `./course/assignment` instead of `./assignment`."
    ).tag(config=True)

    patience_seconds = 60.0
    """How long a call is tried again while the service does not answer."""

    @default("cache")
    def _cache_default(self) -> str:
        return str(Path(jupyter_data_dir(), "nbgrader_cache"))

    @property
    def server(self) -> Settings:
        """What kind of server this process belongs to."""
        return Settings.from_environment(os.environ)

    @property
    def course(self) -> str:
        """The course that is worked with; without one the call fails."""
        if not self.coursedir.course_id:
            self.fail("No course is named. Say which one with --course.")
        return str(self.coursedir.course_id)

    @property
    def assignment(self) -> str:
        """The assignment that is worked with."""
        return str(self.coursedir.assignment_id)

    @property
    def rules(self) -> Rules:
        """Which files count, from the configuration of CourseDirectory."""
        own = self.coursedir
        return Rules(tuple(own.ignore), tuple(own.include), own.max_file_size, own.max_dir_size)

    @contextmanager
    def service(self) -> Iterator[Service]:
        """The service; what it refuses, and a tar that is not fit, end the call with a sentence."""
        try:
            with own_service(self.patience_seconds) as service:
                yield service
        except (ServiceError, TarError) as error:
            self.refuse(str(error))

    def refuse(self, message: str) -> NoReturn:
        """End with a sentence that the person reads last, without the inner workings before it."""
        self.log.fatal(message)
        REFUSAL.set(message)
        raise ExchangeError(message) from None

    def fail(self, msg: str) -> NoReturn:
        """End with a sentence."""
        self.refuse(msg)

    def local_directory(self, course: str, assignment: str) -> Path:
        """Where a student has an assignment."""
        parts = (course, assignment) if self.path_includes_course else (assignment,)
        return Path(self.assignment_dir, *parts).absolute()

    def left_out(self, name: str, reason: str) -> None:
        """Tell that a file does not come along."""
        self.log.warning("Left out %s: %s.", name, reason)

    def released(self, service: Service) -> dict[str, Any]:
        """What the service says of the assignment; fails when it is not released."""
        found = {one["assignment"]: one for one in service.get("courses", self.course, "assignments")["assignments"]}
        if self.assignment not in found:
            near = difflib.get_close_matches(self.assignment, found, 1)
            hint = f" Did you mean {near[0]}?" if near else ""
            self.fail(f"Assignment {self.assignment} is not released in course {self.course}.{hint}")
        return dict(found[self.assignment])

    def audit(self, service: Service, action: str, student: str = "", detail: str = "") -> None:
        """Let the service note who did what; that it cannot be noted undoes nothing."""
        line = {"action": action, "assignment": self.assignment, "student": student, "detail": detail}
        try:
            service.send("POST", "courses", self.course, "audit", body=line)
        except ServiceError as error:
            self.log.warning("The course's log has no line about this: %s", error)

    def init_src(self) -> None:
        """Nothing to compute: each class does its work in `copy_files`."""

    def init_dest(self) -> None:
        """Nothing to compute: each class does its work in `copy_files`."""
