# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Tells the course service how far a run is, for the course's page."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from hpcampus_nbgrader.exchange.service import Service, ServiceError

if TYPE_CHECKING:
    import logging
    from collections.abc import Mapping

QUEUED, RUNNING, SCORING, DONE, FAILED = "queued", "running", "scoring", "done", "failed"
PAUSE_SECONDS = 1.0
PATIENCE_SECONDS = 3.0
AFTER_FAILURE_SECONDS = 30.0
"""So long it is not tried again while nobody answers: grading goes on meanwhile."""
END_PATIENCE_SECONDS = 60.0
"""The last word is what the page shows from then on."""


@dataclass
class Count:
    """How far a run is; ``failed`` of ``done`` are for a person to look at."""

    assignment: str
    total: int
    done: int = 0
    failed: int = 0
    state: str = QUEUED
    message: str = ""


class Progress:
    """Tells how far a run is. That nobody listens is no reason not to grade.

    Args:
        environment: In which the service is found.
        course: The course's slug.
        run: The run's id.
        count: How far it is; the caller changes it.
        log: Takes what goes wrong.
    """

    def __init__(
        self, environment: Mapping[str, str], course: str, run: str, count: Count, log: logging.Logger
    ) -> None:
        self.count = count
        self._path = ("courses", course, "runs", run)
        self._log = log
        self._next = 0.0
        self._service: Service | None = None
        try:
            self._service = Service.from_environment(environment, PATIENCE_SECONDS)
        except ServiceError as error:
            self._log.warning("The course's page does not show how far this is: %s", error)

    def tell(self, *, now: bool = False) -> None:
        """Tell it, at most once a second unless it must be known now."""
        if self._service is not None and (now or time.monotonic() > self._next):
            self._next = time.monotonic() + PAUSE_SECONDS
            self._send(self._service)

    def tell_the_end(self) -> None:
        """Tell it for the last time."""
        if self._service is not None:
            self._service.patience_seconds = END_PATIENCE_SECONDS
            self._send(self._service)

    def _send(self, service: Service) -> None:
        try:
            service.send("PUT", *self._path, body=asdict(self.count))
        except ServiceError as error:
            self._log.warning("The course's page does not show how far this is: %s", error)
            self._next = time.monotonic() + AFTER_FAILURE_SECONDS
