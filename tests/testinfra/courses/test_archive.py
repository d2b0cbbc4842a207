# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The archive of a course on a hub: from the running service, and brought by the playbook over ssh."""

from __future__ import annotations

import json
import shlex
from pathlib import Path

import pytest

from hpcampus.course_modules import course_module
from tests.testinfra.courses.test_courses import SERVICE, ask, token
from tests.testinfra.plays import refused_playbook, run_playbook
from tests.testinfra.reach import hosts, ip

testinfra_hosts = hosts("hub")
ROOT = Path(__file__).parents[3]
PLAYBOOK = str(ROOT / "playbooks/course_archive.yml")
MEGABYTES = 48


@pytest.fixture(scope="module")
def course_token(host) -> str:
    """A token of the course's own account."""
    return token(host, ip(host.check_output("hostname")), "root1", "course-physics101")


@pytest.fixture(scope="module")
def released(host, course_token: str) -> str:
    """Digest of an assignment that is released and large."""
    host.check_output(f"head -c {MEGABYTES * 2**20} /dev/urandom > /tmp/release.tar")
    digest = host.check_output("sha256sum /tmp/release.tar").split()[0]
    headers = ["--header", f"Hpcampus-SHA256: {digest}", "--header", "Hpcampus-Notebooks: p1"]
    where = f"{SERVICE}/courses/physics101/assignments/archived/release"
    status, body = ask(host, where, course_token, *headers, "--upload-file", "/tmp/release.tar")
    assert status == 200, body
    return digest


def leftovers(host) -> str:
    return str(host.check_output("ls /var/tmp | grep hpcampus-archive || true"))


def test_the_service_gives_it_within_its_walls(host, course_token: str, released: str):
    where = f"{SERVICE}/courses/physics101/archive"
    assert ask(host, where, course_token, "--output", "/tmp/archive.tar")[0] == 200
    names = host.check_output("tar -tf /tmp/archive.tar").splitlines()
    assert names[0] == "manifest.json"
    assert "assignments/archived/release.tar" in names
    manifest = json.loads(host.check_output("tar -xOf /tmp/archive.tar manifest.json"))
    assert released in [one["sha256"] for one in manifest["files"]]
    assert manifest["gradebook"]["where"] == "database hpcampus_course_physics101 of the hub's PostgreSQL"


def test_the_playbook_brings_it_whole_and_leaves_nothing(host, released: str, tmp_path: Path):
    file = tmp_path / "archive.tar"
    run_playbook(PLAYBOOK, "-e", "course_slug=physics101", "-e", f"course_archive={shlex.quote(str(file))}")
    manifest = course_module(ROOT, "archive/check").check(file)
    assert released in [one["sha256"] for one in manifest["files"]]
    assert manifest["course"]["title"] == "Physics 101"
    assert leftovers(host) == ""


def test_an_unknown_course_is_refused_by_name_and_leaves_nothing(host, tmp_path: Path):
    file = tmp_path / "archive.tar"
    said = refused_playbook(PLAYBOOK, "-e", "course_slug=--help", "-e", f"course_archive={file}")
    assert "There is no course '--help'" in said
    assert not file.exists()
    assert leftovers(host) == ""
