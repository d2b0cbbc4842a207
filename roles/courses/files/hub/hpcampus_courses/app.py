# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The service: ``python -m hpcampus_courses.app --config FILE``, with ``--check`` only to check the file.

On SIGHUP it reads the file again; what is wrong then is logged, and the service goes on as before. Port and directories stay as
they were at the start.
"""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.web import Application

from . import pages
from .api import ROUTES
from .api.base import NotFound
from .api.health import Health
from .housekeeping import keep_house
from .identity import HubIdentity
from .service import SETTINGS_KEY, Identity, Service
from .settings import Settings, SettingsError, load
from .store import Store
from .store.database import DatabaseError

LOG = logging.getLogger("hpcampus_courses")

CONFIGURATION_ERROR = 78
"""Exit status (EX_CONFIG) after which the unit is not started again."""

_FORM_MAX = 1024 * 1024
_UPLOAD_SECONDS = 6 * 3600.0


def make_app(settings: Settings, store: Store, identity: Identity, token: str = "", **tornado: Any) -> Application:
    """The application.

    Args:
        settings: the configuration.
        store: what is kept.
        identity: who people are.
        token: the service's own on the hub; without one there are no pages, as nobody could log in.
        tornado: more settings of the framework.
    """
    service = Service(settings, store, identity)
    api = f"{settings.prefix}api/v1/"
    routes: list[Any] = [(api + pattern, handler) for pattern, handler in ROUTES]
    shown = pages.routes(settings, token) if token else []
    return Application(
        [(f"{settings.prefix}health", Health), (f"{api}health", Health), *routes, (f"{api}.*", NotFound), *shown],
        log_function=log_request,
        **{SETTINGS_KEY: service, **(pages.tornado_settings(token) if token else {}), **tornado},
    )


def log_request(handler: Any) -> None:
    """One line for a request: who, what, how it ended. Tokens are in headers, which are not logged."""
    level = logging.INFO if handler.get_status() < 500 else logging.ERROR
    person = getattr(handler, "acting", None)
    who = "-" if person is None else person.name
    request = handler.request
    milliseconds = 1000 * request.request_time()
    LOG.log(level, "%s %r %s %s %.0f ms", handler.get_status(), who, request.method, request.path, milliseconds)


def read_token(credentials: str | None) -> str:
    """The service's own token on the hub, from the directory of systemd's credentials; "" without."""
    return Path(credentials, "token").read_text(encoding="ascii").strip() if credentials else ""


def reload(service: Service, path: Path) -> None:
    """Read the configuration again."""
    try:
        settings = load(path)
    except SettingsError:
        LOG.exception("The configuration is wrong, and the service goes on with the one it has")
        return
    service.settings = settings
    service.store.content.reserve_bytes = settings.limits.disk_reserve_mb * 2**20
    LOG.info("Read the configuration again: %d courses", len(settings.courses))


async def serve(path: Path, settings: Settings) -> None:
    """Answer requests until SIGTERM."""
    store = Store(settings.state_dir, settings.limits.disk_reserve_mb * 2**20)
    token = read_token(os.environ.get("CREDENTIALS_DIRECTORY"))
    identity = HubIdentity(settings.hub_api_url, token)
    app = make_app(settings, store, identity, token)
    server = HTTPServer(app, max_body_size=_FORM_MAX, body_timeout=_UPLOAD_SECONDS, chunk_size=256 * 1024)
    server.listen(settings.port, "127.0.0.1", reuse_port=False)
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, reload, app.settings[SETTINGS_KEY], path)
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    house = asyncio.create_task(keep_house(app.settings[SETTINGS_KEY]))
    LOG.info("Serve %d courses at 127.0.0.1:%d%s", len(settings.courses), settings.port, settings.prefix)
    await ended.wait()
    house.cancel()
    server.stop()
    await server.close_all_connections()
    identity.close()
    store.close()


def main() -> int:
    """Entry point."""
    parser = argparse.ArgumentParser(prog="hpcampus_courses.app", description="The course service of the hub.")
    parser.add_argument("--config", type=Path, required=True, help="the configuration")
    parser.add_argument("--check", action="store_true", help="only check the configuration")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s")
    try:
        settings = load(arguments.config)
        if not arguments.check:
            asyncio.run(serve(arguments.config, settings))
    except (SettingsError, DatabaseError) as error:
        LOG.critical("%s", error)
        return CONFIGURATION_ERROR
    return 0


if __name__ == "__main__":
    sys.exit(main())
