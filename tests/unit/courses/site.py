# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The real application of the course service in the process of the test, with a clock that the test sets."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port

from hpcampus_courses.app import make_app
from hpcampus_courses.identity import HubIdentity
from hpcampus_courses.service import SETTINGS_KEY, Service
from hpcampus_courses.settings import read
from hpcampus_courses.store import Store
from tests.unit.courses.client import Client
from tests.unit.courses.hub_stand_in import OWN_TOKEN, HubStandIn

DUE = "2026-12-01T12:00:00+01:00"
RECORDS: list[dict[str, Any]] = [
    {
        "slug": "py1",
        "title": "Python 1",
        "instructors": ["ida", "ivan"],
        "graders": ["gus"],
        "students": ["alice", "bob", "Zoë Müller"],
        "calendar": {"deadlines": [{"assignment": "ps2", "due": DUE}]},
        "late": {"policy": "refuse"},
    },
    {"slug": "bio2", "title": "Biology 2", "instructors": ["otto"], "students": ["carol"]},
]
PEOPLE = ("ida", "ivan", "gus", "alice", "bob", "Zoë Müller", "otto", "carol", "eve", "course-py1", "course-bio2")


def configuration(directory: Path, hub: HubStandIn, **changed: Any) -> dict[str, Any]:
    """A configuration as the role writes it."""
    state = directory / "state"
    state.mkdir(exist_ok=True)
    return {
        "hub_api_url": hub.api_url,
        "public_url": "https://hub.example.org",
        "state_dir": str(state),
        "courses": RECORDS,
        "limits": {"submission_max_mb": 1, "release_max_mb": 2, "feedback_max_mb": 1, "disk_reserve_mb": 0},
        **changed,
    }


class Site:
    """The service, its hub and its clock."""

    def __init__(self, directory: Path, api_url: str = "", courses: list[dict[str, Any]] | None = None) -> None:
        self.hub = HubStandIn()
        self.hub.users = {name: [] for name in PEOPLE}
        self.time = datetime(2026, 11, 26, 10, 0, tzinfo=UTC)
        self.seconds = 0.0
        self._directory = directory
        settings = read(
            configuration(directory, self.hub, courses=courses or RECORDS)
            | ({"hub_api_url": api_url} if api_url else {})
        )
        self.store = Store(settings.state_dir)
        self.identity = HubIdentity(settings.hub_api_url, OWN_TOKEN, clock=lambda: self.seconds)
        app = make_app(settings, self.store, self.identity)
        self.service: Service = app.settings[SETTINGS_KEY]
        self.service.now = lambda: self.time
        self._server = HTTPServer(app, max_body_size=1024 * 1024)
        self._socket, self.port = bind_unused_port()
        self._server.add_socket(self._socket)
        self.state = settings.state_dir

    def configure(self, **changed: Any) -> None:
        """Let the service have another configuration."""
        self.service.settings = read(configuration(self._directory, self.hub, **changed))

    def set_time(self, text: str) -> None:
        self.time = datetime.fromisoformat(text)

    def as_(self, name: str) -> Client:
        return Client(self.port, name)

    def at_server(self, visitor: str, course: str = "py1") -> Client:
        """The course's server, with somebody at its pages."""
        owner = f"course-{course}"
        return Client(self.port, owner, self.hub.visit(visitor, owner))

    @property
    def incoming(self) -> list[Path]:
        """Files that are being received."""
        return list((self.state / "content/incoming").iterdir())

    @property
    def files(self) -> set[str]:
        """Digests of the files that are kept."""
        return {path.name for path in (self.state / "content").glob("??/*")}

    async def close(self) -> None:
        self._server.stop()
        await self._server.close_all_connections()
        self.identity.close()
        self.store.close()
        await self.hub.close()
