# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The worked examples are consistent, and the check of an inventory names every mistake at once, before a host is contacted."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.contract.checkout import ROOT

EXAMPLES = [path.parent.name for path in sorted(ROOT.glob("inventories/*/hosts.yml"))]


def validate(inventory: Path, playbook: str = "validate") -> tuple[int, str]:
    """Run the check and give its exit status and its words in one line."""
    done = subprocess.run(
        ["ansible-playbook", "--inventory", str(inventory), f"hpcampus.platform.{playbook}"],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_STDOUT_CALLBACK": "ansible.posix.json", "ANSIBLE_LOCALHOST_WARNING": "0"},
    )
    return done.returncode, done.stdout


def problems(output: str) -> list[str]:
    """Give the problems that the check has named."""
    tasks = [task for play in json.loads(output)["plays"] for task in play["tasks"]]
    (failed,) = [result for task in tasks for result in task["hosts"].values() if result.get("failed")]
    head, *rest = failed["msg"]
    assert head == f"The inventory has {len(rest)} problem(s); nothing was changed."
    return list(rest)


def changed(tmp_path: Path, variables: dict[str, Any], host: dict[str, Any] | None = None) -> Path:
    """Give a copy of an example with variables over its own."""
    copy = tmp_path / "inventory"
    shutil.copytree(ROOT / "inventories/own-cluster", copy)
    (copy / "group_vars/all/zz.yml").write_text(json.dumps(variables), encoding="utf-8")
    if host:
        (copy / "host_vars").mkdir()
        (copy / "host_vars/node02.cluster.example.org.yml").write_text(json.dumps(host), encoding="utf-8")
    return copy


def test_there_is_an_example_for_every_profile_that_can_be_installed() -> None:
    assert EXAMPLES == ["demo", "own-cluster", "remote-centre", "single"]


@pytest.mark.parametrize("name", EXAMPLES)
def test_examples_are_consistent(name: str) -> None:
    status, output = validate(ROOT / "inventories" / name)
    assert status == 0, output
    assert "The inventory is consistent." in output


@pytest.mark.parametrize("playbook", ["validate", "site"])
def test_an_inventory_that_is_not_there_is_an_error(playbook: str, tmp_path: Path) -> None:
    status, output = validate(tmp_path / "nope", playbook)
    assert status == 2
    assert "names no host: nothing was done" in output


def test_every_shape_that_is_wrong_is_named_at_once(tmp_path: Path) -> None:
    main = {
        "site_courses": [{"slug": "a1", "title": "A", "instructors": "mcurie"}],
        "site_hub_ssh_port": "22",
        "apptainer_source": "debian",
        "jupyterhub_authenticator": "ldap",
        "tunnel_exempt_networks": "{{ ansible_facts['all_ipv4_addresses'] }}",
    }
    host = {"site_node_memory": 64000, "site_node_cpus": "four"}
    status, output = validate(changed(tmp_path, main, host))
    assert status == 2
    found = problems(output)
    assert sorted(text.split(" = ")[0] for text in found) == [
        "apptainer_source",
        "jupyterhub_authenticator",
        "site_courses[0].instructors",
        "site_hub_ssh_port",
        "site_node_cpus",
        "site_node_memory",
    ]


def test_every_contradiction_is_named_at_once(tmp_path: Path) -> None:
    main = {
        "site_hub_name": "jupyter-.example.org",
        "site_admins": ["anna."],
        "site_accounts": [],
        "site_courses": [{"slug": "../x", "title": "two\nlines", "instructors": ["eve"]}],
        "apptainer_source": "deb",
        "apptainer_deb_url": "https://example.org/apptainer.rpm",
    }
    status, output = validate(changed(tmp_path, main))
    assert status == 2
    assert sorted(text.split(" = ")[0] for text in problems(output)) == [
        "apptainer_deb_checksum",
        "apptainer_deb_url",
        "site_admins",
        "site_courses[0].slug",
        "site_courses[0].title",
        "site_hub_address",
        "site_hub_name",
    ]


def test_courses_in_files_are_checked_like_those_of_the_list(tmp_path: Path) -> None:
    record = {"slug": "physics101-ws26", "title": "Twice", "instructors": ["mcurie"], "start": "soon"}
    inventory = changed(tmp_path, {"site_courses": [record]})
    place = inventory / "group_vars/all/courses"
    place.joinpath("a.yml").write_text("site_course_a: {slug: b, title: A, instructors: [mcurie]}\n")
    archive = place / ".archive"
    archive.mkdir()
    archive.joinpath("old.yml").write_text("site_course_old: {slug: ../old}\n")
    only_hub = inventory / "group_vars/hub/courses.yml"
    only_hub.parent.mkdir()
    only_hub.write_text("site_course_c: {slug: c, title: C, instructors: [mcurie]}\n")
    status, output = validate(inventory)
    assert status == 2
    assert sorted(text.split(" = ")[0] for text in problems(output)) == [
        "site_course_a",
        "site_course_c",
        "site_course_physics101_ws26.slug",
        "site_courses[0].start",
    ]


def test_a_field_that_no_course_has_is_named_in_its_file(tmp_path: Path) -> None:
    inventory = changed(tmp_path, {})
    path = inventory / "group_vars/all/courses/physics101-ws26.yml"
    path.write_text(path.read_text().replace("grace_minutes", "grace_minute").replace("open: true", "open: sure"))
    status, output = validate(inventory)
    assert status == 2
    assert sorted(text.split(" = ")[0] for text in problems(output)) == [
        "site_course_physics101_ws26.late.grace_minute",
        "site_course_physics101_ws26.open",
    ]
