# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A wrong variable stops its role before the first change, and the message names it."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.testinfra.reach import reach

MOLECULE = Path(__file__).parents[3] / "molecule"
# One value of a wrong type and one of the right type that cannot work, for each role where there is such a one.
WRONG: list[tuple[str, str, Any]] = [
    ("apache", "apache_hsts_seconds", "a year"),
    ("apache", "apache_certificate", "bought"),
    ("apptainer", "apptainer_source", "elsewhere"),
    ("base", "base_packages", {"acl": True}),
    ("base", "base_hostname", "two words"),
    ("courses", "courses_records", [{"slug": "../physics", "title": "Physics"}]),
    ("courses", "courses_records", [{"slug": "physics", "title": "Physics", "instructors": "mcurie"}]),
    ("courses", "courses_records", [{"slug": "physics", "title": "two\nlines"}]),
    ("gateway", "gateway_uid", "many"),
    ("gateway", "gateway_authorized_keys", ['command="/bin/sh" ssh-ed25519 AAAA']),
    ("images", "images_catalogue", [{"name": "Not a name"}]),
    ("images", "images_tests", [{"course": "physics", "image": "none", "notebook": "/none/test.ipynb"}]),
    ("jupyterhub", "jupyterhub_authenticator", "anybody"),
    ("jupyterhub", "jupyterhub_public_url", "hub.example.org"),
    ("slurm", "slurm_roles", ["headnode"]),
    ("slurm", "slurm_partitions", [{"name": "a b", "max_time_minutes": 10, "default_time_minutes": 10}]),
    ("tunnel", "tunnel_port_min", "low"),
    ("tunnel", "tunnel_port_max", 1),
]


@pytest.mark.parametrize(("role", "variable", "value"), WRONG, ids=lambda v: v if isinstance(v, str) else None)
def test_it_stops_before_the_first_change(role: str, variable: str, value: Any, tmp_path: Path) -> None:
    host = "apptainer" if role == "images" else role
    done = _run(host, role, {variable: value}, tmp_path)
    assert done.returncode == 2, done.stdout
    (stats,) = json.loads(done.stdout)["stats"].values()
    assert (stats["failures"], stats["unreachable"], stats["changed"]) == (1, 0, 0)
    (message,) = _failures(done.stdout)
    assert variable in message


def test_a_right_variable_goes_through(tmp_path: Path) -> None:
    """Without this, a role that always fails would pass."""
    done = _run("base", "base", {"base_packages": ["acl"]}, tmp_path)
    assert done.returncode == 0, done.stdout


def test_each_role_was_alone() -> None:
    packages = {"slurm": "slurmctld", "apache": "apache2", "apptainer": "apptainer"}
    for host in ("apache", "apptainer", "base", "courses", "gateway", "jupyterhub", "slurm", "tunnel"):
        for role, package in packages.items():
            assert reach(host).package(package).is_installed == (host == role), (host, package)


def _run(host: str, role: str, variables: dict[str, Any], tmp_path: Path) -> subprocess.CompletedProcess[str]:
    play = [{"hosts": host, "become": True, "roles": [{"role": f"hpcampus.platform.{role}", "vars": variables}]}]
    book = tmp_path / "book.yml"
    book.write_text(json.dumps(play), encoding="utf-8")
    return subprocess.run(
        [
            "ansible-playbook",
            f"--inventory={MOLECULE / 'shared/inventory'}",
            f"--inventory={MOLECULE / 'alone/inventory'}",
            str(book),
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json"},
    )


def _failures(output: str) -> list[str]:
    tasks = [task for play in json.loads(output)["plays"] for task in play["tasks"]]
    results = [result for task in tasks for result in task["hosts"].values()]
    return [json.dumps(result) for result in results if result.get("failed")]
