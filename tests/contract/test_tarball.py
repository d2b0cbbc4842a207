# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What `ansible-galaxy collection build` packs: the collection, and nothing that merely lies in the checkout."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from tests.contract.checkout import ROLES, copy_tracked, tracked

STRAYS = (
    "inventories/own-cluster/group_vars/all/vault.yml",
    "inventories/secret/hosts.yml",
    "roles/base/__pycache__/x.pyc",
)


@pytest.fixture(scope="module")
def packed(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the collection from a copy of the checkout in which secrets lie around, and return the list of files."""
    top = tmp_path_factory.mktemp("checkout")
    copy_tracked(top)
    for name in STRAYS:
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("secret")
    galaxy = Path(sys.executable).parent / "ansible-galaxy"
    argv = [str(galaxy), "collection", "build", "--output-path", str(top / "out"), str(top)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with tarfile.open(next((top / "out").glob("hpcampus-platform-*.tar.gz"))) as archive:
        return sorted(member.name for member in archive if member.isfile())


def test_tarball_holds_the_collection(packed: list[str]):
    assert {"MANIFEST.json", "FILES.json", "README.md", "LICENSE", "meta/runtime.yml", "playbooks/site.yml"} <= set(
        packed
    )
    assert {"LICENSES/BSD-3-Clause.txt", "LICENSES/GPL-3.0-or-later.txt"} <= set(packed)
    assert {f"roles/{role}/meta/argument_specs.yml" for role in ROLES} <= set(packed)


def test_tarball_holds_every_file_of_roles_playbooks_and_plugins(packed: list[str]):
    ours = [name for name in tracked() if name.startswith(("roles/", "playbooks/", "plugins/"))]
    assert sorted(set(ours) - set(packed)) == []


def test_tarball_holds_nothing_else(packed: list[str]):
    made = {"MANIFEST.json", "FILES.json"}
    assert sorted(set(packed) - set(tracked()) - made) == []
    tops = {name.split("/")[0] for name in packed}
    assert tops.isdisjoint(
        {"tests", "molecule", "wizard", "requirements", "tools", "Makefile", "pyproject.toml", "artifacts"}
    )
    assert not set(STRAYS) & set(packed)
