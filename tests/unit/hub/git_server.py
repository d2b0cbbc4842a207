# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A git server for tests: git's own server program behind https on loopback, with a certificate that nobody knows but by its authority.

For jobs on test hosts, which know no authority of a test, it speaks http at an address that they reach.
"""

import os
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.unit.hub.certificates import issue, make_authority

BACKEND = "/usr/lib/git-core/git-http-backend"
WHO = {
    f"GIT_{role}_{part}": value
    for role in ("AUTHOR", "COMMITTER")
    for part, value in (("NAME", "Ada"), ("EMAIL", "ada@example.org"), ("DATE", "2026-11-20T12:00:00+00:00"))
}


class GitServer:
    """Serves the repositories below ``directory``; ``answer`` and ``moved_to`` are knobs of a test.

    Args:
        directory: Made for them.
        address: Where it listens in plain http; "" for ``https://localhost:PORT/``.
    """

    def __init__(self, directory: Path, address: str = "") -> None:
        directory.mkdir()
        self.directory = directory
        self.answer = 0
        """A status to answer everything with."""
        self.moved_to = ""
        """Where everything is said to have moved."""
        self.asked = 0
        """How many requests came."""
        authority = make_authority()
        self.ca_file = authority.write(directory / "ca.pem")
        self._httpd = ThreadingHTTPServer((address or "127.0.0.1", 0), self._handler())
        if not address:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(issue(directory / "server.pem", authority, "localhost"))
            self._httpd.socket = context.wrap_socket(self._httpd.socket, server_side=True)
        self.port = self._httpd.server_address[1]
        self._root = f"http://{address}:{self.port}" if address else f"https://localhost:{self.port}"
        self._thread = threading.Thread(target=self._httpd.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._httpd.shutdown()
        self._httpd.server_close()

    def url(self, name: str) -> str:
        return f"{self._root}/{name}"

    def make(self, name: str = "exercises") -> "Work":
        """A new repository, and a place to work on it."""
        bare = self.directory / name
        git(self.directory, "init", "--quiet", "--bare", "--initial-branch=main", str(bare))
        return Work(self.directory / f"{name}-work", bare)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *_words: Any) -> None:
                """Say nothing."""

            def do_GET(self) -> None:
                server.asked += 1
                if server.answer or server.moved_to:
                    self.send_response(server.answer or 301)
                    if server.moved_to:
                        self.send_header("Location", server.moved_to + self.path)
                    if server.answer == 401:
                        self.send_header("WWW-Authenticate", 'Basic realm="git"')
                    self.send_header("Content-Length", "0")
                    self.end_headers()
                    return
                length = int(self.headers.get("Content-Length", 0))
                self._pass_on(self.rfile.read(length))

            def do_POST(self) -> None:
                self.do_GET()

            def _pass_on(self, body: bytes) -> None:
                parts = urlsplit(self.path)
                environment = {
                    "PATH": os.environ["PATH"],
                    "GIT_PROJECT_ROOT": str(server.directory),
                    "GIT_HTTP_EXPORT_ALL": "1",
                    "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                    "GIT_CONFIG_COUNT": "1",
                    "GIT_CONFIG_KEY_0": "safe.directory",
                    "GIT_CONFIG_VALUE_0": "*",
                    "PATH_INFO": parts.path,
                    "QUERY_STRING": parts.query,
                    "REQUEST_METHOD": self.command,
                    "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                    "CONTENT_LENGTH": str(len(body)),
                    "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
                }
                done = subprocess.run([BACKEND], input=body, env=environment, stdout=subprocess.PIPE, check=False)
                head, _, rest = done.stdout.partition(b"\r\n\r\n")
                lines = [line.split(": ", 1) for line in head.decode().split("\r\n")]
                status = dict(lines).get("Status", "200 OK")
                self.send_response(int(status.split()[0]))
                for key, value in lines:
                    if key != "Status":
                        self.send_header(key, value)
                self.send_header("Content-Length", str(len(rest)))
                self.end_headers()
                self.wfile.write(rest)

        return Handler


class Work:
    """A working copy that publishes what is put into it."""

    def __init__(self, directory: Path, bare: Path) -> None:
        self.directory = directory
        git(directory.parent, "clone", "--quiet", str(bare), str(directory))

    def publish(self, files: dict[str, bytes], branch: str = "main") -> str:
        """Write files, commit all that is there, and push; gives the commit."""
        for name, content in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            if name.endswith(".sh"):
                path.chmod(0o755)
        git(self.directory, "checkout", "--quiet", "-B", branch)
        git(self.directory, "add", "--all")
        git(self.directory, "commit", "--quiet", "--allow-empty", "--message=More")
        git(self.directory, "push", "--quiet", "--force", "origin", branch)
        return git(self.directory, "rev-parse", "HEAD").strip()


def git(directory: Path, *words: str) -> str:
    environment = {**WHO, "PATH": os.environ["PATH"], "HOME": str(directory), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(["git", *words], cwd=directory, env=environment, capture_output=True, text=True, check=True)
    return done.stdout
