# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which data path is taken, what is believed of a gateway's answer, and whose order is taken back."""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from hpcampus_hub.link import Link
from hpcampus_hub.paths.base import PathError
from hpcampus_hub.paths.carried import Desk
from hpcampus_hub.paths.choice import Chooser
from hpcampus_hub.paths.reach import ORDER, Reach, ReachError, reach
from hpcampus_hub.settings import SettingsError, read_site
from tests.unit.hub.sites import cluster, settings, site

SPAWN, OTHER = "a" * 32, "b" * 32
LOG = logging.getLogger("test")


def found(*works: str) -> Reach:
    return Reach("c1", {name: "" if name in works else "a wall" for name in ORDER})


@pytest.mark.parametrize(
    ("works", "best"),
    [
        (ORDER, "reverse"),
        (("relay", "forward", "direct"), "direct"),
        (("relay", "forward"), "forward"),
        (("relay",), "relay"),
        ((), None),
    ],
)
def test_the_cheapest_that_works_is_taken(works: tuple[str, ...], best: str | None) -> None:
    assert found(*works).best == best


def test_settings_of_a_path() -> None:
    assert site().clusters["lab"].data_path == "reverse"
    assert site(clusters=[cluster(data_path="auto")]).clusters["lab"].data_path == "auto"
    for wrong in ("tunnel", "", None, ["relay"]):
        with pytest.raises(SettingsError, match=r"clusters\[0\]\.data_path.*auto, reverse, direct, forward, relay"):
            site(clusters=[cluster(data_path=wrong)])
    with pytest.raises(SettingsError, match="carrier_dir"):
        read_site(**settings(), carrier_dir="relative")


class Tries:
    """Finds what it is told, and counts."""

    def __init__(self, *results: Reach | ReachError) -> None:
        self.results = list(results)
        self.count = 0

    async def __call__(self, _cluster: str) -> Reach:
        self.count += 1
        await asyncio.sleep(0.01)
        result = self.results.pop(0)
        if isinstance(result, ReachError):
            raise result
        return result


def chooser(tmp_path: Path, tries: Tries, data_path: str = "auto", patience: float = 0.0) -> Chooser:
    clusters = site(clusters=[cluster(data_path=data_path)]).clusters
    return Chooser(clusters, tries, LOG, tmp_path / "chosen.json", patience)


async def test_what_is_configured_is_not_tried(tmp_path: Path) -> None:
    tries = Tries()
    fixed = chooser(tmp_path, tries, "relay")
    fixed.start()
    assert await fixed.path("lab") == "relay"
    fixed.failed("lab", "relay", "x")
    assert (fixed.known("lab"), tries.count) == ("relay", 0)


async def test_many_starts_share_one_try(tmp_path: Path) -> None:
    tries = Tries(found("relay"))
    made = chooser(tmp_path, tries)
    made.start()
    assert await asyncio.gather(*(made.path("lab") for _ in range(5))) == ["relay"] * 5
    assert tries.count == 1
    assert chooser(tmp_path, tries).known("lab") == "relay"


async def test_a_path_that_fails_is_tried_again_but_not_at_every_failure(tmp_path: Path) -> None:
    tries = Tries(found("forward", "relay"), found("relay"))
    patient = chooser(tmp_path, tries, patience=100.0)
    assert await patient.path("lab") == "forward"
    patient.failed("lab", "forward", "x")
    assert patient.known("lab") == "forward"
    later = chooser(tmp_path, tries)
    later.failed("lab", "reverse", "an older server's path")
    assert later.known("lab") == "forward"
    later.failed("lab", "forward", "x")
    assert later.known("lab") is None
    assert await later.path("lab") == "relay"


async def test_what_could_not_be_tried_is_tried_again(tmp_path: Path) -> None:
    made = chooser(tmp_path, Tries(ReachError("the cluster is away"), found(), found("relay")))
    with pytest.raises(PathError, match="the cluster is away"):
        await made.path("lab")
    with pytest.raises(PathError, match="reverse: a wall"):
        await made.path("lab")
    assert await made.path("lab") == "relay"


@pytest.mark.parametrize("text", ["", "[]", '{"lab": "tunnel"}', '{"lab": 7, "other": "relay"}'])
async def test_a_broken_memory_is_no_memory(tmp_path: Path, text: str) -> None:
    (tmp_path / "chosen.json").write_text(text)
    assert chooser(tmp_path, Tries()).known("lab") is None


class FakeLink:
    """Answers ``reach`` and takes note of what else it is asked."""

    def __init__(self, answer: Mapping[str, Any]) -> None:
        self.answer = answer
        self.asked: list[tuple[str, dict[str, Any]]] = []

    async def call(self, op: str, *, timeout: float = 0, **fields: Any) -> Mapping[str, Any]:  # noqa: ASYNC109, ARG002
        self.asked.append((op, fields))
        return self.answer if op == "reach" else {}


