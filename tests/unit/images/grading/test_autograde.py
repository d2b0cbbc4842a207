# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's own command autogrades through the cluster: points, flags, kept results, lost tasks, and no way around it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.e2e.grading_hostile import course
from tests.e2e.grading_hostile.attempts import ATTEMPTS, FULL, GOOD, HONEST, Attempt, answer
from tests.unit.images.grading.local_cluster import SOURCE, LocalCluster

pytestmark = pytest.mark.processes

CONFIG = """
import sys
sys.path.insert(0, {source!r})
from hpcampus_nbgrader.grading import autograde
from hpcampus_nbgrader.grading.install import install
install()
autograde.LOST_SECONDS = autograde.ASK_SECONDS = 0.5
c = get_config()
c.SandboxedAutograde.runs_directory = {runs!r}
c.CourseDirectory.course_id = "py1"
"""


@pytest.fixture
def place(tmp_path: Path) -> Path:
    found = tmp_path / "course"
    found.mkdir()
    return found


def autograde(place: Path, cluster: LocalCluster, *more: str) -> subprocess.CompletedProcess[str]:
    """Run nbgrader's command in a course."""
    (place / "nbgrader_config.py").write_text(CONFIG.format(source=str(SOURCE), runs=str(cluster.runs)))
    env = {
        **os.environ,
        "JUPYTERHUB_API_URL": cluster.url,
        "JUPYTERHUB_API_TOKEN": "token",
        "HPCAMPUS_COURSE": "py1",
        "HPCAMPUS_COURSE_ROLE": "course",
    }
    argv = [sys.executable, "-m", "nbgrader", "autograde", course.ASSIGNMENT, *more]
    return subprocess.run(argv, cwd=place, env=env, capture_output=True, text=True, check=False, timeout=300)


def points(place: Path) -> dict[str, float]:
    return {name: one["points"] for name, one in course.read(place).items()}


def test_points_are_those_of_plain_nbgrader_and_a_second_run_runs_nothing(place: Path, cluster: LocalCluster) -> None:
    course.make(place, HONEST)
    done = autograde(place, cluster, f"--SandboxedAutograde.tally={place}/tally.json")
    assert done.returncode == 0, done.stderr
    assert json.loads((place / "tally.json").read_text()) == {"total": 3, "done": 3, "failed": 0}
    assert points(place) == {one.name: one.points for one in HONEST}
    assert [one["flags"] for one in course.read(place).values()] == [[], [], []]
    assert (cluster.told[0]["state"], cluster.told[-1]["state"], cluster.told[-1]["done"]) == ("queued", "done", 3)
    assert len(cluster.started) == 1
    assert autograde(place, cluster).returncode == 0
    assert autograde(place, cluster, "--force").returncode == 0  # what ran before is scored again, and does not run
    assert len(cluster.started) == 1
    assert points(place) == {one.name: one.points for one in HONEST}
    assert autograde(place, cluster, "--force", "--SandboxedAutograde.run_again=True").returncode == 0
    assert len(cluster.started) == 2
    assert not list(place.glob(".hpcampus/sanitised/*"))
    assert [path.name for path in cluster.runs.iterdir()] == ["results"]


def test_isolated_tests_see_through_objects_that_equal_everything(place: Path, cluster: LocalCluster) -> None:
    chosen = tuple(one for one in ATTEMPTS if one.name in ("equal", "no-asserts", "forge", "peek"))
    course.make(place, (*HONEST, *chosen))
    cluster.terms["isolate_tests"] = True
    assert autograde(place, cluster).returncode == 0
    found = points(place)
    assert {name: found[name] for name in ("honest-full", "honest-half", "honest-none")} == {
        "honest-full": 3.0,
        "honest-half": 2.0,
        "honest-none": 0.0,
    }
    assert (found["equal"], found["no-asserts"], found["forge"]) == (1.0, 0.0, 0.0)  # equal does raise the error


def test_tasks_that_are_lost_run_once_more_and_then_are_told(place: Path, cluster: LocalCluster) -> None:
    three = tuple(Attempt(f"s{number}", "", answer(f"{GOOD}\n# {number}"), FULL) for number in range(3))
    course.make(place, three)
    cluster.ends = {(1, 0), (1, 2), (2, 1)}
    done = autograde(place, cluster)
    assert done.returncode == 0, done.stderr
    assert [tasks for _, tasks in cluster.started] == [3, 2]
    found = course.read(place)
    assert {name: one["points"] for name, one in found.items()} == {"s0": 3.0, "s1": 3.0, "s2": 0.0}
    assert "ended without a result" in found["s2"]["comment"][0]
    cluster.ends = set()
    assert autograde(place, cluster, "--force").returncode == 0
    assert points(place) == {"s0": 3.0, "s1": 3.0, "s2": 3.0}
    assert course.read(place)["s2"]["flags"] == []
    assert cluster.started[-1][1] == 1  # only what had no result


@pytest.mark.parametrize("status", [403, 502])
def test_without_the_cluster_nothing_is_graded_and_the_reason_is_told(
    place: Path, cluster: LocalCluster, status: int
) -> None:
    course.make(place, HONEST[:1])
    (place / "submitted" / "honest-full" / course.ASSIGNMENT / "ran").mkdir()
    cluster.down = status
    config = "from hpcampus_nbgrader.grading import cluster\ncluster.Cluster.__init__.__defaults__ = (0.5,)\n"
    before = CONFIG
    try:
        globals()["CONFIG"] = before.replace("install()\n", "install()\n" + config, 1)
        done = autograde(place, cluster)
    finally:
        globals()["CONFIG"] = before
    assert done.returncode == 1
    assert "The cluster cannot run submissions. sbatch failed (1): no partition" in done.stderr
    assert course.read(place) == {}
    assert not (place / "autograded").exists()


def test_an_update_of_one_student_leaves_the_others_alone(place: Path, cluster: LocalCluster) -> None:
    course.make(place, HONEST)
    assert autograde(place, cluster).returncode == 0
    folder = place / "submitted" / "honest-none" / course.ASSIGNMENT
    text = json.loads((folder / f"{course.NOTEBOOK}.ipynb").read_text())
    text["cells"][0]["source"] = GOOD
    (folder / f"{course.NOTEBOOK}.ipynb").write_text(json.dumps(text))
    (folder / "timestamp.txt").write_text("2026-11-21 10:00:00.000000 UTC")
    assert autograde(place, cluster).returncode == 0
    assert points(place)["honest-none"] == FULL
    assert [tasks for _, tasks in cluster.started] == [3, 1]
