# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The course pages: what a person sees of a course in a browser.

An application that has :func:`routes` and :func:`tornado_settings` has the pages.
"""

from typing import Any

from hpcampus_courses.settings import Settings

from .base import Doors, cookie_secret, hub_oauth
from .course_server import CourseServers
from .guard import COOKIE
from .handlers import handlers

__all__ = ["routes", "tornado_settings"]


def routes(settings: Settings, token: str) -> list[tuple[str, Any, dict[str, Any]]]:
    """Addresses and their handlers; ``token`` is the service's own on the hub."""
    doors = Doors(hub_oauth(settings, token), CourseServers(settings.proxy_url, settings.base_url))
    return handlers(settings.prefix, doors)


def tornado_settings(token: str) -> dict[str, Any]:
    """Settings of the framework that the pages need."""
    return {"cookie_secret": cookie_secret(token), "xsrf_cookie_kwargs": COOKIE}
