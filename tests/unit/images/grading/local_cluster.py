# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A hub that speaks the grading words, and tasks that run with the job's own code and the image's own sandbox."""

from __future__ import annotations

import http.server
import io
import json
import os
import sys
import tempfile
import threading
import urllib.parse
from pathlib import Path
from typing import Any

from tests.unit.gateway.loading import load

SOURCE = Path(__file__).resolve().parents[4] / "roles" / "images" / "files" / "nbgrader"
SANDBOX = (
    "import sys; sys.path.insert(0, sys.argv[1]); from hpcampus_nbgrader.sandbox.runner import main; sys.exit(main())",
    str(SOURCE),
)
grade = load("hpcampus_job.grade")


def run_sandbox(archive: bytes, seconds: float = 60) -> dict[str, Any]:
    """What a task writes for an archive."""
    with tempfile.TemporaryDirectory() as place, tempfile.TemporaryFile() as submission:
        submission.write(archive)
        submission.seek(0)
        env = {**os.environ, "HPCAMPUS_SANDBOX_DIR": f"{place}/sandbox"}
        argv = ["env", *(f"{name}={value}" for name, value in env.items()), sys.executable, "-I", "-c", *SANDBOX]
        found: dict[str, Any] = grade.run(argv, submission.fileno(), seconds)
        return found


def run_cells(*cells: Any, **more: Any) -> dict[str, Any]:
    """The sandbox's result of one notebook."""
    from hpcampus_nbgrader.sandbox.task import Limits, Notebook, Task, write_task

    sink = io.BytesIO()
    files = more.pop("files", {})
    language = more.pop("language", "python")
    isolate = more.pop("isolate", False)
    write_task(sink, Task((Notebook("one", cells, language),), Limits(**more), isolate), files)
    answer = run_sandbox(sink.getvalue())
    found: dict[str, Any] = json.loads(answer["output"])["notebooks"][0]
    return found


class LocalCluster:
    """Answers as the hub does, and runs what is asked for.

    ``ends`` says of a task's index that it ends without a result; ``down`` is a status with which everything is refused.
    """

    def __init__(self, runs: Path) -> None:
        self.runs = runs
        self.started: list[tuple[str, int]] = []
        self.told: list[dict[str, Any]] = []
        self.ends: set[tuple[int, int]] = set()
        self.down = 0
        self.terms = {
            "image": "base",
            "image_version": "1",
            "slots": 2,
            "seconds": 60,
            "memory_mb": 2048,
            "isolate_tests": False,
            "similarity": False,
        }
        self._busy: set[str] = set()
        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/hub/api"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _run(self, run: str, tasks: int) -> None:
        attempt = len(self.started)
        for index in range(tasks):
            folder = os.open(self.runs / run, os.O_RDONLY)
            grade.wait_for_submission(folder, str(index), 20)
            if (attempt, index) not in self.ends and not grade.has_result(folder, str(index)):
                grade.write_result(folder, str(index), run_sandbox((self.runs / run / f"{index}.tar").read_bytes()))
            os.close(folder)
        self._busy.discard(run)

    def answer(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Answer a request."""
        if self.down:
            return self.down, {"message": "sbatch failed (1): no partition"}
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(path).query)
        if method == "PUT":
            self.told.append(body)
            return 200, {}
        if method == "POST":
            self.started.append((body["run"], body["tasks"]))
            self._busy.add(body["run"])
            threading.Thread(target=self._run, args=(body["run"], body["tasks"]), daemon=True).start()
            return 201, {"job_id": 1}
        if "run" in query:
            return 200, {"pending": 0, "running": int(query["run"][0] in self._busy), "reason": ""}
        return 200, self.terms

    def _handler(self) -> type[http.server.BaseHTTPRequestHandler]:
        cluster = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_args: Any) -> None:
                pass

            def _any(self) -> None:
                raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                code, found = cluster.answer(self.command, self.path, json.loads(raw) if raw else None)
                data = json.dumps(found).encode()
                self.send_response(code)
                self.send_header("Content-Length", str(len(data)))
                self.end_headers()
                self.wfile.write(data)

        for method in ("GET", "POST", "PUT", "DELETE"):
            setattr(Handler, f"do_{method}", Handler._any)
        return Handler
