# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""An inventory keeps what a person wrote, its secrets are encrypted, and it is never half written."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpcampus import inventory_files, vault
from hpcampus.errors import InventoryError, VaultError
from hpcampus.files import write_atomically
from hpcampus.inventory_files import Documents, plain, read_documents, replace, update, write_documents
from hpcampus.places import Site
from hpcampus.render import SMALL_NODE, hosts_document, main_variables
from hpcampus.yaml_files import dump_document, load_document
from tests.unit.wizard.conftest import ANSWERS, CANARY, QUESTIONS

MAIN = """\
# My licence line
---
# About the hub
site_hub_name: jupyter.example.org  # asked the network people
slurm_config:
  # for the GPUs
  GresTypes: gpu
site_courses:
  - slug: physics101 # first
    title: 'Physics 101'
    instructors: [mcurie]
    open: true
    image: notebook
    profile: small
"""


def write(site: Site, answers: Any = ANSWERS) -> Any:
    key = vault.ensure_key(site, None)
    documents = read_documents(site, key)
    update(documents.main, main_variables(answers, plain(documents.main), SMALL_NODE, QUESTIONS.specs))
    update(documents.secrets, {"site_verify_password": CANARY, "vault_password_hashes": {"admin": CANARY}})
    replace(documents.hosts, hosts_document(answers, plain(documents.hosts)))
    documents.known_hosts = "c1 ssh-ed25519 AAAA\n"
    return write_documents(site, documents, key), key


def test_comments_unknown_variables_and_spelling_are_kept(site: Site) -> None:
    site.main_file.parent.mkdir(parents=True)
    site.main_file.write_text(MAIN)
    write(site, {**ANSWERS, "course_title": "Physics for all"})
    text = site.main_file.read_text()
    for kept in (
        "# My licence line\n---\n", "# About the hub\n", "# asked the network people", "# for the GPUs\n", "GresTypes: gpu",
        "# first", "[mcurie]",
    ):  # fmt: skip
        assert kept in text
    assert "Physics for all" in text
    assert "Physics 101" not in text


def test_a_second_write_changes_nothing(site: Site) -> None:
    written, _ = write(site)
    assert all(written.values())
    before = {path: path.read_bytes() for path in written}
    again, _ = write(site)
    assert not any(again.values())
    assert {path: path.read_bytes() for path in again} == before


def test_secrets_are_encrypted_and_private(site: Site) -> None:
    _, key = write(site)
    text = site.vault_file.read_text()
    assert text.startswith("$ANSIBLE_VAULT;1.1;AES256")
    assert CANARY in vault.decrypt(text, key, site.vault_file)
    assert stat.S_IMODE(site.vault_file.stat().st_mode) == 0o600
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert site.inventory not in key.parents
    for path in site.inventory.rglob("*"):
        assert path.is_dir() or CANARY.encode() not in path.read_bytes()


def test_a_plain_vault_file_becomes_encrypted(site: Site) -> None:
    site.vault_file.parent.mkdir(parents=True)
    site.vault_file.write_text("# mine\nmy_secret: x\n")
    _, key = write(site)
    assert "# mine\nmy_secret: x" in vault.decrypt(site.vault_file.read_text(), key, site.vault_file)


