# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How far a run is, told to a course service that is away for a while."""

from __future__ import annotations

import json
import logging
import socket
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any

import pytest
from hpcampus_nbgrader.grading import progress

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN = "0" * 32


@pytest.fixture
def port() -> int:
    """A port at which nobody listens yet."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def told() -> list[dict[str, Any]]:
    """Takes what the service is told."""
    return []


class Listening:
    """A course service that takes everything it is told.

    Args:
        port: Where.
        told: Takes it.
    """

    def __init__(self, port: int, told: list[dict[str, Any]]) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                told.append({"path": self.path, **json.loads(body)})
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_words: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def run(port: int) -> progress.Progress:
    environment = {"JUPYTERHUB_API_URL": f"http://127.0.0.1:{port}/hub/api", "JUPYTERHUB_API_TOKEN": "t"}
    return progress.Progress(environment, "py1", RUN, progress.Count("ps1", 2), logging.getLogger("test"))


@pytest.fixture
def listening(port: int, told: list[dict[str, Any]]) -> Iterator[Listening]:
    service = Listening(port, told)
    yield service
    service.close()


@pytest.mark.usefixtures("listening")
def test_it_is_told_at_most_once_in_a_pause(
    run: progress.Progress, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(progress, "PAUSE_SECONDS", 3600.0)
    for done in range(20):
        run.count.done = done
        run.tell()
    assert [one["done"] for one in told] == [0]
    run.tell(now=True)
    assert told[-1] == {
        "path": f"/services/courses/api/v1/courses/py1/runs/{RUN}",
        "assignment": "ps1", "total": 2, "done": 19, "failed": 0, "state": "queued", "message": "",
    }  # fmt: skip


def test_who_does_not_answer_is_left_alone_for_a_while(
    run: progress.Progress, port: int, told: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
):
    began = time.monotonic()
    run.tell()
    assert time.monotonic() - began < 2 * progress.PATIENCE_SECONDS
    began = time.monotonic()
    for _ in range(100):
        run.tell()
    assert time.monotonic() - began < 1, "grading does not wait"
    monkeypatch.setattr(time, "monotonic", lambda now=time.monotonic: now() + progress.AFTER_FAILURE_SECONDS)
    service = Listening(port, told)
    run.tell()
    service.close()
    assert len(told) == 1, "and tried again later"


def test_the_last_word_waits_for_the_service(run: progress.Progress, port: int, told: list[dict[str, Any]]):
    services: list[Listening] = []
    threading.Timer(5, lambda: services.append(Listening(port, told))).start()
    run.count.state = progress.DONE
    run.tell_the_end()
    services[0].close()
    assert [one["state"] for one in told] == ["done"]
