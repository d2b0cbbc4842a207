# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the course service asks of a hub, on loopback: whose token it is, and who is in a group."""

import json
from typing import Any
from urllib.parse import unquote

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler

OWN_TOKEN = "own-token-of-the-service"


class HubStandIn:
    """Knows the token of everybody: ``token-of-<name>`` is one of a server of theirs.

    ``users`` has groups by name, ``groups`` members by group; ``visits`` are tokens of a visit, from ``(visitor, host)``. With
    ``status`` every answer has that status; after ``close`` nobody answers.
    """

    def __init__(self) -> None:
        self.users: dict[str, list[str]] = {}
        self.groups: dict[str, list[str]] = {}
        self.visits: dict[str, tuple[str, str]] = {}
        self.asked: list[str] = []
        self.status = 200
        self.token_known = True
        self._socket, self.port = bind_unused_port()
        self._server = HTTPServer(Application([(r"/hub/api/(.*)", _Api, {"hub": self})]))
        self._server.add_socket(self._socket)

    @property
    def api_url(self) -> str:
        return f"http://127.0.0.1:{self.port}/hub/api"

    def visit(self, visitor: str, host: str) -> str:
        """The token that a server of ``host`` has of a visitor."""
        token = f"visit-of-{visitor}-to-{host}"
        self.visits[token] = (visitor, host)
        return token

    async def close(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()

    def open_again(self) -> None:
        self._socket, self.port = bind_unused_port()
        self._server.add_socket(self._socket)


class _Api(RequestHandler):
    def initialize(self, hub: HubStandIn) -> None:
        self._hub = hub

    def get(self, path: str) -> None:
        hub = self._hub
        token = self.request.headers.get("Authorization", "").removeprefix("token ")
        hub.asked.append(path)
        if hub.status != 200:
            raise HTTPError(hub.status)
        if path == "user":
            self.finish(self._model(token))
        elif path.startswith("groups/") and token == OWN_TOKEN:
            name = path.removeprefix("groups/")
            if name not in hub.groups:
                raise HTTPError(404)
            self.finish(json.dumps({"name": name, "users": hub.groups[name]}))
        else:
            raise HTTPError(403)

    def _model(self, token: str) -> dict[str, Any]:
        hub = self._hub
        if token == OWN_TOKEN:
            return {"kind": "service", "name": "courses", "scopes": ["read:groups"]}
        if token in hub.visits:
            name, host = hub.visits[token]
            scopes = [f"access:servers!server={host}/"]
        else:
            name = unquote(token.removeprefix("token-of-"))
            scopes = [f"access:servers!server={name}/", f"users:activity!user={name}"]
            if not token.startswith("token-of-") or name not in hub.users:
                raise HTTPError(403)
        return {"kind": "user", "name": name, "groups": hub.users.get(name, []), "scopes": scopes}