@pytest.mark.parametrize("failing", [1, 2, 3, 4])
def test_a_full_disk_leaves_whole_files_and_no_hosts_without_the_rest(
    site: Site, monkeypatch: pytest.MonkeyPatch, failing: Any
) -> Any:
    calls = 0
    real = write_atomically

    def write_until(path: Any, content: Any, mode: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == failing:
            raise OSError(28, "No space left on device")
        return real(path, content, mode)

    vault.ensure_key(site, None)
    monkeypatch.setattr(inventory_files, "write_atomically", write_until)
    with pytest.raises(InventoryError) as caught:
        write(site)
    assert "No space left" in caught.value.why
    assert not site.hosts_file.exists()
    monkeypatch.undo()
    for path in (site.main_file, site.vault_file):
        assert not path.exists() or path.read_text().endswith("\n")


@pytest.mark.parametrize("text", ["a: [", "- a\n- b\n", "just text", "a: 1\na: 2\n", "\t"])
def test_what_is_not_an_inventory_is_refused_and_left_alone(site: Site, text: Any) -> None:
    site.main_file.parent.mkdir(parents=True)
    site.main_file.write_text(text)
    with pytest.raises(InventoryError) as caught:
        read_documents(site, None)
    assert str(site.main_file) in caught.value.what
    assert site.main_file.read_text() == text


def test_a_message_never_repeats_the_vault(site: Site) -> None:
    key = vault.ensure_key(site, None)
    site.vault_file.parent.mkdir(parents=True)
    site.vault_file.write_text(vault.encrypt(f"a: [{CANARY}", key))
    with pytest.raises(InventoryError) as caught:
        read_documents(site, key)
    assert CANARY not in f"{caught.value.what}{caught.value.why}{caught.value.cure}"


def test_binary_is_refused(site: Site) -> None:
    site.inventory.mkdir()
    site.hosts_file.write_bytes(b"\xff\xfe")
    with pytest.raises(InventoryError):
        read_documents(site, None)


def test_lists_grow_and_shrink_in_place() -> None:
    document = load_document("a:\n  - x # one\n  - y # two\n  - z\n", "test")
    update(document, {"a": ["x", "Y"]})
    assert plain(document) == {"a": ["x", "Y"]}
    update(document, {"a": ["x", "Y", {"b": 1}]})
    assert plain(document) == {"a": ["x", "Y", {"b": 1}]}
    update(document, {"a": True, "c": 1})
    update(document, {"a": 1})
    assert document["a"] is not True


class TestVault:
    """Where the key comes from."""

    def test_made_once(self, site: Site) -> None:
        key = vault.ensure_key(site, None)
        assert vault.ensure_key(site, None) == key
        assert len(key.read_text().strip()) >= 40

    def test_given_once_and_remembered(self, site: Site, tmp_path: Path) -> None:
        given = tmp_path / "key"
        given.write_text("my own key\n")
        assert vault.ensure_key(site, given) == given
        assert vault.find_key(site, None) == given
        assert not site.default_vault_key.exists()

    def test_a_program_may_give_it(self, site: Site, tmp_path: Path) -> None:
        program = tmp_path / "key.sh"
        program.write_text("#!/bin/sh\necho secret key\n")
        program.chmod(0o700)
        text = vault.encrypt("a: 1\n", vault.ensure_key(site, program))
        plain_key = tmp_path / "plain"
        plain_key.write_text("secret key\n")
        assert vault.decrypt(text, plain_key, site.vault_file) == "a: 1\n"

    def test_from_the_environment(self, site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        given = tmp_path / "key"
        given.write_text("k\n")
        monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(given))
        assert vault.find_key(site, None) == given

    def test_none_for_a_new_inventory(self, site: Site) -> None:
        assert vault.find_key(site, None) is None

    def test_missing_for_an_encrypted_one(self, site: Site) -> None:
        write(site)
        site.default_vault_key.unlink()
        with pytest.raises(VaultError) as caught:
            vault.find_key(site, None)
        assert "--vault-password-file" in caught.value.cure

    def test_unreadable(self, site: Site, tmp_path: Path) -> None:
        with pytest.raises(VaultError):
            vault.find_key(site, tmp_path / "none")
        empty = tmp_path / "empty"
        empty.write_text("")
        with pytest.raises(VaultError):
            vault.encrypt("a: 1", empty)

    def test_wrong(self, site: Site, tmp_path: Path) -> None:
        write(site)
        other = tmp_path / "key"
        other.write_text("another\n")
        with pytest.raises(VaultError) as caught:
            read_documents(site, other)
        assert caught.value.exit_code == 11

    def test_without_a_key_secrets_stay_unread(self, site: Site) -> None:
        write(site)
        assert read_documents(site, None).secrets == {}
        assert isinstance(read_documents(site, None), Documents)


@pytest.mark.parametrize(
    "text", ["yes", "on", "Off", "no", "0123", "12:30", "1e3", "~", "null", "a", "true", "- x", "{{ x }}"]
)
def test_ansible_reads_every_new_text_as_that_text(text: str) -> None:
    document = load_document("---\nby_hand: yes  # mine\n", "test")
    update(document, {"name": text, "records": [{"slug": text}], "by_name": {text: 1}})
    written = dump_document(document)
    assert yaml.safe_load(written) == {"by_hand": True, "name": text, "records": [{"slug": text}], "by_name": {text: 1}}
    assert "by_hand: yes  # mine" in written
