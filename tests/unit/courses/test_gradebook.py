# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The way to a gradebook: from the socket beside the course's server, through the service, to a database's socket.

The database is a stand-in that says what it got; PostgreSQL itself is asked on a hub of the scenario hub_debian12.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.unit.courses.client import target
from tests.unit.courses.site import Site
from tests.unit.gateway.loading import load

job = load("hpcampus_job.gradebook")
NAME = b"hpcampus_course_py1"
WELCOME = b"R\0\0\0\x08\0\0\0\0"
SSL, GSS, CANCEL = 80877103, 80877104, 80877102


def startup(*words: bytes, code: int = 3 << 16) -> bytes:
    """The packet with which a client of PostgreSQL begins."""
    body = b"".join(word + b"\0" for word in words) + b"\0"
    return struct.pack("!ii", len(body) + 8, code) + body


OWN = startup(b"user", NAME, b"database", NAME, b"application_name", b"x y")


class Database:
    """Takes connections at a socket: greets, and then says everything back in capitals."""

    def __init__(self, path: Path) -> None:
        self.path = str(path)
        self.begun: list[bytes] = []
        self.open = 0
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        self._server = await asyncio.start_unix_server(self._serve, self.path)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            begun = await reader.read(10_000)
            if begun:
                self.begun.append(begun)
                writer.write(WELCOME)
            while begun and (data := await reader.read(65536)):
                writer.write(data.upper())
                await writer.drain()
        finally:
            self.open -= 1
            writer.close()

    def stop(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
            Path(self.path).unlink(missing_ok=True)


@pytest_asyncio.fixture
async def database(tmp_path: Path, site: Site) -> AsyncIterator[Database]:
    found = Database(tmp_path / "db.sock")
    await found.start()
    site.configure(gradebook={"socket": found.path})
    yield found
    found.stop()


class Job:
    """The job's side: the socket in the container's directory, and the way to the hub."""

    def __init__(self, directory: Path, port: int, person: str = "course-py1", slug: str = "py1") -> None:
        (directory / "s").mkdir(parents=True)
        self.port = port
        self._way: asyncio.Server | None = None
        self._hub_socket = str(directory / "hub.sock")
        env = {"JUPYTERHUB_API_TOKEN": f"token-of-{person}", "JUPYTERHUB_BASE_URL": "/"}
        self.gradebook = job.Gradebook(str(directory), slug, env)
        self.gradebook.start()
        self.path = str(directory / "s/gradebook/.s.PGSQL.5432")

    async def open_way(self) -> None:
        self._way = await asyncio.start_unix_server(self._carry, self._hub_socket)

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            writer.close()
            return
        await asyncio.gather(_copy(reader, far_writer), _copy(far_reader, writer))

    async def connect(self) -> "Client":
        return Client(*await asyncio.open_unix_connection(self.path))


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
    writer.close()


class Client:
    """A client of the database."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    async def say(self, data: bytes) -> None:
        self._writer.write(data)
        await self._writer.drain()

    async def hear(self, count: int) -> bytes:
        async with asyncio.timeout(30):
            return await self._reader.readexactly(count)

    async def rest(self) -> bytes:
        async with asyncio.timeout(30):
            return await self._reader.read()

    def close(self) -> None:
        self._writer.close()


@pytest_asyncio.fixture
async def course(tmp_path: Path, site: Site, database: Database) -> Job:  # noqa: ARG001 (it must be there)
    found = Job(tmp_path / "job", site.port)
    await found.open_way()
    return found


async def test_bytes_go_both_ways_and_the_end_goes_on(course: Job, database: Database) -> None:
    client = await course.connect()
    await client.say(OWN)
    assert await client.hear(len(WELCOME)) == WELCOME
    assert database.begun == [OWN]
    large = bytes(range(97, 123)) * 100_000
    sending = asyncio.create_task(client.say(large))
    assert await client.hear(len(large)) == large.upper()
    await sending
    assert database.open == 1
    client.close()
    for _ in range(200):
        if not database.open:
            break
        await asyncio.sleep(0.05)
    assert database.open == 0


async def test_many_at_once_and_what_is_said_in_pieces(course: Job, database: Database) -> None:
    clients = [await course.connect() for _ in range(8)]
    for client in clients:
        for at in range(0, len(OWN), 7):
            await client.say(OWN[at : at + 7])
    for client in clients:
        assert await client.hear(len(WELCOME)) == WELCOME
    assert database.begun == [OWN] * 8
    for client in clients:
        client.close()


async def test_encryption_is_declined_and_a_cancel_goes_on(course: Job, database: Database) -> None:
    client = await course.connect()
    for code in (GSS, SSL):
        await client.say(struct.pack("!ii", 8, code))
        assert await client.hear(1) == b"N"
    await client.say(OWN)
    assert await client.hear(len(WELCOME)) == WELCOME
    cancel = struct.pack("!iiii", 16, CANCEL, 4711, 42)
    other = await course.connect()
    await other.say(cancel)
    assert await other.hear(len(WELCOME)) == WELCOME
    assert database.begun == [OWN, cancel]


@pytest.mark.parametrize(
    "packet",
    [
        startup(b"user", b"hpcampus_course_bio2", b"database", b"hpcampus_course_bio2"),
        startup(b"user", NAME, b"database", b"postgres"),
        startup(b"user", b"postgres", b"database", NAME),
        startup(b"user", b"postgres"),
        startup(b"database", NAME),
        startup(b"user", NAME, b"user", b"postgres"),
        startup(b"user", NAME, b"", b"x"),
        startup(b"user", NAME, b"replication", b"database"),
        startup(b"user", NAME + b" "),
        startup(b"user", NAME.upper()),
        startup(b"user", NAME, b"database"),
        startup(b"user", NAME, code=2 << 16),
        startup(b"user", NAME, b"options", b"-" * 20_000),
        struct.pack("!ii", 8, 3 << 16),
        struct.pack("!ii", -1, 3 << 16),
        struct.pack("!ii", 2**31 - 1, SSL),
        struct.pack("!ii", 17, CANCEL) + b"x" * 9,
        b"GET / HTTP/1.1\r\n\r\n",
    ],
)
async def test_a_beginning_for_anything_else_is_refused(course: Job, database: Database, packet: bytes) -> None:
    client = await course.connect()
    await client.say(packet)
    answer = await client.rest()
    assert answer[:1] == b"E"
    assert b"SFATAL\0" in answer
    assert answer.endswith(b"\0\0")
    assert struct.unpack("!i", answer[1:5]) == (len(answer) - 1,)
    assert database.begun == []


async def test_the_database_may_be_left_out_of_what_a_client_says(course: Job, database: Database) -> None:
    client = await course.connect()
    await client.say(startup(b"user", NAME))
    assert await client.hear(len(WELCOME)) == WELCOME
    assert len(database.begun) == 1


async def test_who_does_not_begin_is_dropped(course: Job, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpcampus_courses.gradebook.STARTUP_SECONDS", 0.2)
    client = await course.connect()
    assert await client.rest() == b""
    assert database.begun == []


@pytest.mark.parametrize(
    ("person", "slug", "status"),
    [
        ("alice", "py1", 403),
        ("gus", "py1", 403),
        ("ida", "py1", 403),
        ("carol", "py1", 404),
        ("course-bio2", "py1", 404),
        ("nobody", "py1", 401),
        ("course-py1", "bio2", 404),
        ("course-py1", "none", 404),
    ],
)
async def test_only_the_course_itself_has_a_gradebook(
    tmp_path: Path, site: Site, database: Database, *, person: str, slug: str, status: int
) -> None:
    other = Job(tmp_path / "other", site.port, person, slug)
    await other.open_way()
    client = await other.connect()
    await client.say(OWN)
    answer = await client.rest()
    assert f"the hub does not lead to the gradebook (answer {status})".encode() in answer
    assert database.begun == []


HEADERS = {"Upgrade": "hpcampus-gradebook", "Connection": "Upgrade"}


async def ask(site: Site, headers: dict[str, str]) -> Any:
    return await site.as_("course-py1").call("GET", target("courses", "py1", "gradebook"), headers=headers)


async def test_a_visitor_needs_the_rights_of_the_course(site: Site, database: Database) -> None:
    answer = await site.at_server("gus").call("GET", target("courses", "py1", "gradebook"), headers=HEADERS)
    assert answer.status == 403
    assert database.begun == []


async def test_a_plain_request_and_a_hub_without_databases(site: Site, database: Database) -> None:
    plain = await ask(site, {})
    assert (plain.status, plain.json["error"]) == (426, "no-upgrade")
    assert (await ask(site, {"Upgrade": "websocket", "Connection": "Upgrade"})).status == 426
    site.configure()
    none = await ask(site, HEADERS)
    assert (none.status, none.json["error"]) == (404, "no-gradebook")
    assert database.begun == []


async def test_a_database_that_is_down_is_waited_for(
    course: Job, database: Database, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    database.stop()
    answer = await ask(site, HEADERS)
    assert (answer.status, answer.json["error"]) == (503, "no-database")
    monkeypatch.setattr(job, "PAUSE_SECONDS", 0.05)
    client = await course.connect()
    await client.say(OWN)
    await asyncio.sleep(0.2)
    await database.start()
    assert await client.hear(len(WELCOME)) == WELCOME
    database.stop()
    monkeypatch.setattr(job, "RETRY_SECONDS", 0.1)
    late = await course.connect()
    await late.say(OWN)
    assert b"the hub does not answer: it is being restarted (503)" in await late.rest()


async def test_a_way_that_is_not_open_yet_is_waited_for(tmp_path: Path, site: Site, database: Database) -> None:
    early = Job(tmp_path / "early", site.port)
    client = await early.connect()
    await client.say(OWN)
    await asyncio.sleep(0.2)
    await early.open_way()
    assert await client.hear(len(WELCOME)) == WELCOME
    assert database.begun == [OWN]


@pytest.mark.parametrize(
    ("courses", "env", "wanted"),
    [
        ([("py1", "course")], {"HPCAMPUS_GRADEBOOK": "x"}, True),
        ([("py1", "course")], {}, False),
        ([("py1", "student")], {"HPCAMPUS_GRADEBOOK": "x"}, False),
        ([], {"HPCAMPUS_GRADEBOOK": "x"}, False),
    ],
)
def test_the_socket_is_there_for_a_courses_own_server_alone(
    tmp_path: Path, *, courses: Sequence[tuple[str, str]], env: dict[str, str], wanted: bool
) -> None:
    (tmp_path / "s").mkdir()
    spawn = {"courses": [{"slug": slug, "role": role} for slug, role in courses], "secrets": {"env": env}}
    assert (job.gradebook_of(spawn, str(tmp_path)) is not None) is wanted
    assert (tmp_path / "s/gradebook").exists() is wanted


def test_the_request_goes_to_the_hubs_own_path() -> None:
    env = {"JUPYTERHUB_API_TOKEN": "t", "JUPYTERHUB_BASE_URL": "/jupyter/"}
    first, *lines = job.request("py1", env).decode().split("\r\n")
    assert first == "GET /jupyter/services/courses/api/v1/courses/py1/gradebook HTTP/1.1"
    assert "Authorization: token t" in lines
    assert lines[-2:] == ["", ""]


def test_an_answer_that_never_ends_is_none() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"HTTP/1.1 101 x\r\n" + b"a: b\r\n" * 4000)
        with pytest.raises(OSError, match="does not end"):
            job.read_head(ours)
