# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""An inventory keeps what a person wrote, its secrets are encrypted, and it is never half written."""

from __future__ import annotations

import contextlib
import json
import re
import resource
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpcampus import backups, vault
from hpcampus.errors import InventoryError, VaultError
from hpcampus.inventory_files import (
    Difference,
    Documents,
    changed_names,
    differences,
    plain,
    read_documents,
    remove_variables,
    replace,
    set_variables,
    unified,
    update,
    variables,
    write_documents,
)
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
    return write_documents(site, documents, key).files, key


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


@contextlib.contextmanager
def no_file_larger_than(size: int) -> Iterator[None]:
    """Have the kernel refuse longer files, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def contents(site: Site) -> dict[str, tuple[bytes, int]]:
    """Give every file with its mode, and every directory."""
    found = {}
    for path in site.inventory.rglob("*"):
        data = b"" if path.is_dir() else path.read_bytes()
        found[str(path.relative_to(site.inventory))] = (data, stat.S_IMODE(path.stat().st_mode))
    return found


@pytest.mark.parametrize("large", ["secrets", "main", "known_hosts", "hosts"])
def test_where_one_file_cannot_be_written_none_is(site: Site, large: str) -> None:
    _, key = write(site)
    before = contents(site)
    documents = read_documents(site, key)
    documents.known_hosts += "c2 ssh-ed25519 BBBB\n"
    for name in ("secrets", "main", "hosts"):
        update(getattr(documents, name), {"more": 1})
    if large == "known_hosts":
        documents.known_hosts += f"# {'x' * 50000}\n"
    else:
        update(getattr(documents, large), {"large": "x" * 50000})
    with no_file_larger_than(30000), pytest.raises(InventoryError) as caught:
        write_documents(site, documents, key)
    assert "File too large" in caught.value.why
    before.setdefault(".backups", (b"", 0o700))
    assert contents(site) == before
    assert write_documents(site, documents, key).backup is not None


def test_a_first_time_that_fails_leaves_no_inventory(site: Site) -> None:
    vault.ensure_key(site, None)
    with no_file_larger_than(700), pytest.raises(InventoryError):
        write(site)
    assert not [path for path in site.inventory.rglob("*") if path.is_file()]


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
        assert len(vault.key_text(key)) >= 40

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


class TestBackups:
    """What is replaced is kept, for a while, where Ansible does not look."""

    def change(self, site: Site, number: int) -> Any:
        key = vault.find_key(site, None)
        assert key is not None
        documents = read_documents(site, key)
        update(documents.main, {"number": number})
        update(documents.secrets, {"secret": f"{CANARY}-{number}"})
        return write_documents(site, documents, key), key

    def test_a_first_time_has_nothing_to_keep(self, site: Site) -> None:
        write(site)
        assert not site.backups.exists()

    def test_what_is_replaced(self, site: Site) -> None:
        write(site)
        before = {path: path.read_bytes() for path in (site.main_file, site.vault_file, site.hosts_file)}
        written, key = self.change(site, 1)
        assert re.fullmatch(r"\d{8}T\d{6}Z", written.backup.name)
        assert [str(path) for path in written.kept] == ["group_vars/all/vault.yml", "group_vars/all/main.yml"]
        for path in (site.main_file, site.vault_file):
            assert (written.backup / path.relative_to(site.inventory)).read_bytes() == before[path]
        assert not (written.backup / "hosts.yml").exists()
        for path in [site.backups, *site.backups.rglob("*")]:
            assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
        # Copied back, it is as it was.
        (site.main_file).write_bytes((written.backup / "group_vars/all/main.yml").read_bytes())
        assert "number" not in read_documents(site, key).main

    def test_nothing_new_keeps_nothing(self, site: Site) -> None:
        write(site)
        self.change(site, 1)
        written, _ = self.change(site, 1)
        assert (written.backup, written.kept) == (None, ())
        assert len(list(site.backups.iterdir())) == 1

    def test_the_newest_twenty(self, site: Site) -> None:
        write(site)
        mine = site.backups / "before-the-summer"
        mine.mkdir(parents=True)
        for number in range(backups.KEPT + 5):
            written, _ = self.change(site, number)
        kept = sorted((path for path in site.backups.iterdir() if path != mine), key=backups._age)
        assert len(kept) == backups.KEPT
        assert kept[-1] == written.backup
        numbers = [re.search(r"number: (\d+)", (path / "group_vars/all/main.yml").read_text()) for path in kept]
        assert [int(found[1]) for found in numbers if found] == list(range(4, backups.KEPT + 4))
        assert mine.is_dir()

    def test_secrets_in_the_clear_are_encrypted_there(self, site: Site) -> None:
        write(site)
        site.vault_file.write_text(f"mine: {CANARY}\n")
        written, key = self.change(site, 1)
        kept = written.backup / "group_vars/all/vault.yml"
        assert CANARY.encode() not in kept.read_bytes()
        assert vault.decrypt(kept.read_text(), key, kept) == f"mine: {CANARY}\n"

    def test_ansible_does_not_read_them(self, site: Site) -> None:
        write(site)
        _, key = self.change(site, 1)
        documents = read_documents(site, key)
        replace(documents.hosts, hosts_document({**ANSWERS, "compute": ["c9"]}, plain(documents.hosts)))
        write_documents(site, documents, key)
        program = Path(sys.executable).with_name("ansible-inventory")
        argv = [str(program), "-i", str(site.inventory), "--list", "--vault-password-file", str(key)]
        done = subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60)
        assert json.loads(done.stdout)["slurm_compute"]["hosts"] == ["c9"]
        assert "WARNING" not in done.stderr


class TestDifferences:
    """What would change, for a person to read; no secret."""

    def test_nothing(self, site: Site) -> None:
        _, key = write(site)
        assert differences(site, read_documents(site, key)) == []

    def test_everything_is_new(self, site: Site) -> None:
        documents = Documents()
        update(documents.main, {"a": 1})
        update(documents.secrets, {"secret": CANARY})
        shown = differences(site, documents)
        assert [str(item.path) for item in shown] == [
            "group_vars/all/vault.yml",
            "group_vars/all/main.yml",
            "hosts.yml",
        ]
        assert shown[0].added == ("secret",)
        assert "+a: 1" in shown[1].text

    def test_a_change(self, site: Site) -> None:
        _, key = write(site)
        documents = read_documents(site, key)
        update(documents.main, {"site_hub_name": "hub.example.org"})
        update(documents.secrets, {"vault_password_hashes": {"admin": f"{CANARY}-2"}, "new": CANARY})
        del documents.secrets["site_verify_password"]
        shown = differences(site, documents)
        assert shown[0] == Difference(
            Path("group_vars/all/vault.yml"),
            added=("new",),
            changed=("vault_password_hashes",),
            removed=("site_verify_password",),
        )
        assert "-site_hub_name: jupyter.example.org\n+site_hub_name: hub.example.org" in shown[1].text
        assert CANARY not in repr(shown)

    def test_secrets_in_a_file_in_the_clear_are_not_shown(self, site: Site) -> None:
        _, key = write(site)
        other = site.inventory / "group_vars/all/secrets.yml"
        other.write_text(f"vault_password_hashes: {{admin: {CANARY}}}\nother: 1\n")
        documents = read_documents(site, key)
        set_variables(site, documents, {"other": 2})
        (shown,) = differences(site, documents)
        assert shown == Difference(Path("group_vars/all/secrets.yml"), changed=("other",))

    @pytest.mark.parametrize(
        ("before", "after", "wanted"),
        [
            ("", "a: 1\n", "--- x.yml\n+++ x.yml\n@@ -0,0 +1 @@\n+a: 1"),
            ("a: 1\n", "a: 1\n", ""),
            ("a: 1\nb: 2 # two\n", "a: 1\nb: 3 # two\n", "--- x.yml\n+++ x.yml\n@@ -1,2 +1,2 @@\n a: 1\n-b: 2 # two\n+b: 3 # two"),
            ("a: 1", "a: 1\n", ""),
        ],
    )  # fmt: skip
    def test_golden_diffs(self, before: str, after: str, wanted: str) -> None:
        assert unified(Path("x.yml"), before, after) == wanted

    @pytest.mark.parametrize(
        ("before", "after", "wanted"),
        [
            ({}, {}, ((), (), ())),
            ({}, {"a": 1}, (("a",), (), ())),
            ({"a": 1, "b": 1}, {"b": True}, ((), ("b",), ("a",))),
            ({"a": {"b": [1]}}, {"a": {"b": [2]}}, ((), ("a",), ())),
        ],
    )
    def test_golden_names(self, before: Any, after: Any, wanted: Any) -> None:
        shown = changed_names(Path("x"), before, after)
        assert (shown.added, shown.changed, shown.removed) == wanted


SPLIT = {
    "group_vars/all/site.yml": "# Mine\n---\nsite_hub_name: old.example.org  # ask Ada\n",
    "group_vars/hub.yml": "# the web server\napache_certificate: provided # bought\nslurm_x: 1\n",
    "group_vars/slurm/limits.yml": "slurm_config: {a: 1} # for the GPUs\n",
    "host_vars/c1.yml": "apptainer_source: deb  # an old host\n",
    "group_vars/all.yml": "site_profile: single\n",
    "group_vars/all/.hidden.yml": "site_cluster_name: hidden\n",
    "group_vars/all/deep/er.yaml": "site_account: deep  # kept\n",
}


class TestSplitVariables:
    """A variable that somebody set elsewhere is changed there."""

    def prepare(self, site: Site) -> Any:
        _, key = write(site)
        for name, text in SPLIT.items():
            path = site.inventory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        documents = read_documents(site, key)
        for name in ("site_hub_name", "apache_certificate"):
            documents.main.pop(name, None)
        write_documents(site, documents, key)
        return key

    @pytest.mark.parametrize(
        ("name", "value", "file", "line"),
        [
            (
                "site_hub_name",
                "new.example.org",
                "group_vars/all/site.yml",
                "site_hub_name: new.example.org # ask Ada",
            ),
            ("apache_certificate", "selfsigned", "group_vars/hub.yml", "apache_certificate: selfsigned # bought"),
            ("slurm_config", {"a": 2}, "group_vars/slurm/limits.yml", "slurm_config: {a: 2} # for the GPUs"),
            ("site_account", "deeper", "group_vars/all/deep/er.yaml", "site_account: deeper # kept"),
            # One host's exception, and files that Ansible does not read, decide nothing.
            ("apptainer_source", "distribution", "group_vars/all/main.yml", "apptainer_source: distribution"),
            ("site_profile", "own-cluster", "group_vars/all/main.yml", "site_profile: own-cluster"),
            ("site_cluster_name", "mine", "group_vars/all/main.yml", "site_cluster_name: mine"),
        ],
    )
    def test_set_where_it_is(self, site: Site, name: str, value: Any, file: str, line: str) -> None:
        key = self.prepare(site)
        documents = read_documents(site, key)
        set_variables(site, documents, {name: value})
        write_documents(site, documents, key)
        assert line in [re.sub(" +#", " #", row) for row in (site.inventory / file).read_text().splitlines()]
        assert variables(site, read_documents(site, key), secret=False)[name] == value
        if file != "group_vars/all/main.yml":
            assert name not in read_documents(site, key).main
        for other, text in SPLIT.items():
            assert other == file or (site.inventory / other).read_text() == text

    def test_what_ansible_sees(self, site: Site) -> None:
        """Every variable that we read has the value that Ansible has for the hub."""
        key = self.prepare(site)
        program = Path(sys.executable).with_name("ansible-inventory")
        argv = [
            str(program),
            "-i",
            str(site.hosts_file),
            "--vault-password-file",
            str(key),
            "--host",
            "jupyter.example.org",
        ]
        seen = json.loads(subprocess.run(argv, capture_output=True, text=True, check=True, timeout=60).stdout)
        documents = read_documents(site, key)
        ours = {**variables(site, documents, secret=False), **variables(site, documents, secret=True)}
        assert {name: seen.get(name) for name in ours if not name.startswith(("ansible_", "slurm_"))} == {
            name: value for name, value in ours.items() if not name.startswith(("ansible_", "slurm_"))
        }

    def test_in_the_list_of_hosts(self, site: Site) -> None:
        _, key = write(site)
        text = site.hosts_file.read_text().replace("  vars:\n", "  vars:\n    site_cluster_name: here  # inline\n")
        site.hosts_file.write_text(text)
        documents = read_documents(site, key)
        set_variables(site, documents, {"site_cluster_name": "there"})
        write_documents(site, documents, key)
        assert site.hosts_file.read_text() == text.replace("here  # inline", "there # inline")
        assert "site_cluster_name" not in site.main_file.read_text()

    def test_secrets_in_another_encrypted_file(self, site: Site) -> None:
        _, key = write(site)
        documents = read_documents(site, key)
        del documents.secrets["vault_password_hashes"]
        write_documents(site, documents, key)
        other = site.inventory / "group_vars/all/secrets.yml"
        other.write_text(vault.encrypt("# mine\nvault_password_hashes:\n  admin: x  # Ada\n", key))
        other.chmod(0o640)
        documents = read_documents(site, key)
        set_variables(site, documents, {"vault_password_hashes": {"admin": "y", "b": "z"}}, secret=True)
        assert differences(site, documents) == [
            Difference(Path("group_vars/all/secrets.yml"), changed=("vault_password_hashes",))
        ]
        write_documents(site, documents, key)
        assert "admin: y  # Ada" in vault.decrypt(other.read_text(), key, other)
        assert stat.S_IMODE(other.stat().st_mode) == 0o640
        assert "vault_password_hashes" not in read_documents(site, key).secrets

    def test_removed_where_it_is(self, site: Site) -> None:
        key = self.prepare(site)
        documents = read_documents(site, key)
        remove_variables(site, documents, ["apache_certificate", "nowhere"])
        write_documents(site, documents, key)
        assert (site.inventory / "group_vars/hub.yml").read_text() == "# the web server\nslurm_x: 1\n"
