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
        self._told = 0.0
        self._service: Service | None = None
        try:
            self._service = Service.from_environment(environment, PATIENCE_SECONDS)
        except ServiceError as error:
            self._log.warning("The course's page does not show how far this is: %s", error)

    def tell(self, *, now: bool = False) -> None:
        """Tell it, at most once a second unless it must be known now."""
        if self._service is None or not (now or time.monotonic() - self._told > PAUSE_SECONDS):
            return
        self._told = time.monotonic()
        try:
            self._service.send("PUT", *self._path, body=asdict(self.count))
        except ServiceError as error:
            self._log.warning("The course's page does not show how far this is: %s", error)
            self._service = None
