# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The inventories that setup writes for each profile, word for word, and what Ansible and the collection make of them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from hpcampus.host_keys import HostKey
from hpcampus.places import Site, link_collection, site_at
from hpcampus.probes import Finding, Probe, Prober
from hpcampus.setup import Request, Setup
from tests.unit.wizard.conftest import ANSWERS, CENTRE, ROOT, SINGLE

GOLDEN = Path(__file__).with_name("golden")
PROFILES: dict[str, dict[str, Any]] = {"own-cluster": ANSWERS, "single": SINGLE, "remote-centre": CENTRE}
NAMES = ("nodes", "hub", "centre")
FILES = ("hosts.yml", "group_vars/all/main.yml", "group_vars/all/courses/physics101.yml", "known_hosts.txt")
BLOB = "AAAAC3NzaC1lZDI1NTE5AAAAI" + "A" * 43


def looks() -> Prober:
    """A prober that finds middling nodes, wherever it looks."""
    return Prober([finds(name) for name in NAMES])


def finds(name: str) -> Probe:
    return Probe(name, 5, lambda _known: 1, lambda _: Finding(name, facts={"cpus": 8, "memory_mb": 32000}))


def write(directory: Path, profile: str) -> Site:
    site = site_at(directory / "site")
    request = Request(from_file=PROFILES[profile], password="correct horse", accept_new=True)
    Setup(
        site, ROOT, request, None, lambda _key, _values: None, lambda host: [HostKey(host, "ssh-ed25519", BLOB)], looks
    ).run()
    return site


@pytest.fixture(params=sorted(PROFILES))
def profile(request: pytest.FixtureRequest) -> Any:
    return request.param


def test_every_file_word_for_word(tmp_path: Path, profile: Any) -> None:
    site = write(tmp_path, profile)
    for name in FILES:
        assert (site.inventory / name).read_text() == (GOLDEN / profile / name).read_text(), name


def test_ansible_and_the_collection_accept_it(tmp_path: Path, profile: Any) -> None:
    site = write(tmp_path, profile)
    key = ["--vault-password-file", str(site.default_vault_key)]
    program = Path(sys.executable).with_name
    done = subprocess.run(
        [program("ansible-inventory"), "-i", str(site.inventory), "--list", *key],
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    assert "WARNING" not in done.stderr
    groups = json.loads(done.stdout)
    assert groups["hub"]["hosts"] == ["jupyter.example.org"]
    checked = subprocess.run(
        [program("ansible-playbook"), "-i", str(site.inventory), str(ROOT / "playbooks/validate.yml"), *key],
        capture_output=True, text=True, check=False, timeout=120, cwd=tmp_path,
        env={**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(link_collection(ROOT, site.state.path))},
    )  # fmt: skip
    assert checked.returncode == 0, checked.stdout
