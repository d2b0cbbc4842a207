# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Submissions that try to harm, graded on the cluster in one batch with honest ones; the table is artifacts/grading.md."""

from __future__ import annotations

import base64
import json
import re
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from tests.e2e.conftest import COMPUTE, ROOT
from tests.e2e.grading_hostile.attempts import ATTEMPTS, HONEST, Attempt
from tests.e2e.teaching import shell, teaching
from tests.e2e.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.e2e.conftest import Platform

pytestmark = pytest.mark.asyncio(loop_scope="module")

PROGRAMS = Path(__file__).with_name("grading_hostile")
TABLE = ROOT / "artifacts" / "grading.md"
# They need a node that still answers, and have the fork bomb beside them; a person looks at those that it ruins.
BESIDE_A_FORK_BOMB = {"endless", "memory", "disk"}


def send(directory: str) -> str:
    """A cell that writes the programs into a directory of the course's server and makes the course."""
    files = {name: base64.b64encode((PROGRAMS / name).read_bytes()).decode() for name in ("attempts.py", "course.py")}
    return (
        "import base64, pathlib, subprocess, sys\n"
        f"place = pathlib.Path({directory!r})\n"
        "place.mkdir()\n"
        f"for name, text in {files!r}.items():\n"
        "    (place / name).write_bytes(base64.b64decode(text))\n"
        "done = subprocess.run([sys.executable, 'course.py', 'make', str(place / 'course')], cwd=place, capture_output=True, text=True)\n"
        "print(done.stderr if done.returncode else 'made')"
    )


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def graded(platform: Platform) -> AsyncIterator[dict[str, Any]]:
    """What the gradebook says of each submission after one batch."""
    directory = f"/course/hostile-{secrets.token_hex(4)}"
    async with teaching(platform) as course:
        assert await course.cell(send(directory)) == "made"
        status, output = await course.json_cell(shell("nbgrader autograde ps1", where=f"{directory}/course"))
        found = await course.json_cell(
            "import subprocess, sys\n"
            f"print(subprocess.run([sys.executable, 'course.py', 'read', {directory + '/course'!r}], cwd={directory!r}, check=True,"
            " capture_output=True, text=True).stdout)"
        )
        await course.cell(f"import shutil; shutil.rmtree({directory!r})")
    write_table(found)
    yield {"found": found, "status": status, "output": output}


def write_table(found: dict[str, Any]) -> None:
    """Write down what was tried, what happened, and what the grader sees."""
    lines = ["# Hostile submissions", "", "| Tried | Points (deserved) | What the grader sees |", "|---|---|---|"]
    for one in (*HONEST, *ATTEMPTS):
        said = found.get(one.name, {})
        flags = "; ".join(f"{flag['kind']}: {flag['text']}" for flag in said.get("flags", [])) or "-"
        flags = re.sub(r"\s+", " ", flags).replace("|", "\\|")
        lines.append(f"| {one.tried} | {said.get('points')} ({one.points}) | {flags} |")
    TABLE.parent.mkdir(parents=True, exist_ok=True)
    TABLE.write_text("\n".join([*lines, ""]), encoding="utf-8")


async def test_one_bad_submission_does_not_end_the_batch(graded: dict[str, Any]):
    assert graded["status"] == 0, graded["output"]
    assert set(graded["found"]) == {one.name for one in (*HONEST, *ATTEMPTS)}


@pytest.mark.parametrize("one", HONEST, ids=lambda one: one.name)
async def test_honest_ones_get_their_points(graded: dict[str, Any], one: Attempt):
    said = graded["found"][one.name]
    assert said["points"] == one.points, said
    assert not said["flags"]


@pytest.mark.parametrize("one", ATTEMPTS, ids=lambda one: one.name)
async def test_hostile_ones_are_scored_right_or_flagged(graded: dict[str, Any], one: Attempt):
    said = graded["found"][one.name]
    if one.points is None or (one.name in BESIDE_A_FORK_BOMB and said["flags"]):
        assert said["flags"], said
        assert said["by_hand"], said
        assert said["points"] is not None, said
    else:
        assert said["points"] == one.points, said
    assert "### BEGIN HIDDEN" not in json.dumps(said["outputs"])


async def test_the_grader_reads_what_was_tried(graded: dict[str, Any]):
    found = graded["found"]
    assert "tests" in [flag["kind"] for flag in found["no-asserts"]["flags"]]
    assert found["no-asserts"]["points"] == 0
    assert "link or no ordinary file" in found["link"]["comment"][0]
    read = "121" in json.dumps(found["peek"]["outputs"])  # a number of the hidden test
    assert not read or "leak" in [flag["kind"] for flag in found["peek"]["flags"]]


async def test_nothing_is_left_of_the_grading(platform: Platform, graded: dict[str, Any]):
    """No process, no file on a node, no job."""
    assert graded["found"]

    def nothing() -> bool:
        assert "grade" not in platform.on("login", "squeue", "--noheader", "--format", "%j %T")
        for node in COMPUTE:
            assert "hpcampus_nbgrader" not in platform.on(node, "ps", "-eo", "args")
            left = platform.on(node, "find", "/tmp", "-maxdepth", "1", "-user", "hpcampus", "-name", "hpcampus-grade*")
            assert not left
        return True

    await until("nothing is left", nothing, 20)
