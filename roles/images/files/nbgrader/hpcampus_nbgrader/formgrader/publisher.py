# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Brings the points of assignments to the course service a moment after they changed, many changes at once."""

from __future__ import annotations

import threading
from typing import Any

from nbgrader.coursedir import CourseDirectory
from sqlalchemy.exc import SQLAlchemyError

from hpcampus_nbgrader import grades
from hpcampus_nbgrader.exchange.service import ServiceError, own_service

PUBLISHER = "hpcampus_publisher"
"""Where the server's settings have it."""
PAUSE_SECONDS = 2.0


class Publisher:
    """Waits until nothing has changed for a moment; what cannot be brought comes with the next change, or with the feedback.

    Args:
        formgrader: nbgrader's extension, whose configuration says where the gradebook is.
    """

    def __init__(self, formgrader: Any, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._formgrader = formgrader
        self._pause_seconds = pause_seconds
        self._lock = threading.Lock()
        self._waiting: dict[str, threading.Timer] = {}

    def changed(self, assignment: str) -> None:
        """Points of the assignment are others now."""
        with self._lock:
            if assignment not in self._waiting:
                timer = threading.Timer(self._pause_seconds, self._bring, (assignment,))
                timer.daemon = True
                self._waiting[assignment] = timer
                timer.start()

    def _bring(self, assignment: str) -> None:
        with self._lock:
            del self._waiting[assignment]
        coursedir = CourseDirectory(parent=self._formgrader)
        try:
            with own_service() as service:
                grades.publish(service, coursedir, assignment)
        except (ServiceError, SQLAlchemyError) as error:
            self._formgrader.log.warning("The course page does not show the newest points of %s: %s", assignment, error)
