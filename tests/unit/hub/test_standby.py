# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The pool of warm standbys, without a hub."""

import logging
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from hpcampus_hub.engine import Engine
from hpcampus_hub.jobs import Standing, Verdict
from hpcampus_hub.paths.base import PathError
from hpcampus_hub.protocol import RUNNING, Job
from hpcampus_hub.record import Phase, SpawnRecord
from hpcampus_hub.standby import Standby, StandbyPool
from tests.unit.hub.sites import profile, site


class FakePath:
    """Somebody comes while the first standby is asked, and takes the one that is warm."""

    def __init__(self) -> None:
        self.comes: Any = None

    def open(self, _record: SpawnRecord, _port: int) -> None:
        self.comes()
        raise PathError("not there yet")


@pytest.mark.asyncio
async def test_what_somebody_takes_while_another_is_asked_is_left_alone() -> None:
    made, path = site(profiles=[profile(standby=2)], courses=[]), FakePath()
    asked: list[str] = []

    async def call(op: str, **_fields: Any) -> dict[str, Any]:
        asked.append(op)
        return {}

    name = next(iter(made.profiles))
    job = Job(7, RUNNING, "", "c1", None, "hub", "standby", "", "a" * 32)
    engine = SimpleNamespace(
        site=made,
        log=logging.getLogger("test"),
        books={"lab": SimpleNamespace(verdict=lambda *_: Verdict(Standing.THERE, job))},
        links={"lab": SimpleNamespace(call=call)},
        path=lambda _name: path,
    )
    pool = StandbyPool(cast(Engine, engine), 8081)
    pool._not_before[name] = time.monotonic() + 1000
    cold, warm = (SpawnRecord(letter * 32, "lab", 20000, 1, Phase.STARTING, 0.0, job_id=7) for letter in "ab")
    pool._waiting += [
        Standby(cold, name, time.monotonic(), "x"),
        Standby(warm, name, time.monotonic() - 1e6, "y", warm=True),
    ]
    taken: list[Standby | None] = []
    path.comes = lambda: taken.append(pool.take(made.profiles[name]))
    await pool.round()
    assert [standby.record for standby in taken if standby is not None] == [warm]
    assert asked == []
    assert [record.spawn_id for record in pool.records] == [cold.spawn_id]
