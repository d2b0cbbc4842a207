# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A task in the background ends when it is stopped, whatever becomes of a cancellation on the way."""

import asyncio

import pytest

from hpcampus_hub import background


async def test_a_task_that_loses_a_cancellation_ends_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "AGAIN_SECONDS", 0.01)
    lost: list[int] = []

    async def run() -> None:
        while True:
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                if len(lost) == 2:
                    raise
                lost.append(1)

    task = background.Background(run, "test")
    task.start()
    await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await task.stop()
    assert len(lost) == 2


async def test_what_ended_a_task_is_told() -> None:
    async def run() -> None:
        raise ValueError("broken")

    task = background.Background(run, "test")
    task.start()
    await asyncio.sleep(0)
    with pytest.raises(ValueError, match="broken"):
        await task.stop()
    await task.stop()
