# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A small HTTPS client that trusts the hub's certificate and nothing else."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from urllib.parse import urlencode

NAME = "hub.example.org"


def connect(address: str, context: ssl.SSLContext, name: str = NAME) -> ssl.SSLSocket:
    """Open a TLS connection to an address under the hub's name.

    Raises:
        ssl.SSLError: When the two do not agree on a version, or the certificate is not trusted.
    """
    return context.wrap_socket(socket.create_connection((address, 443), timeout=10), server_hostname=name)


@dataclass
class Browser:
    """Keeps cookies between requests."""

    address: str
    context: ssl.SSLContext
    cookies: dict[str, str] = field(default_factory=dict)

    def request(
        self, method: str, path: str, form: dict[str, str] | None = None, json_body: object = None
    ) -> http.client.HTTPResponse:
        """Send one request and return the answer; redirections are not followed."""
        connection = http.client.HTTPSConnection(NAME, timeout=30)
        connection.sock = connect(self.address, self.context)
        headers = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        body = urlencode(form) if form is not None else None
        if json_body is not None:
            headers |= {"Content-Type": "application/json", "X-XSRFToken": self.cookies.get("_xsrf", "")}
            body = json.dumps(json_body)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        for line in answer.headers.get_all("Set-Cookie", []):
            self.cookies |= {name: morsel.value for name, morsel in SimpleCookie(line).items()}
        return answer

    def login(self, user: str, password: str) -> int:
        """Log in through the form and return the status of the answer: 302 when let in, 403 when not."""
        self.request("GET", "/hub/login").read()
        form = {"username": user, "password": password, "_xsrf": self.cookies.get("_xsrf", "")}
        answer = self.request("POST", "/hub/login", form)
        answer.read()
        return answer.status
