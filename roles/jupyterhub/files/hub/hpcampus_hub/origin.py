# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Keeps the hub's pages from scripts of notebook servers, which share the hub's origin.

JupyterHub guards what changes something by a token that stands in its pages, and lets any script of its origin read these pages: it
counts on a domain for every user. Where they share one, a script on a page of a notebook server would read the token, and with it
make itself an API token of whoever looks at the page. So:

* pages are for a person who opens them, and not for scripts. Browsers say which it is, in a header that no script can set;
* pages do not stay in the browser's cache, from which a script would have them without asking the hub;
* the token's cookie is hidden from scripts; the hub's own have it from their page.

A script of the hub's pages asks the API only, which wants the token of every request that comes with a cookie.
"""

from collections.abc import Mapping
from typing import Any

from tornado.httputil import HTTPServerRequest
from tornado.web import Application, RequestHandler

HEADERS = {"Cache-Control": "no-store"}
"""Headers of every answer but those to static files."""

XSRF_COOKIE = {"httponly": True}
"""Attributes of the token's cookie."""

_FORBIDDEN = 403
_NO_SERVER = 424


def settings_with(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Tornado's settings with what this module needs; the site's own win."""
    return {
        **settings,
        "headers": {**HEADERS, **settings.get("headers", {})},
        "xsrf_cookie_kwargs": {**XSRF_COOKIE, **settings.get("xsrf_cookie_kwargs", {})},
    }


def refusal(path: str, mode: str, prefix: str) -> int | None:
    """The status with which a request is refused, or None.

    Args:
        path: path of the request.
        mode: its header ``Sec-Fetch-Mode``; "" from what is no browser, or a very old one.
        prefix: path of the hub with a slash at its end.

    Returns:
        424 for a notebook server that does not run, as JupyterHub says it; 403 for a page; None for what may be answered.
    """
    if mode in ("", "navigate") or not f"{path}/".startswith(prefix):
        return None
    place = f"{path}/".removeprefix(prefix)
    if place.startswith(("static/", "logo/")):
        return None
    if place.startswith("api/") and not place.startswith("api/oauth2/"):  # there is a page below oauth2
        return _FORBIDDEN if mode == "no-cors" else None  # of others the API asks the token
    return _NO_SERVER if place.startswith("user/") else _FORBIDDEN


class Refused(RequestHandler):
    """Answers a script that asked for a page."""

    def initialize(self, status: int) -> None:
        """Take the status of the answer."""
        self._status = status

    def prepare(self) -> None:
        """Answer whatever the method; nothing of the request is looked at."""
        self.set_status(self._status)
        self.set_header("Cache-Control", "no-store")
        message = "This server does not run." if self._status == _NO_SERVER else "Pages of the hub are not for scripts."
        self.finish({"status": self._status, "message": message})

    def check_xsrf_cookie(self) -> None:
        """Nothing is done here."""


class GuardedApplication(Application):
    """The hub's application; ``hub_prefix`` of its settings says where the hub is."""

    def find_handler(self, request: HTTPServerRequest, **kwargs: Any) -> Any:
        """Find who answers a request."""
        status = refusal(request.path, request.headers.get("Sec-Fetch-Mode", ""), self.settings["hub_prefix"])
        if status is not None:
            return self.get_handler_delegate(request, Refused, {"status": status})
        return super().find_handler(request, **kwargs)
