# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A step's fingerprint changes with its playbook, its roles, the plugins and the variables, and with nothing else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpcampus.apply import load_steps
from hpcampus.catalogue import Step
from hpcampus.fingerprints import Fingerprints, find_playbook, inventory_digest, used_roles
from tests.unit.wizard.conftest import ROOT

PREFIX = "hpcampus.platform"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A collection with five roles and an inventory."""
    root = tmp_path / "tree"
    for role in ("base", "site", "hub", "deep", "dependent"):
        (root / "roles" / role / "tasks").mkdir(parents=True)
        (root / "roles" / role / "tasks/main.yml").write_text("- ansible.builtin.ping:\n")
    (root / "roles/dependent/meta").mkdir()
    (root / "roles/dependent/meta/main.yml").write_text(f"dependencies:\n  - role: {PREFIX}.base\n")
    (root / "roles/hub/tasks/main.yml").write_text(
        f"- block:\n    - ansible.builtin.include_role: {{name: {PREFIX}.deep, tasks_from: x}}\n"
    )
    for place in ("playbooks/steps", "playbooks/vars", "plugins/modules"):
        (root / place).mkdir(parents=True)
    (root / "plugins/modules/files.py").write_text("x = 1\n")
    (root / "inventory/group_vars/all").mkdir(parents=True)
    (root / "inventory/hosts.yml").write_text("all: {hosts: {a: {}}}\n")
    (root / "inventory/group_vars/all/main.yml").write_text("# a comment\nname: value\nsecond: ['1', 2]\n")
    return root


def play(tree: Path, name: str, text: str) -> Step:
    (tree / f"playbooks/steps/{name}.yml").write_text(text)
    return Step(name, name, f"{PREFIX}.steps.{name}", ("all",), "")


def roles_of(tree: Path, text: str) -> tuple[str, ...]:
    step = play(tree, "x", text)
    playbook = find_playbook(tree, step.playbook)
    assert playbook is not None
    return used_roles(tree, playbook)


EVERY = ("base", "deep", "dependent", "hub", "site")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("- hosts: all\n  roles: [hpcampus.platform.site]\n", ("site",)),
        ("- hosts: all\n  roles:\n    - {role: hpcampus.platform.base, vars: {a: 1}}\n", ("base",)),
        ("- hosts: all\n  roles:\n    - name: site\n", ("site",)),
        ("- hosts: all\n  tasks:\n    - ansible.builtin.import_role: {name: hpcampus.platform.hub}\n", ("deep", "hub")),
        ("- hosts: all\n  tasks:\n    - block:\n        - include_role:\n            name: base\n      rescue: []\n", ("base",)),
        ("- hosts: all\n  roles: [hpcampus.platform.dependent]\n", ("base", "dependent")),
        ("- hosts: all\n  pre_tasks:\n    - import_role: {name: site}\n  handlers:\n    - import_role: {name: base}\n", ("base", "site")),
        ("- hosts: all\n  vars: {secret: !vault abc}\n  roles: [site]\n", ("site",)),
        ("- hosts: all\n  tasks: []\n", ()),
        ("", ()),
        # What cannot be told for certain counts as everything.
        ("- hosts: all\n  tasks:\n    - include_role: {name: '{{ some }}'}\n", EVERY),
        ("- hosts: all\n  roles: [other.collection.role]\n", EVERY),
        ("- hosts: all\n  tasks:\n    - include_role: name=site\n", EVERY),
        ("- import_playbook: other.yml\n", EVERY),
        ("- hosts: all\n  roles: [site\n", EVERY),
    ],
)  # fmt: skip
def test_the_roles_of_a_playbook(tree: Path, text: Any, wanted: Any) -> None:
    assert roles_of(tree, text) == wanted


@pytest.mark.parametrize(
    ("name", "content", "changes"),
    [
        ("playbooks/steps/mine.yml", "- hosts: none\n", True),
        ("playbooks/steps/other.yml", "- hosts: none\n", False),
        ("playbooks/verify.yml", "- hosts: none\n", False),
        ("playbooks/vars/steps.yml", "steps: []\n", False),
        ("playbooks/vars/shared.yml", "a: 1\n", True),
        ("roles/site/tasks/main.yml", "- ansible.builtin.debug:\n", True),
        ("roles/site/templates/x.j2", "x", True),
        ("roles/site/__pycache__/x.pyc", "x", False),
        ("roles/base/tasks/main.yml", "- ansible.builtin.debug:\n", False),
        ("plugins/modules/files.py", "x = 2\n", True),
        ("inventory/group_vars/all/main.yml", "name: other\nsecond: ['1', 2]\n", True),
        ("inventory/group_vars/all/main.yml", "name: value\nsecond: [1, 2]\n", True),
        ("inventory/group_vars/all/main.yml", "# another comment\n\nname: 'value'\nsecond:\n  - '1'  # here\n  - 2\n", True),
        ("inventory/group_vars/all/main.yml", "# another comment\n\nname: value\nsecond: ['1', 2]  # here\n", False),
        ("inventory/group_vars/hub/new.yml", "a: 1\n", True),
        ("inventory/group_vars/all/.main.yml.swp", "x", False),
        ("inventory/group_vars/all/main.yml~", "x", False),
        ("inventory/backups/2026/main.yml", "x", False),
        ("inventory/known_hosts.txt", "a ssh-ed25519 AAAA\n", False),
        ("inventory/files/ca.pem", "x", True),
    ],
)  # fmt: skip
def test_what_changes_a_fingerprint(tree: Path, name: Any, content: Any, changes: Any) -> None:
    play(tree, "other", "- hosts: all\n")
    step = play(tree, "mine", "- hosts: all\n  roles: [hpcampus.platform.site]\n")
    before = Fingerprints(tree, tree / "inventory").of(step)
    assert Fingerprints(tree, tree / "inventory").of(step) == before
    (tree / name).parent.mkdir(parents=True, exist_ok=True)
    (tree / name).write_text(content)
    assert (Fingerprints(tree, tree / "inventory").of(step) != before) is changes


def test_other_hosts_change_every_fingerprint(tree: Path) -> None:
    step = play(tree, "mine", "- hosts: all\n")
    assert Fingerprints(tree, tree / "inventory", "a").of(step) != Fingerprints(tree, tree / "inventory", "b").of(step)


def test_a_playbook_that_is_not_there_depends_on_all_roles(tree: Path) -> None:
    step = Step("gone", "", "elsewhere.collection.play", ("all",), "")
    before = Fingerprints(tree, tree / "inventory").of(step)
    (tree / "roles/deep/tasks/main.yml").write_text("[]\n")
    assert Fingerprints(tree, tree / "inventory").of(step) != before


def test_a_file_that_the_inventory_names_counts_with_its_content(tree: Path, tmp_path: Path) -> None:
    certificate = tmp_path / "hub.pem"
    (tree / "inventory/group_vars/all/main.yml").write_text(f"apache_certificate_file: {certificate}\n")
    missing = inventory_digest(tree / "inventory")
    certificate.write_text("first")
    first = inventory_digest(tree / "inventory")
    certificate.write_text("renewed")
    assert len({missing, first, inventory_digest(tree / "inventory")}) == 3


def test_a_test_of_an_image_counts_with_all_that_goes_with_it(tree: Path) -> None:
    place = tree / "inventory/.tests/a"
    place.mkdir(parents=True)
    (place / "test.ipynb").write_text("{}")
    unused = inventory_digest(tree / "inventory")
    (place / "data.csv").write_text("1")
    assert inventory_digest(tree / "inventory") == unused
    (tree / "inventory/group_vars/all/courses.yml").write_text("site_course_a: {image_test: .tests/a/test.ipynb}\n")
    seen = [inventory_digest(tree / "inventory")]
    (place / "data.csv").write_text("2")
    seen.append(inventory_digest(tree / "inventory"))
    (place / "test.ipynb").write_text("[]")
    seen.append(inventory_digest(tree / "inventory"))
    (place / ".hidden").write_text("3")
    assert len({unused, *seen}) == 4
    assert inventory_digest(tree / "inventory") == seen[-1]


@given(st.binary(max_size=200))
def test_no_inventory_breaks_the_digest(tmp_path_factory: Any, content: bytes) -> None:
    inventory = tmp_path_factory.mktemp("inventory")
    (inventory / "hosts.yml").write_bytes(content)
    first = inventory_digest(inventory)
    (inventory / "hosts.yml").write_bytes(content + b"\nmore: 1\n")
    assert inventory_digest(inventory) != first


def test_the_steps_of_the_collection_use_the_roles_that_their_playbooks_name() -> None:
    found = {}
    for step in load_steps(ROOT):
        playbook = find_playbook(ROOT, step.playbook)
        assert playbook is not None
        found[step.name] = set(used_roles(ROOT, playbook))
    every = {path.name for path in (ROOT / "roles").iterdir() if path.is_dir()}
    assert all("site" in roles and roles < every for roles in found.values())
    assert found["base"] == {"base", "site"}
    assert {"gateway", "jupyterhub", "tunnel"} <= found["gateway"]
    assert set().union(*found.values()) == every
