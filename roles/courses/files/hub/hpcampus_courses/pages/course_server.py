# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Asks the server of a course to autograde or to compare submissions, in the name and with the rights of the person who pressed the button.

The service's OAuth client may hold the right to reach servers of courses, as far as the person has it; so the server sees who asks,
as it does when the person opens the formgrader.
"""

import logging
from enum import Enum
from urllib.parse import quote

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from hpcampus_hub.names import course_user

LOG = logging.getLogger(__name__)

_PATIENCE_SECONDS = 30.0
_NOTHING = 409
_NOT_RUNNING = frozenset({424, 503})


class Errand(Enum):
    """What a course's server does with all submissions of an assignment, by its name in addresses and in the audit."""

    AUTOGRADE = "autograde"
    COMPARE = "similarity"


class Answer(Enum):
    """How a course's server answers."""

    STARTED = "started"
    NOTHING = "nothing collected"
    NOT_RUNNING = "not running"
    REFUSED = "refused"
    SILENT = "silent"


class CourseServers:
    """The servers of courses, behind the hub's proxy.

    Args:
        proxy_url: where the proxy listens on this host; "" when servers cannot be asked.
        base_url: path below which the hub is, with a slash at its end.
    """

    def __init__(self, proxy_url: str, base_url: str) -> None:
        self._root = f"{proxy_url.rstrip('/')}{base_url}" if proxy_url else ""
        self._client = SimpleAsyncHTTPClient(force_instance=True, max_clients=20)

    async def ask(self, errand: Errand, slug: str, assignment: str, token: str) -> Answer:
        """Ask for something to be done with all collected submissions of an assignment; it goes on after the answer.

        Args:
            errand: what.
            slug: the course.
            assignment: name of the assignment.
            token: the person's token at this service.
        """
        if not self._root:
            return Answer.NOT_RUNNING
        place = f"user/{course_user(slug)}/hpcampus/{errand.value}/{quote(assignment, safe='')}"
        request = HTTPRequest(
            self._root + place,
            method="POST",
            headers={"Authorization": f"token {token}", "Content-Type": "application/json"},
            body="{}",
            connect_timeout=_PATIENCE_SECONDS,
            request_timeout=_PATIENCE_SECONDS,
            follow_redirects=False,
        )
        try:
            await self._client.fetch(request)
        except HTTPClientError as error:
            if error.code in _NOT_RUNNING:
                return Answer.NOT_RUNNING
            if error.code == _NOTHING:
                return Answer.NOTHING
            LOG.warning("The server of %s did not start %s: %s", course_user(slug), errand.value, error)
            return Answer.SILENT if error.code == 599 else Answer.REFUSED
        except OSError as error:
            LOG.warning("The server of %s cannot be asked: %s", course_user(slug), error)
            return Answer.SILENT
        return Answer.STARTED

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
