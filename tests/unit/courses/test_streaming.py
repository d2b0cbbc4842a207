# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A long answer is whole, or its end is missing where everybody sees it."""

import asyncio
from collections.abc import Iterator

import pytest
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, RequestHandler

from hpcampus_courses.streaming import send_pieces
from tests.unit.courses.client import Client
from tests.unit.hub.hub_process import until

CLOSED: list[str] = []


def pieces(fail: str) -> Iterator[bytes]:
    try:
        for _ in range(100):
            yield bytes(100_000)
            if fail:
                raise OSError("the disk")
    finally:
        CLOSED.append(fail)


class Long(RequestHandler):
    async def get(self, how: str) -> None:
        fail, known = how.split("-")
        if known:
            self.set_header("Content-Length", str(100 * 100_000))
        await send_pieces(self, pieces(fail))


@pytest.fixture
async def port():
    server = HTTPServer(Application([("/(.*)", Long)]))
    sockets, number = bind_unused_port()
    server.add_socket(sockets)
    yield number
    server.stop()
    await server.close_all_connections()


async def test_all_pieces_come(port: int) -> None:
    answer = await Client(port).call("GET", "/-known")
    assert len(answer.body) == 10_000_000


async def test_a_failure_breaks_it_off(port: int) -> None:
    with pytest.raises(asyncio.IncompleteReadError):
        await Client(port).call("GET", "/fail-known")
    # Of unknown length: the last, empty chunk is missing.
    assert (await Client(port).call("GET", "/-")).body.endswith(b"\r\n0\r\n\r\n")
    answer = await Client(port).call("GET", "/fail-")
    assert answer.headers["transfer-encoding"] == "chunked"
    assert len(answer.body) > 100_000
    assert not answer.body.endswith(b"\r\n0\r\n\r\n")


async def closed() -> bool:
    return bool(CLOSED)


async def test_whoever_leaves_is_not_served_on(port: int) -> None:
    CLOSED.clear()
    _, writer = await Client(port).begin("GET", "/-known", None)
    await asyncio.sleep(0.2)
    writer.transport.abort()
    await until(closed, 10)
