# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A front for tests: TLS, everything under /hub from the real hub, and under /user a notebook server that plays a kernel."""

import asyncio
import contextlib
import json
import ssl
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding
from tornado.httpserver import HTTPServer
from tornado.iostream import StreamClosedError
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler

from tests.unit.hub.certificates import issue
from tests.unit.hub.hub_process import HubProcess


class HubPages(RequestHandler):
    """Passes a request on to the hub."""

    def initialize(self, hub: HubProcess) -> None:
        self.hub = hub

    async def _pass(self) -> None:
        headers = {name: value for name, value in self.request.headers.items() if name not in ("Host", "Connection")}
        streams = self.request.path.endswith("/progress")
        answer = await self.hub.fetch(
            self.request.method or "GET",
            self.request.uri or "/",
            body=self.request.body or None,
            headers={**headers, "X-Forwarded-Proto": "https"},
            **({"streaming_callback": self._stream} if streams else {}),
        )
        if streams:
            return
        self.set_status(answer.code)
        for name in ("Content-Type", "Location"):
            if name in answer.headers:
                self.set_header(name, answer.headers[name])
        for cookie in answer.headers.get_list("Set-Cookie"):
            self.add_header("Set-Cookie", cookie)
        if answer.body:
            self.write(answer.body)

    get = post = delete = _pass

    def _stream(self, chunk: bytes) -> None:
        """Pass on a piece of an answer as it comes."""
        with contextlib.suppress(StreamClosedError):
            self.write(chunk)
            self.flush()

    def check_xsrf_cookie(self) -> None:
        """The hub does."""


class Kernels(RequestHandler):
    """Starts and ends a kernel in name."""

    def initialize(self, front: "Front") -> None:
        self.front = front

    def prepare(self) -> None:
        if not self.request.headers.get("Authorization", "").startswith("token "):
            self.set_status(403)
            self.finish()

    def post(self, user: str, kernel: str) -> None:
        del user, kernel
        self.front.kernels += 1
        self.set_status(201)
        self.write({"id": "k1"})

    def delete(self, user: str, kernel: str) -> None:
        del user, kernel
        self.front.kernels -= 1
        self.set_status(204)


class Channels(WebSocketHandler):
    """A kernel that answers every cell in the same way, among messages that are not for the one who asks."""

    def initialize(self, front: "Front") -> None:
        self.front = front

    async def on_message(self, message: str | bytes) -> None:
        request = json.loads(message)
        assert request["header"]["msg_type"] == "execute_request"
        for kind, content in self.front.replies:
            if kind == "close":
                self.close()
                return
            parent = {"msg_id": "another"} if kind == "other" else request["header"]
            body = {"header": {"msg_type": kind}, "msg_type": kind, "parent_header": parent, "content": content}
            await self.write_message(json.dumps(body))


def _text(value: str) -> dict[str, Any]:
    return {"status": "ok", "data": {"text/plain": repr(value)}}


GOOD: list[tuple[str, dict[str, Any]]] = [
    ("status", {"execution_state": "busy"}),
    ("other", {"text": "not mine"}),
    ("stream", {"name": "stdout", "text": "hello\n"}),
    ("execute_reply", {"status": "ok", "user_expressions": {"node": _text("node-a"), "job_id": _text("101")}}),
    ("execute_result", {"data": {"text/plain": "42"}}),
    ("status", {"execution_state": "idle"}),
]


class Front:
    """The front's server; ``replies`` is what a cell gets."""

    def __init__(self, hub: HubProcess, directory: Path) -> None:
        self.certificate_file = issue(directory / "front.pem", None, "127.0.0.1")
        self.certificate = x509.load_pem_x509_certificate(self.certificate_file.read_bytes()).public_bytes(Encoding.DER)
        """In DER form."""
        self.kernels = 0
        self.replies = GOOD
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate_file)
        application = Application(
            [
                (r"/hub/.*", HubPages, {"hub": hub}),
                (r"/user/([^/]+)/api/kernels/[^/]+/channels", Channels, {"front": self}),
                (r"/user/([^/]+)/api/kernels(/[^/]+)?", Kernels, {"front": self}),
            ]
        )
        self._server = HTTPServer(application, ssl_options=context)
        (socket,) = bind_sockets(0, "127.0.0.1")
        self.url = f"https://127.0.0.1:{socket.getsockname()[1]}"
        self._server.add_socket(socket)

    async def close(self) -> None:
        self._server.stop()
        await asyncio.sleep(0)
