# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Notebooks under accounts that are leased, on a server that ran them under one account until now."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.testinfra.student_accounts import campus

UIDS = {"hpcu01": 2911, "hpcu02": 2912}
SITE: dict[str, Any] = {
    "site_account_mode": "pool",
    "site_account_pool": [{"name": name, "uid": uid} for name, uid in UIDS.items()],
}
HOMES = {name: f"/srv/hpcampus/accounts/{name}/hpcampus" for name in UIDS}


def leases() -> dict[str, str]:
    """Holder of each account, "" for one that is free, as `hpcampus-accounts list` tells it."""
    rows = [line.split() for line in campus.on("hpcampus-accounts", "list").splitlines()[1:]]
    return {row[1]: row[-1] if row[2] == "leased" else "" for row in rows}


@dataclass
class Story:
    """What was seen while two students had notebooks, one of them twice, and a third came."""

    running: dict[str, str] = field(default_factory=dict)
    again: dict[str, str] = field(default_factory=dict)
    cells: dict[str, Any] = field(default_factory=dict)
    leases: dict[str, str] = field(default_factory=dict)
    third: str = ""
    reads: dict[tuple[str, str], bool] = field(default_factory=dict)
    left: dict[str, str] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    released: str = ""
    successor: dict[str, str] = field(default_factory=dict)
    leases_after: dict[str, str] = field(default_factory=dict)


async def tell() -> Story:
    """Have the students come and go."""
    story = Story()
    alice, bob = campus.notebook("alice"), campus.notebook("bob")
    try:
        await campus.start(alice, bob)
        story.running, story.leases = campus.jobs(), leases()
        story.cells = {"bob": await bob.json_cell(campus.WHO)}
        story.reads = campus.readers(HOMES)
        await bob.stop()
        # It waits for starts that may be under way; the rest goes on meanwhile.
        release = asyncio.create_task(asyncio.to_thread(campus.on, "hpcampus-accounts", "release", "lab", "hpcu02"))
        story.third = await campus.why_not("teacher")
        await alice.stop()
        await alice.start()
        story.again, story.cells["alice"] = campus.jobs(), await alice.json_cell(campus.WHO)
    finally:
        await asyncio.gather(alice.close(), bob.close())
    story.left = campus.left(HOMES)
    story.changes = campus.change_accounts("--check", **SITE)
    story.released = await release
    teacher = campus.notebook("teacher")
    try:
        await teacher.login()
        await teacher.start()
        story.successor, story.cells["teacher"] = campus.jobs(), await teacher.json_cell(campus.WHO)
    finally:
        await teacher.close()
    story.leases_after = leases()
    return story


@pytest.fixture(scope="module")
def story() -> Story:
    """Change the mode and tell the story."""
    campus.change_accounts(**SITE)
    with campus.reachable():
        return asyncio.run(tell())


def test_each_student_has_an_account_that_the_list_names(story: Story):
    assert story.running == {"alice": "hpcu01", "bob": "hpcu02"}
    assert story.leases == {"hpcu01": "alice", "hpcu02": "bob"}


def test_a_cell_runs_as_that_account(story: Story):
    assert {name: cell["uid"] for name, cell in story.cells.items()} == {"alice": 2911, "bob": 2912, "teacher": 2912}


def test_no_account_reads_the_files_of_another(story: Story):
    assert story.reads == {(account, home): home == HOMES[account] for account in HOMES for home in HOMES.values()}


def test_the_lease_and_the_files_outlast_the_notebook(story: Story):
    assert story.again == {"alice": "hpcu01"}
    assert "alice.txt" in story.cells["alice"]["files"]


def test_a_notebook_has_the_files_of_its_own_student_alone(story: Story):
    assert [name for name in story.cells["bob"]["files"] if name.endswith(".txt")] == ["bob.txt"]


def test_a_second_run_changes_nothing(story: Story):
    assert story.changes == []


def test_who_comes_when_all_are_leased_is_told(story: Story):
    assert "all 2 accounts of the pool are leased" in story.third


def test_nothing_is_left_of_what_was_stopped(story: Story):
    assert set(story.left.values()) == {""}, story.left


def test_a_released_account_is_the_next_ones_without_the_files(story: Story):
    assert story.released.splitlines()[-1].startswith("hpcu02 is free; the files are in archive/")
    assert story.successor == {"teacher": "hpcu02"}
    assert "bob.txt" not in story.cells["teacher"]["files"]
    assert story.leases_after == {"hpcu01": "alice", "hpcu02": "teacher"}
    assert "bob.txt" in campus.on("find", f"{HOMES['hpcu02']}/archive", "-name", "bob.txt")
