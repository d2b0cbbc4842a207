# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The address of the platform comes out of any inventory that says it, and a browser is opened only where one can be seen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from hpcampus import cli, vault
from hpcampus.address import public_url
from hpcampus.cli.open import has_display
from hpcampus.demo import demo_site
from hpcampus.errors import InventoryError
from hpcampus.places import Site, site_at
from tests.unit.wizard.conftest import ROOT

HOSTS = "all:\n  children:\n    hub:\n      hosts:\n        hub.example.org:\n"


def inventory(site: Site, files: dict[str, str]) -> Site:
    for name, text in {"hosts.yml": HOSTS, **files}.items():
        path = site.inventory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return site


@pytest.mark.parametrize(
    ("files", "wanted"),
    [
        ({}, "https://hub.example.org/"),
        ({"hosts.yml": "hub:\n  hosts: {a: {}, b: {}}\n"}, "https://a/"),
        ({"group_vars/all/main.yml": "site_hub_name: jupyter.example.org\n"}, "https://jupyter.example.org/"),
        ({"group_vars/all.yml": "site_public_url: https://x.example.org:8443\n"}, "https://x.example.org:8443/"),
        (
            {"group_vars/all.yml": "site_hub_name: weak\n", "group_vars/hub.yml": "site_hub_name: strong\n"},
            "https://strong/",
        ),
        ({"host_vars/hub.example.org.yml": "site_public_url: https://own.example.org/\n"}, "https://own.example.org/"),
        ({"group_vars/all/main.yml": "site_hub_name: a\nkey: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\n"}, "https://a/"),
        ({"group_vars/all/.hidden.yml": "site_hub_name: hidden\n"}, "https://hub.example.org/"),
        ({"group_vars/all/main.yml": ""}, "https://hub.example.org/"),
    ],
)  # fmt: skip
def test_the_address_is_found(site: Site, files: Any, wanted: Any) -> None:
    assert public_url(inventory(site, files)) == wanted


def test_the_vault_is_not_needed(site: Site, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("key\n")
    inventory(site, {"group_vars/all/vault.yml": vault.encrypt("site_hub_name: secret\n", key)})
    assert public_url(site) == "https://hub.example.org/"


@pytest.mark.parametrize(
    ("files", "says"),
    [
        ({"hosts.yml": "all:\n  hosts: {}\n"}, "site_public_url"),
        ({"hosts.yml": "all:\n  children:\n    hub:\n"}, "site_public_url"),
        ({"group_vars/all/main.yml": "site_hub_name: '{{ groups.hub[0] }}'\n"}, "site_public_url"),
        ({"group_vars/all/main.yml": "a: b: c\n"}, "(line 1)"),
        ({"group_vars/hub.yml": "- a\n"}, "mapping"),
    ],
)
def test_an_address_that_is_not_known_is_said(site: Site, files: Any, says: Any) -> None:
    with pytest.raises(InventoryError) as caught:
        public_url(inventory(site, files))
    assert says in caught.value.why


@pytest.mark.parametrize("name", ["demo", "single", "own-cluster", "remote-centre"])
def test_the_worked_examples_have_an_address(name: Any) -> None:
    assert public_url(site_at(ROOT / "inventories" / name)).startswith("https://")


@pytest.fixture
def browser(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A browser that writes down what it shall show; it is what $BROWSER names, as everywhere on Linux."""
    log = tmp_path / "shown"
    program = tmp_path / "browser"
    program.write_text(f'#!/bin/sh\necho "$1" > {log}.part && mv {log}.part {log}\n')
    program.chmod(0o755)
    monkeypatch.setenv("BROWSER", str(program))
    monkeypatch.setattr("webbrowser._tryorder", None)
    return log


@pytest.mark.parametrize(
    ("arguments", "display", "url", "opened"),
    [
        ([], ":0", "https://hub.example.org/", True),
        (["--page", "admin"], ":0", "https://hub.example.org/hub/admin", True),
        (["--url"], ":0", "https://hub.example.org/", False),
        ([], "", "https://hub.example.org/", False),
    ],
)
def test_open_prints_and_shows(
    site: Site, browser: Path, monkeypatch: pytest.MonkeyPatch, capfd: Any, arguments: Any, display: Any, url: Any, opened: Any
) -> None:  # fmt: skip
    inventory(site, {})
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    monkeypatch.setenv("DISPLAY", display)
    assert cli.run(["open", "-i", str(site.inventory), *arguments]) == 0
    assert capfd.readouterr().out == f"{url}\n"
    assert (browser.read_text() if browser.exists() else "") == (f"{url}\n" if opened else "")


def test_open_knows_the_demo(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["open", "--demo", "--url"]) == 9
    assert "hpcampus demo up" in capsys.readouterr().err
    example = ROOT / "inventories/demo"
    files = {str(path.relative_to(example)): path.read_text() for path in example.rglob("*.yml")}
    inventory(demo_site(), files)
    assert cli.run(["open", "--demo", "--url"]) == 0
    assert capsys.readouterr().out == "https://localhost:8443/\n"


def test_open_without_an_inventory(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["open"]) == 3
    assert "hpcampus setup" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("environment", "wanted"),
    [({}, False), ({"DISPLAY": ""}, False), ({"DISPLAY": ":0"}, True), ({"WAYLAND_DISPLAY": "wayland-0"}, True)],
)
def test_a_display_is_seen(environment: Any, wanted: Any) -> None:
    assert has_display(environment) is wanted
