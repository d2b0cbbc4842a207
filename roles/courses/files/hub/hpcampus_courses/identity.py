# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Who shows a token: the hub says it."""

import asyncio
import hashlib
import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.simple_httpclient import SimpleAsyncHTTPClient

from hpcampus_hub.names import slug_of

from .people import Person

LOG = logging.getLogger(__name__)

FRESH_SECONDS = 60.0
STALE_SECONDS = 3600.0
"""For how long an answer of the hub counts while the hub does not answer."""
_REMEMBERED = 10_000
_PATIENCE_SECONDS = 10.0


class UnknownTokenError(Exception):
    """The hub does not know the token, or it is not that of a user."""


class HubDownError(Exception):
    """The hub does not answer, and nothing is known from before."""


@dataclass(frozen=True)
class _Known:
    person: Person
    asked: float


class HubIdentity:
    """Asks the hub, and remembers what it said for a while.

    Args:
        api_url: address of the hub's API.
        token: the service's own token; "" when the hub knows no such service.
        clock: seconds that never go back.
    """

    def __init__(self, api_url: str, token: str = "", clock: Callable[[], float] = time.monotonic) -> None:
        self._api_url = api_url
        self._token = token
        self._clock = clock
        self._known: OrderedDict[bytes, _Known] = OrderedDict()
        self._groups: dict[str, tuple[float, tuple[str, ...]]] = {}
        self._asking: dict[bytes, asyncio.Task[Person]] = {}
        self._client = SimpleAsyncHTTPClient(force_instance=True, max_clients=50)

    async def person(self, token: str) -> Person:
        """Whose token it is.

        Raises:
            UnknownTokenError: nobody's.
            HubDownError: the hub does not answer, and the token was not seen within the last hour.
        """
        key = hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
        known = self._known.get(key)
        if known is not None and self._clock() - known.asked < FRESH_SECONDS:
            return known.person
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(key, token))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        try:
            return await asyncio.shield(task)
        except HubDownError:
            if known is not None and self._clock() - known.asked < STALE_SECONDS:
                return known.person
            raise

    async def _ask(self, key: bytes, token: str) -> Person:
        try:
            model = await self._get("/user", token)
            person = Person.from_model(model if isinstance(model, dict) else {})
        except (UnknownTokenError, ValueError) as error:
            self._known.pop(key, None)
            raise UnknownTokenError(str(error)) from error
        self._known[key] = _Known(person, self._clock())
        self._known.move_to_end(key)
        while len(self._known) > _REMEMBERED:
            self._known.popitem(last=False)
        return person

    async def members(self, group: str) -> dict[str, str]:
        """Names by id of the members of a group of the hub; nobody when the hub cannot say."""
        asked, names = self._groups.get(group, (-FRESH_SECONDS, ()))
        if self._token and self._clock() - asked >= FRESH_SECONDS:
            try:
                model = await self._get(f"/groups/{group}", self._token)
            except UnknownTokenError:
                names = ()
            except HubDownError:
                LOG.warning("The hub does not say who is in the group %s", group)
            else:
                names = tuple(model.get("users") or ()) if isinstance(model, dict) else ()
            self._groups[group] = (self._clock(), names)
        return {slug_of(name): name for name in names}

    async def _get(self, path: str, token: str) -> object:
        request = HTTPRequest(
            self._api_url + path,
            headers={"Authorization": f"token {token}"},
            connect_timeout=_PATIENCE_SECONDS,
            request_timeout=_PATIENCE_SECONDS,
            follow_redirects=False,
        )
        try:
            response = await self._client.fetch(request)
            return json.loads(response.body)
        except HTTPClientError as error:
            if error.code in (401, 403, 404):
                raise UnknownTokenError("the hub does not know the token") from error
            raise HubDownError from error
        except (OSError, ValueError) as error:
            raise HubDownError from error

    def close(self) -> None:
        """Let go of connections."""
        self._client.close()
