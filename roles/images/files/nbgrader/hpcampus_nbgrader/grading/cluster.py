# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hub, which starts runs on the cluster for the server of a course."""

from __future__ import annotations

import json
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

ANSWER_SECONDS = 70
PAUSE_SECONDS = 2.0
PATIENCE_SECONDS = 60.0
_AGAIN = frozenset({502, 503, 504})


class ClusterError(Exception):
    """The cluster cannot be asked, or refused; the text is a sentence for an instructor."""


@dataclass(frozen=True)
class Terms:
    """How the submissions of the course are run, as the hub says.

    Attributes:
        image_version: Tells a version of the image from every other.
        slots: Submissions that run at the same time.
        seconds: Of one submission.
        memory_mb: Of one submission.
        isolate_tests: Whether tests run in a process of their own.
        similarity: Whether submissions are compared with each other.
    """

    image_version: str
    slots: int
    seconds: int
    memory_mb: int
    isolate_tests: bool
    similarity: bool


@dataclass(frozen=True)
class State:
    """How many tasks of a run wait and run, and in Slurm's words why the first one waits."""

    pending: int
    running: int
    reason: str


class Cluster:
    """Asks the hub with the server's own token.

    Args:
        url: Of the hub's API.
        token: The server's own.
        course: The course's slug.
        patience_seconds: How long a question is asked again while the hub or the cluster cannot be reached.
    """

    def __init__(self, url: str, token: str, course: str, patience_seconds: float = PATIENCE_SECONDS) -> None:
        self._url = f"{url.rstrip('/').removesuffix('/api')}/hpcampus/grading/{course}"
        self._token = token
        self._patience_seconds = patience_seconds
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    @classmethod
    def from_environment(cls, environment: Mapping[str, str], course: str) -> Cluster:
        """Find the hub where the server's own is.

        Raises:
            ClusterError: This is not a server that a hub has started.
        """
        url, token = environment.get("JUPYTERHUB_API_URL", ""), environment.get("JUPYTERHUB_API_TOKEN", "")
        if not url or not token or not course:
            raise ClusterError(
                "Submissions are run by the cluster, which is asked through the hub, and this is no course's server of a hub."
                " Start the course's server from the hub's home page and grade there."
            )
        return cls(url, token, course)

    def terms(self) -> Terms:
        """Ask how submissions are run."""
        found = self._ask("GET", "")
        try:
            return Terms(
                str(found["image_version"]),
                int(found["slots"]),
                int(found["seconds"]),
                int(found["memory_mb"]),
                bool(found["isolate_tests"]),
                bool(found.get("similarity", False)),
            )
        except (KeyError, TypeError, ValueError):
            raise ClusterError("The hub's answer cannot be read; is its version another than the image's?") from None

    def start(self, run: str, tasks: int) -> None:
        """Start a run; asked twice it is started once."""
        self._ask("POST", "", {"run": run, "tasks": tasks})

    def state(self, run: str) -> State:
        """Ask how far a run is."""
        found = self._ask("GET", f"?run={run}")
        return State(int(found.get("pending", 0)), int(found.get("running", 0)), str(found.get("reason", "")))

    def cancel(self, run: str) -> None:
        """End a run."""
        self._ask("DELETE", f"?run={run}")

    def _ask(self, method: str, query: str, body: Any = None) -> dict[str, Any]:
        """Ask, and ask again while nobody answers.

        Raises:
            ClusterError: It was refused, or there was no answer in all the time.
        """
        deadline = time.monotonic() + self._patience_seconds
        while True:
            try:
                return self._once(method, query, body)
            except urllib.error.HTTPError as error:
                said = _message(error)
                if error.code not in _AGAIN or time.monotonic() > deadline:
                    raise ClusterError(f"The cluster cannot run submissions. {said}") from None
            except (OSError, ValueError) as error:
                if time.monotonic() > deadline:
                    raise ClusterError(
                        f"The hub cannot be asked to run submissions on the cluster ({error}). Nothing was run here instead."
                        " Try again when the hub answers."
                    ) from None
            time.sleep(PAUSE_SECONDS)

    def _once(self, method: str, query: str, body: Any) -> dict[str, Any]:
        request = urllib.request.Request(  # noqa: S310 (the hub's own address)
            self._url + query,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self._token}", "Content-Type": "application/json"},
        )
        with self._opener.open(request, timeout=ANSWER_SECONDS) as answer:
            found = json.loads(answer.read() or b"{}")
        if not isinstance(found, dict):
            raise ValueError("an answer that is no object")  # noqa: TRY004 (like every other wrong answer)
        return found


def _message(error: urllib.error.HTTPError) -> str:
    """What the hub says in an error."""
    try:
        return str(json.loads(error.read())["message"])
    except (OSError, ValueError, KeyError, TypeError):
        return f"The hub answers {error.code}."
