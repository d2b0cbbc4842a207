# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What all pages have in common: who looks at them, and how they answer."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote, urlsplit

from jupyterhub.services.auth import HubOAuth, HubOAuthCallbackHandler, HubOAuthenticated
from tornado.web import HTTPError

from hpcampus_courses.handlers import CourseHandler
from hpcampus_courses.identity import HubDownError, UnknownTokenError
from hpcampus_courses.people import Role
from hpcampus_courses.settings import Course, Settings
from hpcampus_hub.names import course_user

from . import guard
from .course_server import CourseServers
from .render import render

CLIENT_ID = "service-courses"
"""The service's name as an OAuth client of the hub."""

_COOKIES_LAST_DAYS = 14

HEADINGS = {
    HTTPStatus.FORBIDDEN: "This is not for you",
    HTTPStatus.NOT_FOUND: "There is no such page",
    HTTPStatus.SERVICE_UNAVAILABLE: "One moment",
}
SENTENCES = {
    HTTPStatus.FORBIDDEN: "Go back, load the page again, and try once more. If it stays so, your role in the course does not allow it.",
    HTTPStatus.NOT_FOUND: "Perhaps the address is wrong, or you do not take part in the course.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The hub does not answer. Try again in a few seconds.",
}
_OTHER_SENTENCE = "That did not work. Go back, and try again."


@dataclass(frozen=True)
class Doors:
    """How people get in, and how a page reaches a course's server."""

    hub_auth: HubOAuth
    servers: CourseServers


def hub_oauth(settings: Settings, token: str) -> HubOAuth:
    """The service as an OAuth client of the hub; ``token`` is its own."""
    return HubOAuth(
        api_url=settings.hub_api_url,
        api_token=token,
        base_url=settings.prefix,
        hub_prefix=f"{settings.base_url}hub/",
        hub_host="",
        oauth_client_id=CLIENT_ID,
        oauth_redirect_uri=f"{settings.prefix}oauth_callback",
        cookie_options={"expires_days": _COOKIES_LAST_DAYS, "samesite": "Lax"},
    )


def cookie_secret(token: str) -> bytes:
    """The secret with which cookies are signed: made from the service's token, it stays over a restart."""
    return hmac.new(token.encode(), b"hpcampus course pages: cookies", hashlib.sha256).digest()


class Page(HubOAuthenticated, CourseHandler):
    """A page. ``self.person`` is who looks at it; whoever is not logged in is led to the hub and comes back."""

    current_user: Any

    def initialize(self, doors: Doors) -> None:  # type: ignore[override]
        """Take the doors."""
        super().initialize()
        self.doors = doors
        self.hub_auth = doors.hub_auth

    def set_default_headers(self) -> None:
        """Headers of every answer, also of errors."""
        super().set_default_headers()
        settings = self.service.settings
        self.set_headers(guard.page_headers(settings.public_url, settings.prefix, f"{settings.base_url}hub/"))

    def set_headers(self, headers: Mapping[str, str]) -> None:
        """Set some headers."""
        for name, value in headers.items():
            self.set_header(name, value)

    async def prepare(self) -> None:
        """Find out who it is, and whether a person asks."""
        if not self._may_ask():
            raise HTTPError(HTTPStatus.FORBIDDEN)
        if self.request.method not in {"GET", "HEAD"}:
            self.check_xsrf_cookie()
        await self._find_person()
        if self.current_user is not None:
            self.person = self.acting = self.current_user
        elif self.request.method in {"GET", "HEAD"}:
            self._log_in()
        else:
            raise HTTPError(HTTPStatus.FORBIDDEN)

    async def _find_person(self) -> None:
        token = self.session_token()
        try:
            self.current_user = await self.service.identity.person(token) if token else None
        except UnknownTokenError:
            self.current_user = None
        except HubDownError as error:
            raise HTTPError(HTTPStatus.SERVICE_UNAVAILABLE) from error

    def get_current_user(self) -> Any:
        """Nobody: `prepare` finds out, without blocking others."""
        return None

    def session_token(self) -> str:
        """The person's token at this service; "" if there is none. A token in a header or the address is not one of a page."""
        return (self.get_secure_cookie(self.hub_auth.cookie_name) or b"").decode("ascii", "replace")

    def enter(self, slug: str, *roles: Role) -> tuple[Course, Role]:
        """A course, and what the person is in it; one in which they are none of ``roles`` is not there.

        Raises:
            HTTPError: 404.
        """
        course, role = self.course(slug), self.role_in(slug)
        if course is None or role is None or (roles and role not in roles):
            raise HTTPError(HTTPStatus.NOT_FOUND)
        return course, role

    def show(self, template: str, **values: Any) -> None:
        """Finish with a page."""
        person = self.current_user.name if self.current_user else ""
        self.set_header("Content-Type", "text/html; charset=utf-8")
        self.finish(render(template, self.settings_now.prefix, self.hub_path, person=person, **values))

    @property
    def hub_path(self) -> str:
        """Path of the hub's own pages, with a slash at its end."""
        return f"{self.settings_now.base_url}hub/"

    @property
    def site_url(self) -> str:
        """Address below which the hub is."""
        parts = urlsplit(self.settings_now.public_url)
        return f"{parts.scheme}://{parts.netloc}{self.settings_now.base_url}"

    def address(self, slug: str) -> str:
        """Path of a course's page."""
        return f"{self.settings_now.prefix}course/{slug}"

    def server_address(self, slug: str, place: str) -> str:
        """Path that leads to a page of the course's server; a server that does not run is started first."""
        user = course_user(slug)
        target = quote(f"{self.settings_now.base_url}user/{user}/{place}", safe="")
        return f"{self.hub_path}spawn/{user}?next={target}"

    @property
    def xsrf(self) -> str:
        """The token that stands in the page, and that no script of another page can read."""
        return str(self.xsrf_token, "ascii")

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say it in a page, without a word of what the service knows beyond it."""
        try:
            status = HTTPStatus(status_code)
        except ValueError:
            status = HTTPStatus.INTERNAL_SERVER_ERROR
        if status is HTTPStatus.SERVICE_UNAVAILABLE:
            self.set_header("Retry-After", "5")
        self.show(
            "problem.html",
            heading=HEADINGS.get(status, "Something went wrong"),
            message=SENTENCES.get(status, _OTHER_SENTENCE),
        )

    def _may_ask(self) -> bool:
        return guard.is_opened(self.request.headers)

    def _log_in(self) -> None:
        self.redirect(self.get_login_url())


class Callback(Page, HubOAuthCallbackHandler):
    """Where the hub sends people back to."""

    async def prepare(self) -> None:
        """Anybody may come here, also somebody who is logged in already."""
        if not self._may_ask():
            raise HTTPError(HTTPStatus.FORBIDDEN)
        await self._find_person()


class Ask(Page):
    """What an open page asks by its script: answers JSON, and only to who has the token of the page."""

    async def prepare(self) -> None:
        """Check the token that stands in the page, for reading too."""
        await super().prepare()
        if self.request.headers.get("X-XSRFToken", "") == "" or not hmac.compare_digest(
            self.request.headers["X-XSRFToken"].encode("utf-8", "replace"), bytes(self.xsrf_token)
        ):
            raise HTTPError(HTTPStatus.FORBIDDEN)

    def write_error(self, status_code: int, **_: Any) -> None:
        """Say it in JSON."""
        self.finish({"error": HTTPStatus(status_code).phrase})

    def _may_ask(self) -> bool:
        return guard.is_asked_by_own_origin(self.request.headers)

    def _log_in(self) -> None:
        raise HTTPError(HTTPStatus.FORBIDDEN)
