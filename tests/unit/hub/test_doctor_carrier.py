# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The doctor's leg of the carrier: its key, and the states that it writes."""

import json
import time
from pathlib import Path

import pytest

from hpcampus_hub.doctor.carrier import carrier, states


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "state").mkdir()
    return tmp_path


def write(directory: Path, port: int, *, up: bool, tries: int, error: str = "") -> None:
    state = {"spawn_id": "0" * 32, "up": up, "since": time.time(), "tries": tries, "error": error}
    (directory / f"state/{port}.json").write_text(json.dumps(state))


async def test_connections_that_are_up(directory: Path) -> None:
    write(directory, 20001, up=True, tries=0)
    write(directory, 20002, up=False, tries=2, error="the job has no door yet")
    said = await carrier(str(directory))
    assert (said.verdict, said.seen) == ("ok", "connections to jobs: 1 up")


async def test_connections_that_are_down(directory: Path) -> None:
    write(directory, 20001, up=True, tries=0)
    write(directory, 20002, up=False, tries=20, error="node c1, port 20002: Connection refused")
    said = await carrier(str(directory))
    assert said.verdict == "warning"
    assert said.seen.endswith("1 up, 1 down: port 20002: node c1, port 20002: Connection refused")


async def test_a_key_that_cannot_be_used(directory: Path) -> None:
    (directory / "key").write_text("no key")
    said = await carrier(str(directory))
    assert said.verdict == "broken"
    assert "hpcampus apply --step hub" in said.cure
    assert (await carrier("/nowhere/at/all")).verdict == "broken"


def test_states_that_cannot_be_read_count_for_nothing(directory: Path) -> None:
    for port, text in ((1, "no json"), (2, "[]"), (3, '{"up": true}')):
        (directory / f"state/{port}.json").write_text(text)
    assert states(directory / "state") == (0, [])
    assert states(directory / "nowhere") == (0, [])
