# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A variable under its old name is read, told of, and written under its new one with its comment."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpcampus import inventory_files
from hpcampus.inventory_files import read_documents, write_documents
from hpcampus.old_names import NewName, load_names, rename_old
from hpcampus.places import Site
from hpcampus.vault import ensure_key
from hpcampus.yaml_files import dump_document, load_document
from tests.unit.wizard.conftest import ROOT

NAMES = {"old": NewName("new", "0.2.0"), "old_b": NewName("new_b", "0.3.0")}


@pytest.mark.parametrize(
    ("before", "after", "found"),
    [
        ("a: 1\n", "a: 1\n", []),
        ("old: 1 # one\nb: 2\n", "new: 1 # one\nb: 2\n", [("old", False)]),
        ("# top\nold: 1\n", "# top\nnew: 1\n", [("old", False)]),
        ("a: 1\n# about it\nold:\n  - x # first\n  - y\nb: 2\n", "a: 1\n# about it\nnew:\n  - x # first\n  - y\nb: 2\n", [("old", False)]),
        ("old: {a: 1} # map\n", "new: {a: 1} # map\n", [("old", False)]),
        ("new: 2\nold: 1\n", "new: 2\n", [("old", True)]),
        ("old: 1\nold_b: 'x' # b\n", "new: 1\nnew_b: 'x' # b\n", [("old", False), ("old_b", False)]),
    ],
)  # fmt: skip
def test_renamed_in_place(before: str, after: str, found: Any) -> None:
    document = load_document(before, "test")
    renamed = rename_old(document, Path("main.yml"), NAMES)
    assert [(item.old, item.dropped) for item in renamed] == found
    assert dump_document(document).removeprefix("---\n") == after


def test_on_reading_an_inventory(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inventory_files, "load_names", lambda: NAMES)
    site.main_file.parent.mkdir(parents=True)
    site.main_file.write_text("old: 1 # mine\n")
    other = site.inventory / "group_vars/hub.yml"
    other.write_text("old_b: 2 # the hub's\n")
    site.hosts_file.write_text("all:\n  vars:\n    old: 3\n")
    key = ensure_key(site, None)
    documents = read_documents(site, key)
    assert sorted(str(item.path.relative_to(site.inventory)) for item in documents.renamed) == [
        "group_vars/all/main.yml",
        "group_vars/hub.yml",
        "hosts.yml",
    ]
    write_documents(site, documents, key)
    assert site.main_file.read_text() == "new: 1 # mine\n"
    assert other.read_text() == "new_b: 2 # the hub's\n"
    assert "new: 3" in site.hosts_file.read_text()
    assert read_documents(site, key).renamed == []


def specified() -> set[str]:
    found: set[str] = set()
    for path in (ROOT / "roles").glob("*/meta/argument_specs.yml"):
        for entry in yaml.safe_load(path.read_text())["argument_specs"].values():
            found.update(entry.get("options") or {})
    return found


def complaints(names: Any) -> list[str]:
    known = specified()
    wrong = [f"{new.name} exists nowhere" for new in names.values() if new.name not in known]
    wrong += [f"{old} is still a variable" for old in names if old in known]
    return wrong + [
        f"{new.since} is no version" for new in names.values() if not re.fullmatch(r"\d+\.\d+\.\d+", new.since)
    ]


def test_the_table_fits_the_roles() -> None:
    """Every new name is a variable of a role, and no old one is."""
    assert complaints(load_names()) == []


def test_that_a_wrong_table_is_found() -> None:
    wrong = {"site_hub_name": NewName("site_nowhere", "soon"), "site_old": NewName("site_hub_name", "0.2.0")}
    assert complaints(wrong) == [
        "site_nowhere exists nowhere",
        "site_hub_name is still a variable",
        "soon is no version",
    ]


def test_the_shape_of_the_table(tmp_path: Path) -> None:
    table = tmp_path / "names.yml"
    table.write_text("names:\n  a: {name: b, since: 0.2.0}\n")
    assert load_names(table) == {"a": NewName("b", "0.2.0")}
