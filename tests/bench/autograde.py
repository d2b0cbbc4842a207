# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Autograding a class, plain in the course's server and on the cluster with so many slots. Needs the demo: `make demo`."""

from __future__ import annotations

import asyncio
import base64
import heapq
import secrets
import time
from pathlib import Path
from typing import TYPE_CHECKING

from tests.e2e.conftest import ROOT, find_platform
from tests.e2e.teaching import run, teaching

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform
    from tests.e2e.notebook import Notebook

PROGRAMS = ROOT / "tests" / "e2e" / "grading_hostile"
# nbgrader as it comes, in one process, whose kernels listen on TCP.
PLAIN = "env HPCAMPUS_COURSE_ROLE=student nbgrader autograde ps1 --KernelManager.transport=tcp"
# Results of the same submissions are not taken from an earlier round.
SANDBOXED = "nbgrader autograde ps1 --SandboxedAutograde.run_again=True"
SLOTS = (1, 2)
KEPT = "nbgrader autograde ps1 --force"
SIMULATED_SLOTS = (1, 2, 8, 64)


def measure(submissions: int) -> None:
    """Autograde as many submissions in each way and print the seconds."""
    asyncio.run(_measure(find_platform(), submissions))


async def _measure(platform: Platform, submissions: int) -> None:
    place = f"/course/bench-{secrets.token_hex(4)}"
    async with teaching(platform) as course:
        try:
            await _report(course, f"{place}/plain", submissions, PLAIN, "plain, one process")
            for slots in SLOTS:
                async with asyncio.TaskGroup() as tasks:
                    throttling = tasks.create_task(_throttle(platform, slots))
                    await _report(
                        course, f"{place}/slots-{slots}", submissions, SANDBOXED, f"on the cluster, {slots} slots"
                    )
                    throttling.cancel()
            await _simulate(course, f"{place}/slots-{SLOTS[-1]}/course", submissions)
        finally:
            await course.cell(f"import shutil; shutil.rmtree({place!r})")


async def _simulate(course: Notebook, place: str, submissions: int) -> None:
    """Measure what the course's server does itself and what a task takes, and print what so many slots would make of it."""
    began = time.monotonic()
    await run(course, KEPT, where=place)
    own = (time.monotonic() - began) / submissions
    seconds: list[float] = await course.json_cell(
        "import json, pathlib\n"
        "newest = sorted(pathlib.Path('/srv/hpcampus/runs/results').glob('*.json'), key=lambda path: path.stat().st_mtime)\n"
        f"print(json.dumps([json.loads(path.read_text())['seconds'] for path in newest[-{submissions}:]]))"
    )
    task = sum(seconds) / len(seconds)
    print(f"the course's server itself: {own:.2f} s each; a task: {task:.2f} s")
    for slots in SIMULATED_SLOTS:
        took = simulated(submissions, slots, own, task)
        print(
            f"simulated, {slots} slots on cores of their own: {took:.1f} s, {took / submissions:.2f} s each", flush=True
        )


def simulated(submissions: int, slots: int, own: float, task: float) -> float:
    """Reckon how long a run takes when no task takes time from the course's server.

    Args:
        submissions: How many.
        slots: Tasks that run at the same time.
        own: Seconds of the course's server for each, half of them before the task and half after it.
        task: Seconds of a task.

    Returns:
        Seconds of the run: all are handed out one after the other, then scored one after the other.
    """
    free = [0.0] * slots
    scored = submissions * own / 2
    for number in range(submissions):
        ended = max(heapq.heappop(free), (number + 1) * own / 2) + task
        heapq.heappush(free, ended)
        scored = max(scored, ended) + own / 2
    return scored


async def _report(course: Notebook, place: str, submissions: int, command: str, words: str) -> None:
    files = {name: base64.b64encode((PROGRAMS / name).read_bytes()).decode() for name in ("attempts.py", "course.py")}
    await course.cell(
        "import base64, pathlib, subprocess, sys\n"
        f"place = pathlib.Path({place!r})\n"
        "place.mkdir(parents=True)\n"
        f"for name, text in {files!r}.items():\n"
        "    (place / name).write_bytes(base64.b64decode(text))\n"
        f"subprocess.run([sys.executable, 'course.py', 'make', str(place / 'course'), '{submissions}'], cwd=place, check=True)"
    )
    began = time.monotonic()
    await run(course, command, where=f"{place}/course")
    seconds = time.monotonic() - began
    right = await course.cell(
        "from nbgrader.api import Gradebook\n"
        f"with Gradebook('sqlite:///{Path(place, 'course', 'gradebook.db')}') as book:\n"
        "    print(sum(one.score == 3 for one in book.assignment_submissions('ps1')))"
    )
    print(f"{words}: {seconds:.1f} s, {seconds / submissions:.2f} s each, {right} of {submissions} right", flush=True)


async def _throttle(platform: Platform, slots: int) -> None:
    """Let so many tasks of every run of submissions run at the same time."""
    while True:
        listed = platform.on("login", "squeue", "--noheader", "--name", "hpcampus-grade", "--format", "%F").split()
        for job in set(listed):
            platform.on("login", "scontrol", "update", f"jobid={job}", f"arraytaskthrottle={slots}", good=(0, 1))
        await asyncio.sleep(1)
