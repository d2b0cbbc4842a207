# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a late submission costs, by the rules of the course's record."""

from __future__ import annotations

import math
import os
import threading
import time
from typing import Any

from nbgrader.plugins import LateSubmissionPlugin

from .exchange.service import own_service
from .settings import Settings

_DAY_SECONDS = 24 * 3600
_FRESH_SECONDS = 60
_KNOWN: dict[str, tuple[float, dict[str, Any]]] = {}
_LOCK = threading.Lock()


def penalty(rules: dict[str, Any], score: float, seconds_late: float) -> float | None:
    """Points that are taken off; None when lateness costs nothing.

    Args:
        rules: `policy`, `percent` of the points for each day that has begun, and `grace_minutes` in which nobody is late.
        score: The points of a notebook.
        seconds_late: Seconds after the due date.
    """
    if rules.get("policy") != "percent_per_day" or seconds_late <= 60 * float(rules.get("grace_minutes", 0)):
        return None
    days = math.ceil(seconds_late / _DAY_SECONDS)
    return score * min(1.0, days * float(rules.get("percent", 0)) / 100)


def rules_of(course: str) -> dict[str, Any]:
    """The rules of a course, as the course service has them.

    Raises:
        ServiceError: It does not say; points without a penalty that is due would be wrong.
    """
    with _LOCK:
        asked, found = _KNOWN.get(course, (-math.inf, {}))
        if time.monotonic() - asked > _FRESH_SECONDS:
            with own_service() as service:
                found = dict(service.get("courses", course, "calendar").get("late") or {})
            _KNOWN[course] = (time.monotonic(), found)
    return found


class LatePenalty(LateSubmissionPlugin):
    """Takes points off as the course's record says."""

    def late_submission_penalty(self, student_id: str, score: float, total_seconds_late: float) -> float | None:
        """Points that are taken off a notebook."""
        del student_id
        return penalty(rules_of(Settings.from_environment(os.environ).course), score, total_seconds_late)