GOOD = {"job_id": 7, "node": "127.0.0.1", "port": 1, "token": "t", "ways": dict.fromkeys(ORDER, "")}


async def look(answer: Mapping[str, Any]) -> tuple[Reach, FakeLink]:
    """Ask with a range of one port, the answer's if it has one."""
    link = FakeLink(answer)
    made = site()
    port = answer["port"] or 1
    tunnel = replace(made.tunnel, port_min=port, port_max=port)
    return await reach(cast(Link, link), tunnel, next(iter(made.profiles.values()))), link


@pytest.mark.parametrize(("said", "works"), [(b"t\n", True), (b"SSH-2.0-OpenSSH\n", False), (b"", False)])
async def test_the_hub_knocks_itself_and_ends_the_job(said: bytes, *, works: bool) -> None:
    async def answer(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        result, link = await look({**GOOD, "port": server.sockets[0].getsockname()[1]})
    assert (result.ways["direct"] == "") == works
    assert [op for op, _ in link.asked] == ["reach", "cancel"]
    assert link.asked[0][1]["partition"] == "jupyter"
    assert link.asked[1][1] == {"job_id": 7}


async def test_the_job_is_given_several_ports_of_those_that_jobs_have() -> None:
    link = FakeLink({})
    made = site()
    asked = []
    for _ in range(20):
        with pytest.raises(ReachError):
            await reach(cast(Link, link), made.tunnel, next(iter(made.profiles.values())))
        ports = link.asked[-1][1]["ports"]
        assert len(set(ports)) == len(ports) == 5
        asked += ports
    assert min(asked) >= made.tunnel.port_min
    assert max(asked) <= made.tunnel.port_max
    assert len(set(asked)) > 5


async def test_a_port_that_was_not_agreed_on_is_not_knocked_at() -> None:
    link = FakeLink(GOOD)
    made = site()
    with pytest.raises(ReachError, match="the answer on the data paths is not one"):
        await reach(cast(Link, link), made.tunnel, next(iter(made.profiles.values())))


async def test_a_port_that_the_hub_does_not_reach_rules_direct_out() -> None:
    result, _ = await look(GOOD)
    assert "cannot be reached from the hub" in result.ways["direct"]
    assert result.best == "reverse"


@pytest.mark.parametrize(
    "changes",
    [{"job_id": "7"}, {"node": None}, {"port": True}, {"port": 0}, {"token": 1}, {"ways": []}, {"ways": {"relay": ""}}],
)
async def test_an_answer_that_is_none_is_told(changes: dict[str, Any]) -> None:
    with pytest.raises(ReachError):
        await look({**GOOD, **changes})


def test_only_the_own_order_is_taken_back(tmp_path: Path) -> None:
    desk = Desk(str(tmp_path))
    desk.order(20000, {"spawn_id": SPAWN})
    path = tmp_path / "orders" / "20000.json"
    assert path.stat().st_mode & 0o777 == 0o600
    desk.withdraw(20000, OTHER)
    assert path.exists()
    desk.withdraw(20000, SPAWN)
    assert not path.exists()
    desk.withdraw(20000, SPAWN)
    desk.order(20000, {"spawn_id": SPAWN})
    assert path.exists()


def test_the_state_of_another_server_is_not_shown(tmp_path: Path) -> None:
    desk = Desk(str(tmp_path))
    (tmp_path / "state").mkdir()
    path = tmp_path / "state" / "20000.json"
    assert desk.error(20000, SPAWN) is None
    for state, shown in (
        ({"up": False, "spawn_id": SPAWN, "error": "a wall"}, "a wall"),
        ({"up": False, "spawn_id": SPAWN, "error": "a wall", "tries": 2}, "a wall"),
        ({"up": False, "spawn_id": SPAWN, "error": "a wall", "tries": 1}, None),
        ({"up": False, "spawn_id": "", "error": "host: not allowed", "tries": 0}, "host: not allowed"),
        ({"up": True, "spawn_id": SPAWN, "error": "a wall"}, None),
        ({"up": False, "spawn_id": OTHER, "error": "a wall"}, None),
        ([], None),
    ):
        path.write_text(json.dumps(state))
        assert desk.error(20000, SPAWN) == shown


def test_the_key_is_made_once_and_a_broken_one_is_told(tmp_path: Path) -> None:
    key = Desk(str(tmp_path)).public_key()
    assert key.startswith("ssh-ed25519 ")
    assert Desk(str(tmp_path)).public_key() == key
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600
    (tmp_path / "key").write_text("broken")
    with pytest.raises(PathError, match="run the hub step again"):
        Desk(str(tmp_path)).public_key()
    with pytest.raises(PathError, match="cannot be used"):
        Desk(str(tmp_path / "missing")).public_key()
