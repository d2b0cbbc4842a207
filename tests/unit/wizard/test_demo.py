# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The demo's inventory, made for containers that are only pretended; the real ones are proved by `make demo`."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hpcampus import demo, lab, vault
from hpcampus.collection_checks import inventory_problems
from hpcampus.errors import LabError
from hpcampus.inventory_files import plain, read_documents
from hpcampus.passwords import matches
from hpcampus.screens.demo import print_access, print_status
from tests.unit.wizard.conftest import ROOT

EXAMPLE = ROOT / "inventories/demo"


class Containers:
    """Four containers that exist on paper."""

    def __init__(self, boot: Any = "1") -> None:
        self.boot = boot
        self.removed = False
        self.state = "running"

    def inventory_hosts(self) -> Any:
        return {host.name: {"ansible_ssh_common_args": "-F /somewhere/ssh_config"} for host in demo.HOSTS}

    def exec(self, host: Any, argv: Any) -> Any:
        return subprocess.CompletedProcess(argv, 0, stdout=f"{host}-{self.boot}\n")

    def down(self, progress: Any) -> None:
        progress("Remove 4 test hosts")
        self.removed = True

    def status(self) -> Any:
        return [lab.HostStatus(host.name, self.state, "") for host in demo.HOSTS]


@pytest.fixture(autouse=True)
def no_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    settings = {"site_ca_certificates": [], "site_pip_index_url": "", "site_npm_registry": ""}
    monkeypatch.setattr(lab, "site_settings", lambda: settings)


def test_the_inventory_is_the_worked_example_with_accounts() -> None:
    site = demo.demo_site()
    accounts = demo.write_inventory(site, Containers(), EXAMPLE)
    assert [account.name for account in accounts] == [
        "admin",
        "instructor",
        "instructor2",
        "assistant",
        "student1",
        "student2",
        "student3",
    ]
    documents = read_documents(site, vault.find_key(site, None))
    hashes = documents.secrets["vault_password_hashes"]
    assert all(matches(account.password, hashes[account.name]) for account in accounts)
    assert matches(documents.secrets["site_verify_password"], hashes["verify"])
    hosts = plain(documents.hosts)["all"]
    assert set(hosts["hosts"]) == {"campus", "login", "c1", "c2"}
    assert "apptainer_source" in hosts["hosts"]["c1"]
    groups = {"hub": ["campus"], "slurm_controller": ["login"], "slurm_login": ["login"], "slurm_compute": ["c1", "c2"]}
    groups["all"] = ["campus", "login", "c1", "c2"]
    assert (
        inventory_problems(
            ROOT, plain(documents.main), plain(documents.secrets), groups, inventory=demo.demo_site().inventory
        )
        == []
    )


def test_a_second_start_changes_no_password_and_no_file() -> None:
    site = demo.demo_site()
    first = demo.write_inventory(site, Containers(), EXAMPLE)
    before = {path: path.read_bytes() for path in site.inventory.rglob("*") if path.is_file()}
    assert demo.write_inventory(site, Containers(), EXAMPLE) == first
    assert {path: path.read_bytes() for path in site.inventory.rglob("*") if path.is_file()} == before


def test_passwords_are_in_the_vault_only() -> None:
    site = demo.demo_site()
    accounts = demo.write_inventory(site, Containers(), EXAMPLE)
    for path in site.inventory.rglob("*.yml"):
        assert not any(account.password in path.read_text() for account in accounts)
    assert site.inventory.stat().st_mode & 0o077 == 0


def test_containers_made_anew_have_another_identity() -> None:
    assert demo.identity(Containers("1")) == demo.identity(Containers("1")) != demo.identity(Containers("2"))


def test_down_forgets_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    containers = Containers()
    monkeypatch.setattr(demo, "make_lab", lambda: containers)
    site = demo.demo_site()
    demo.write_inventory(site, containers, EXAMPLE)
    said: list[str] = []
    demo.down(said.append)
    assert containers.removed
    assert said == ["Remove 4 test hosts"]
    assert not any(path.exists() for path in (site.inventory, site.state.path, site.default_vault_key))


def test_errors_of_the_lab_keep_their_cure() -> None:
    with pytest.raises(LabError) as caught, demo.translated():
        raise lab.LabError("It broke.", cure="Mend it.", detail="line one")
    assert (caught.value.why, caught.value.cure) == ("It broke.\nline one", "Mend it.")


def test_a_shell_needs_a_running_host(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(LabError) as caught:
        demo.shell("nine", terminal=False)
    assert "campus, login, c1, c2" in caught.value.why
    containers = Containers()
    containers.state = "missing"
    monkeypatch.setattr(demo, "make_lab", lambda: containers)
    with pytest.raises(LabError) as caught:
        demo.shell("campus", terminal=False)
    assert "hpcampus demo up" in caught.value.cure


def test_the_end_says_how_to_get_in_and_how_to_undo(tmp_path: Path) -> None:
    console = Console(record=True, width=100)
    accounts = [demo.Account("student1", "pw", "student physics101")]
    print_access(console, demo.URL, accounts, tmp_path)
    shown = console.export_text()
    for wanted in (
        "https://localhost:8443/",
        "student1",
        "pw",
        "student of physics101",
        "make demo-down",
        "demo shell",
    ):
        assert wanted in shown


@pytest.mark.parametrize(("state", "wanted"), [("running", "runs"), ("missing", "The demo is not up.")])
def test_status(state: Any, wanted: Any) -> None:
    console = Console(record=True, width=100)
    print_status(console, [lab.HostStatus("hub", state, "")], demo.URL)
    assert wanted in console.export_text()
