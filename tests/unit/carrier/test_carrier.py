# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The carrier with the real ssh program: what is ordered is up, what is killed comes back, what is taken back is gone."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.unit.carrier.peers import Peers, is_alive, public, ssh_processes
from tests.unit.hub.hub_process import until

pytestmark = pytest.mark.processes
PROGRAM = Path(__file__).parents[3] / "roles" / "jupyterhub" / "files" / "carrier" / "carrier.py"


@pytest_asyncio.fixture
async def peers(tmp_path: Path) -> AsyncIterator[Peers]:
    peers = Peers(tmp_path)
    await peers.start()
    yield peers
    await peers.stop()


class Carrier:
    """The program in a process of its own."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.log = directory / "carrier.log"
        self.process: asyncio.subprocess.Process | None = None

    async def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                sys.executable, "-I", str(PROGRAM), str(self._directory), stdout=log, stderr=log
            )

    async def stop(self) -> int:
        assert self.process is not None
        if self.process.returncode is None:
            self.process.terminate()
        return await self.process.wait()

    @property
    def programs(self) -> list[int]:
        assert self.process is not None
        return ssh_processes(self.process.pid)


@pytest_asyncio.fixture
async def carrier(tmp_path: Path, peers: Peers) -> AsyncIterator[Carrier]:  # noqa: ARG001 (its keys come first)
    carrier = Carrier(tmp_path)
    await carrier.start()
    yield carrier
    await carrier.stop()


async def up(peers: Peers, carrier: Carrier) -> None:
    try:
        await until(peers.is_up)
    except AssertionError:
        raise AssertionError(f"{carrier.log.read_text()} {peers.state()}") from None


@pytest.mark.parametrize("way", ["relay", "forward", "direct"])
async def test_both_directions_work_on_every_way(peers: Peers, carrier: Carrier, way: str) -> None:
    peers.place(way=way)
    await up(peers, carrier)
    await until(lambda: list((peers.private / "h").iterdir()))
    assert await peers.ask_notebook() == b"notebook heard you\n"
    assert await peers.ask_hub() == b"hub heard you\n"
    assert peers.words == ([] if way == "direct" else [f"{way} 7 {peers.order()['spawn_id']}"])
    assert len(carrier.programs) == (1 if way == "direct" else 2)


async def test_a_killed_ssh_is_back_soon(peers: Peers, carrier: Carrier) -> None:
    peers.place()
    await up(peers, carrier)
    for which in (0, 1):
        victims = carrier.programs
        began = time.monotonic()
        os.kill(victims[which], signal.SIGKILL)
        await until(lambda victims=victims: not any(is_alive(pid) for pid in victims))
        await until(peers.notebook_answers)
        assert time.monotonic() - began < 10


async def test_an_order_that_goes_ends_the_connection(peers: Peers, carrier: Carrier) -> None:
    path = peers.place()
    await up(peers, carrier)
    programs = carrier.programs
    path.unlink()
    await until(lambda: not any(is_alive(pid) for pid in programs))
    await until(lambda: not list((peers.directory / "state").iterdir()))
    assert carrier.programs == []
    with pytest.raises(OSError, match=r".*"):
        await peers.ask_notebook()


async def test_another_order_for_a_port_replaces_the_connection_and_the_same_one_does_not(
    peers: Peers, carrier: Carrier
) -> None:
    peers.place()
    await up(peers, carrier)
    programs = carrier.programs
    peers.place()
    await asyncio.sleep(0.5)
    assert carrier.programs == programs
    peers.place(job_id=8)
    await until(lambda: peers.words[-1].startswith("relay 8 ") and peers.is_up())
    assert not set(carrier.programs) & set(programs)


async def test_a_broken_order_is_told_and_mended_by_a_good_one(peers: Peers, carrier: Carrier) -> None:
    peers.place(text='{"port": "; id"}')
    state = await until(peers.state)
    assert not state["up"]
    assert "expected an object" in state["error"]
    assert carrier.programs == []
    peers.place()
    await up(peers, carrier)


async def test_what_the_gateway_says_is_told_and_tried_again(peers: Peers, carrier: Carrier) -> None:
    peers.refusal = "gateway: relay: no such job of this hub"
    peers.place()
    state = await until(lambda: (state := peers.state()) and state["error"] and state)
    assert state["error"] == peers.refusal
    await until(lambda: "is down" in carrier.log.read_text())
    assert not state["up"]
    peers.refusal = ""
    await up(peers, carrier)
    assert peers.state() == {**(peers.state() or {}), "up": True, "error": ""}
    assert carrier.log.read_text().count("is down: gateway: relay") == 1


@pytest.mark.parametrize("field", ["host_key", "door_key"])
async def test_another_host_key_is_refused(peers: Peers, carrier: Carrier, field: str) -> None:
    peers.place(**{field: public(peers.link_key)})
    state = await until(lambda: (state := peers.state()) and state["error"] and state)
    assert "Host key verification failed" in state["error"] or "host key" in state["error"].lower()
    assert not peers.is_up()
    del carrier


async def test_an_end_leaves_nothing_and_a_start_begins_again(peers: Peers, carrier: Carrier) -> None:
    peers.place()
    await up(peers, carrier)
    programs = carrier.programs
    assert await carrier.stop() == 0
    assert not any(is_alive(pid) for pid in programs)
    (peers.directory / "state" / "20000.json").write_text(json.dumps({"up": True}))
    await carrier.start()
    await up(peers, carrier)
    assert not (peers.directory / "state" / "20000.json").exists()
