# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Notebooks under the students' own accounts, entered with certificates, on a server that leased accounts until now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.testinfra.student_accounts import campus

HOMES = {name: f"/home/{name}/hpcampus" for name in ("alice", "bob")}


@dataclass
class Story:
    """What was seen while two students had notebooks, and somebody without an account came."""

    running: dict[str, str] = field(default_factory=dict)
    cells: dict[str, Any] = field(default_factory=dict)
    uids: dict[str, int] = field(default_factory=dict)
    reads: dict[tuple[str, str], bool] = field(default_factory=dict)
    stranger: str = ""
    again: dict[str, str] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)


async def tell() -> Story:
    """Have the students come and go."""
    story = Story()
    alice, bob = campus.notebook("alice"), campus.notebook("bob")
    try:
        await campus.start(alice, bob)
        story.running = campus.jobs()
        story.cells = {"alice": await alice.json_cell(campus.WHO), "bob": await bob.json_cell(campus.WHO)}
        story.uids = {name: int(campus.on("id", "--user", name)) for name in HOMES}
        story.reads = campus.readers(HOMES)
        story.stranger = await campus.why_not("teacher")
        await alice.stop()
        await alice.start()
        story.again, story.cells["again"] = campus.jobs(), await alice.json_cell(campus.WHO)
    finally:
        await asyncio.gather(alice.close(), bob.close())
    story.left = campus.left(HOMES)
    return story


@pytest.fixture(scope="module")
def story() -> Story:
    """Change the mode and tell the story."""
    campus.change_accounts(site_account_mode="students", site_account_pattern="[a-z]{3,8}")
    with campus.reachable():
        return asyncio.run(tell())


def test_a_job_belongs_to_the_student(story: Story):
    assert story.running == story.again == {"alice": "alice", "bob": "bob"}


def test_a_cell_runs_as_the_student(story: Story):
    assert {name: story.cells[name]["uid"] for name in HOMES} == story.uids


def test_no_student_reads_the_files_of_another(story: Story):
    assert story.reads == {(account, home): home == HOMES[account] for account in HOMES for home in HOMES.values()}


def test_the_files_outlast_the_notebook(story: Story):
    assert "alice.txt" in story.cells["again"]["files"]


def test_a_notebook_has_the_files_of_its_own_student_alone(story: Story):
    assert [name for name in story.cells["bob"]["files"] if name.endswith(".txt")] == ["bob.txt"]


def test_who_has_no_account_is_told(story: Story):
    assert "refuses the hub's certificate; is the account there, and in the group" in story.stranger


def test_nothing_is_left_of_what_was_stopped(story: Story):
    assert set(story.left.values()) == {""}, story.left
