# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How steps stand, and the hosts that the groups of an inventory have, as Ansible counts them."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hpcampus import cli
from hpcampus.errors import InventoryError
from hpcampus.fingerprints import Fingerprints
from hpcampus.overview import expand, hosts_of_groups, look_at_steps, read_groups
from hpcampus.places import Site
from hpcampus.state import DONE, FAILED, RUNNING, SKIPPED, STOPPED, Journal, Record
from tests.unit.wizard.conftest import ROOT

INVENTORIES = sorted((ROOT / "inventories").glob("*/hosts.yml"))
HOSTILE = """\
all:
  vars: {a: !vault x}
  hosts:
    outside:
  children:
    hub: {hosts: {h: }}
    slurm:
      children: {slurm_login: , slurm_compute: {hosts: {'c[01:12]': , 'g[a:c]-[1:2]': }}}
    slurm_login: {hosts: {l: {ansible_host: 192.0.2.1}}}
"""


@pytest.mark.parametrize("path", [*INVENTORIES, None], ids=lambda path: path.parent.name if path else "ranges")
def test_groups_have_the_hosts_that_ansible_sees(path: Any, tmp_path: Path) -> None:
    if path is None:
        path = tmp_path / "hosts.yml"
        path.write_text(HOSTILE.replace("!vault ", ""))
    program = Path(sys.executable).with_name("ansible-inventory")
    done = subprocess.run([program, "-i", path, "--list"], capture_output=True, text=True, check=True)
    known = json.loads(done.stdout)

    def below(group: str) -> set[str]:
        record = known.get(group, {})
        return set(record.get("hosts", [])) | {host for child in record.get("children", []) for host in below(child)}

    found = read_groups(path)
    assert {group: set(hosts) for group, hosts in found.items() if hosts} == {
        group: below(group) for group in found if below(group)
    }
    assert set(found["all"])


def test_tags_of_ansible_are_no_obstacle(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text(HOSTILE)
    assert len(read_groups(tmp_path / "hosts.yml")["slurm_compute"]) == 12 + 6
    assert read_groups(tmp_path / "none.yml") == {}


def test_a_broken_list_of_hosts_is_named(tmp_path: Path) -> None:
    (tmp_path / "hosts.yml").write_text("all: [\n")
    with pytest.raises(InventoryError):
        read_groups(tmp_path / "hosts.yml")


def test_a_group_within_itself_ends() -> None:
    assert hosts_of_groups({"a": {"children": {"b": {"hosts": {"x": None}, "children": {"a": None}}}}})["a"] == ("x",)


@pytest.mark.parametrize(
    ("pattern", "hosts"),
    [
        ("c1", ["c1"]),
        ("c[1:3]", ["c1", "c2", "c3"]),
        ("c[08:10].x", ["c08.x", "c09.x", "c10.x"]),
        ("[a:c]", ["a", "b", "c"]),
        ("c[3:1]", []),
        ("c[1:x]", ["c[1:x]"]),
        ("c[]", ["c[]"]),
        ("192.0.2.1", ["192.0.2.1"]),
    ],
)
def test_ranges(pattern: Any, hosts: Any) -> None:
    assert expand(pattern) == hosts


anything = st.recursive(
    st.none() | st.text(max_size=8) | st.integers(),
    lambda x: (
        st.lists(x, max_size=3) | st.dictionaries(st.sampled_from(["hosts", "children", "vars", "a", "c[1:2]"]), x)
    ),
    max_leaves=12,
)


@given(st.dictionaries(st.text(max_size=5), anything))
def test_no_inventory_breaks_the_count(document: Any) -> None:
    assert all(isinstance(host, str) for hosts in hosts_of_groups(document).values() for host in hosts)


@pytest.mark.parametrize(
    ("status", "locked", "same", "state"),
    [
        (None, False, True, "never"),
        (DONE, False, True, "done"),
        (DONE, False, False, "changed"),
        (FAILED, False, True, "failed"),
        (STOPPED, False, True, "stopped"),
        (SKIPPED, False, True, "skipped"),
        (RUNNING, True, True, "running"),
        (RUNNING, False, True, "interrupted"),
    ],
)
def test_how_a_step_stands(
    local_site: Site, collection: Path, status: Any, locked: Any, same: Any, state: Any, capsys: Any, monkeypatch: Any
) -> None:
    monkeypatch.setattr("hpcampus.places.find_collection", lambda: collection)
    local_site.state.make()
    digest = "other"
    if same:
        (step, *_) = (one.step for one in look_at_steps(local_site, collection))
        digest = Fingerprints(collection, local_site.inventory).of(step)
    journal = Journal()
    if status:
        journal = journal.note("one", Record(DONE, 3.0, 2, "2026-11-25T10:00:00Z", digest))
        journal = journal.note("one", Record(status, 62.0, 1, "2026-11-26T09:12:03Z", digest))
    local_site.state.save(journal)
    if locked:
        with local_site.state.lock():
            standings = look_at_steps(local_site, collection)
    else:
        standings = look_at_steps(local_site, collection)
    assert standings[0].state == state
    assert (standings[0].groups, standings[0].hosts) == ({"all": 1}, 1)
    assert standings[1].state == "never"
    if not locked:
        assert cli.run(["steps", "-i", str(local_site.inventory), "--json"]) == 0
        data = json.loads(capsys.readouterr().out)["steps"]
        assert (data[0]["name"], data[0]["state"], data[0]["groups"], data[0]["hosts"]) == ("one", state, {"all": 1}, 1)
        assert data[0]["seconds"] == (None if status is None else 62.0 if status == DONE else 3.0)
        assert cli.run(["steps", "-i", str(local_site.inventory)]) == 0
        shown = capsys.readouterr().out
        assert "on all 1: 1 host" in shown
        assert ("2026-11-26 09:12 UTC" in shown) is (status is not None)


def test_the_catalogue_is_yaml_that_names_real_groups() -> None:
    steps = yaml.safe_load((ROOT / "playbooks/vars/steps.yml").read_text())["steps"]
    groups = {group for path in INVENTORIES for group in read_groups(path)}
    assert {group for step in steps for group in step["hosts"]} <= groups
