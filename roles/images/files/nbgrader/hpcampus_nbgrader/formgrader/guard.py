# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Lets graders to the formgrader of a course's server, and to nothing else of it.

Jupyter Server asks its identity provider about every request that is not open to everybody, websockets included, and before the
handler does anything. So that is the place where a grader is held back; what handlers ask an authorizer about is a part of it only.
"""

from __future__ import annotations

from typing import Any

from jupyter_server.auth.identity import IdentityProvider
from tornado.web import Finish, HTTPError

from .rights import START_OF_GRADERS, Part, grader_may, is_home, part_of

REFUSED = (
    "In this course you grade: you may look at submissions and grade them by hand. Generating, releasing, collecting, autograding and"
    " changing files is for its instructors."
)
UNKNOWN = "Only those who teach or grade in this course may use its server."


def install(server: Any, course: str) -> None:
    """Hold back whoever is not an instructor of the course; graders get the formgrader."""
    provider, base = server.identity_provider, str(server.base_url)
    if not isinstance(provider, IdentityProvider):
        raise TypeError(f"{type(provider).__name__} does not say who makes a request, so nobody could be held back")
    known = provider.get_user

    async def get_user(handler: Any) -> Any:
        user = known(handler)
        if hasattr(user, "__await__"):
            user = await user
        if user is not None:
            hold_back(handler, model_of(user), course, base)
        return user

    provider.get_user = get_user


def model_of(user: Any) -> dict[str, Any]:
    """What the hub says of a user; somebody whom no hub has named has no groups."""
    found = getattr(user, "hub_user", None)
    return dict(found) if found else {"name": getattr(user, "username", "")}


def hold_back(handler: Any, model: dict[str, Any], course: str, base: str) -> None:
    """End a request that is not for whoever makes it.

    Raises:
        HTTPError: 403, with a sentence.
        Finish: A grader is led to where grading begins.
    """
    part = part_of(model, course)
    if part is Part.LEADER:
        return
    path = str(handler.request.path).removeprefix(base)
    if part is Part.GRADER and grader_may(handler.request.method, path):
        return
    if part is Part.GRADER and is_home(handler.request.method, path):
        handler.redirect(base + START_OF_GRADERS)
        raise Finish
    handler.log.warning("%s may not %s %s", model.get("name"), handler.request.method, handler.request.path)
    raise HTTPError(403, REFUSED if part is Part.GRADER else UNKNOWN, reason="Forbidden")
