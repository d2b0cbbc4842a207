# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The key of the vault in a file, in a keyring, or typed each time; it moves between them and never reaches a place it should not."""

from __future__ import annotations

import contextlib
import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keyring
import pexpect
import pytest

from hpcampus import cli, vault
from hpcampus.errors import VaultError
from hpcampus.places import Site, site_at
from hpcampus.vault import KeyKind, Phrase, ensure_key, find_key
from tests.unit.wizard.conftest import ANSWERS, CANARY, marks, write_step
from tests.unit.wizard.key_store import MemoryKeyring

PHRASE = f"typed-{CANARY}"
KINDS = [KeyKind.FILE, KeyKind.KEYRING, KeyKind.ASK]


@pytest.fixture
def ring() -> Iterator[MemoryKeyring]:
    """A keyring of its own for the test."""
    before = keyring.get_keyring()
    mine = MemoryKeyring()
    keyring.set_keyring(mine)
    yield mine
    keyring.set_keyring(before)


def nobody(question: str) -> str:
    raise AssertionError(f"nobody is to be asked: {question}")


class Typist:
    """Types prepared lines, the last one again and again."""

    def __init__(self, *lines: str) -> None:
        self.lines = list(lines)
        self.questions: list[str] = []

    def __call__(self, question: str) -> str:
        self.questions.append(question)
        return self.lines.pop(0) if len(self.lines) > 1 else self.lines[0]


def forget(site: Site) -> None:
    """Be another process: what was typed is gone."""
    vault._typed.pop(site.identity, None)


def write_vault(site: Site, key: Any, text: str = "secret: 1\n") -> None:
    site.vault_file.parent.mkdir(parents=True, exist_ok=True)
    site.vault_file.write_text(vault.encrypt(text, key))


def opened(site: Site, key: Any) -> str:
    return vault.decrypt(site.vault_file.read_text(), key, site.vault_file)


def bytes_below(*roots: Path) -> bytes:
    return b"\n".join(path.read_bytes() for root in roots for path in root.rglob("*") if path.is_file())


def test_a_key_in_the_keyring_is_in_no_file(site: Site, ring: MemoryKeyring, tmp_path: Path) -> None:
    key = ensure_key(site, None, KeyKind.KEYRING, nobody)
    assert isinstance(key, Phrase)
    assert list(ring.entries.values()) == [key.text]
    assert len(key.text) >= 40
    write_vault(site, key)
    assert find_key(site, None, nobody) == key
    assert ensure_key(site, None, ask=nobody) == key
    assert key.text.encode() not in bytes_below(tmp_path)
    assert key.text not in repr(key) + str(key)


def test_a_typed_key_is_asked_once_in_a_process_and_kept_nowhere(site: Site, tmp_path: Path) -> None:
    chooser = Typist("short", PHRASE, "another one, longer", PHRASE)
    key = ensure_key(site, None, KeyKind.ASK, chooser)
    assert len(chooser.questions) == 5
    assert key == Phrase(PHRASE, KeyKind.ASK)
    write_vault(site, key)
    assert find_key(site, None, nobody) == key
    forget(site)
    typist = Typist("wrong", f" {PHRASE} ")
    assert find_key(site, None, typist) == key
    assert "That does not open" in typist.questions[1]
    assert ensure_key(site, None, ask=nobody) == key
    assert CANARY.encode() not in bytes_below(tmp_path)


def test_what_is_wrong_three_times_is_wrong(site: Site) -> None:
    with pytest.raises(VaultError, match="No key was chosen"):
        ensure_key(site, None, KeyKind.ASK, Typist("short"))
    write_vault(site, ensure_key(site, None, KeyKind.ASK, Typist(PHRASE)))
    forget(site)
    typist = Typist("wrong")
    with pytest.raises(VaultError, match="cannot be opened"):
        find_key(site, None, typist)
    assert len(typist.questions) == 3


def test_without_a_vault_nobody_is_asked(site: Site) -> None:
    ensure_key(site, None, KeyKind.ASK, Typist(PHRASE))
    forget(site)
    assert find_key(site, None, nobody) is None


@pytest.mark.parametrize("after", KINDS)
@pytest.mark.parametrize("before", KINDS)
@pytest.mark.usefixtures("ring")
def test_a_key_moves(site: Site, before: KeyKind, after: KeyKind) -> None:
    first = ensure_key(site, None, before, Typist("the first phrase"))
    write_vault(site, first)
    inside, other = site.inventory / "backups/x/vault.yml", site.inventory / "group_vars/hub.yml"
    inside.parent.mkdir(parents=True)
    inside.write_text(vault.encrypt("old: 1\n", first))
    foreign = vault.encrypt("mine: 1\n", Phrase("a key of its own", KeyKind.ASK))
    other.write_text(foreign)
    second = ensure_key(site, None, after, Typist("the second phrase"))
    forget(site)
    found = find_key(site, None, Typist("the second phrase" if before is not after else "the first phrase"))
    assert found == second
    assert opened(site, found) == "secret: 1\n"
    assert vault.decrypt(inside.read_text(), found, inside) == "old: 1\n"
    assert other.read_text() == foreign
    assert vault.remembered_kind(site) is after
    assert site.default_vault_key.exists() == (after is KeyKind.FILE)
    in_ring = keyring.get_password(vault.SERVICE, str(site.inventory))
    assert (in_ring is not None) == (after is KeyKind.KEYRING)


def test_a_given_file_goes_into_the_keyring_and_stays(site: Site, ring: MemoryKeyring, tmp_path: Path) -> None:
    given = tmp_path / "key"
    given.write_text("my own key, rather long\n")
    assert ensure_key(site, given, ask=nobody) == given
    ensure_key(site, given, KeyKind.KEYRING, nobody)
    assert list(ring.entries.values()) == ["my own key, rather long"]
    assert given.exists()
    assert not site.vault_key_pointer.exists()
    # Named once more, it serves for that once.
    assert ensure_key(site, given, ask=nobody) == given
    assert vault.remembered_kind(site) is KeyKind.KEYRING


def test_values_encrypted_one_by_one_keep_the_key(site: Site) -> None:
    key = ensure_key(site, None)
    write_vault(site, key)
    before = site.vault_file.read_text()
    site.main_file.write_text("a: !vault |\n  $ANSIBLE_VAULT;1.1;AES256\n  61\n")
    with pytest.raises(VaultError) as caught:
        ensure_key(site, None, KeyKind.ASK, Typist(PHRASE))
    assert str(site.main_file) in caught.value.what
    assert site.vault_file.read_text() == before
    forget(site)
    assert find_key(site, None, nobody) == key


def test_the_keyring_of_another_account(site: Site, ring: MemoryKeyring) -> None:
    write_vault(site, ensure_key(site, None, KeyKind.KEYRING))
    ring.entries.clear()
    with pytest.raises(VaultError) as caught:
        find_key(site, None)
    assert "--vault-password-file FILE --vault keyring" in caught.value.cure


def test_no_keyring_on_this_machine(site: Site) -> None:
    from keyring.backends.fail import Keyring

    before = keyring.get_keyring()
    keyring.set_keyring(Keyring())
    try:
        with pytest.raises(VaultError) as caught:
            ensure_key(site, None, KeyKind.KEYRING)
    finally:
        keyring.set_keyring(before)
    assert "NoKeyringError" in caught.value.why
    assert "--vault ask" in caught.value.cure
    assert vault.remembered_kind(site) is KeyKind.FILE


def test_a_damaged_memory_means_a_file(site: Site) -> None:
    site.state.make()
    for text in (b"", b"\xff", b"paper\n"):
        site.vault_kind_file.write_bytes(text)
        assert vault.remembered_kind(site) is KeyKind.FILE


def test_setup_moves_the_key(tmp_path: Path, ring: MemoryKeyring, capsys: pytest.CaptureFixture[str]) -> None:
    """From the command line: first a file, then the keyring; a dry run moves nothing."""
    answers, password = tmp_path / "answers.yml", tmp_path / "password"
    answers.write_text(json.dumps(ANSWERS))
    password.write_text("a long password\n")
    again = ["setup", "--non-interactive", "--skip-host-keys"]
    assert cli.run([*again, "--answers", str(answers), "--admin-password-file", str(password)]) == 0
    site = site_at(tmp_path / "inventory")
    text = site.default_vault_key.read_text().strip()
    assert cli.run([*again, "--vault", "keyring", "--dry-run"]) == 0
    assert (ring.entries, site.default_vault_key.exists()) == ({}, True)
    assert cli.run([*again, "--vault", "keyring"]) == 0
    assert (list(ring.entries.values()), site.default_vault_key.exists()) == ([text], False)
    assert cli.run(again) == 0
    shown = capsys.readouterr().out
    assert "Key of the vault: in the keyring of this account" in shown
    assert text not in shown
    assert text.encode() not in bytes_below(tmp_path)


def test_without_a_terminal_nobody_can_type(site: Site) -> None:
    """In a process of its own, which has left its terminal."""
    write_vault(site, ensure_key(site, None, KeyKind.ASK, Typist(PHRASE)))
    site.hosts_file.write_text("all: {}\n")
    done = _run_hpcampus_without_terminal("apply", "-i", str(site.inventory))
    assert done[0] == 11
    assert "there is no terminal" in done[1]
    assert "--vault-password-file" in done[1]


def _run_hpcampus_without_terminal(*arguments: str) -> tuple[int, str]:
    import subprocess

    argv = [sys.executable, "-m", "hpcampus", *arguments]
    environment = {**os.environ, "PYTHONPATH": ":".join(sys.path)}
    done = subprocess.run(
        argv, capture_output=True, text=True, check=False, env=environment, start_new_session=True, timeout=60
    )
    return done.returncode, done.stdout + done.stderr


USE = (
    "    - name: Use it\n      ansible.builtin.command: cat\n      args: {stdin: '{{ secret }}'}\n      no_log: true\n"
)


@pytest.mark.processes
@pytest.mark.parametrize("kind", [KeyKind.ASK, KeyKind.KEYRING])
def test_a_run_shows_the_key_to_nobody(
    local_site: Site, collection: Path, tmp_path: Path, ring: MemoryKeyring, kind: KeyKind
) -> None:
    """The whole command in a terminal; meanwhile arguments and environments of all processes are read."""
    key = ensure_key(local_site, None, kind, Typist(PHRASE))
    assert isinstance(key, Phrase)
    write_vault(local_site, key, f"secret: {CANARY}-value\n")
    write_step(collection, "one", USE)
    store = tmp_path / "ring.json"
    store.write_text(json.dumps(ring.entries))
    program = tmp_path / "program.py"
    program.write_text(
        "import pathlib, sys\nimport hpcampus.places\n"
        f"hpcampus.places.find_collection = lambda: pathlib.Path({str(collection)!r})\n"
        "from hpcampus import cli\nsys.exit(cli.run(sys.argv[1:]))\n"
    )
    environment = {
        **os.environ,
        "PYTHONPATH": ":".join([str(Path(__file__).parent), *sys.path]),
        "PYTHON_KEYRING_BACKEND": "key_store.FileKeyring",
        "KEY_STORE": str(store),
        "TERM": "dumb",
    }
    forget(local_site)
    child = pexpect.spawn(
        sys.executable,
        [str(program), "apply", "--plain", "-i", str(local_site.inventory)],
        env=environment,
        encoding="utf-8",
        timeout=60,
        dimensions=(24, 200),
    )
    if kind is KeyKind.ASK:
        child.expect(r"Key of the vault .*: ")
        child.sendline(PHRASE)
    playbooks, leaks = 0, set()
    needles = [key.text.encode(), f"{CANARY}-value".encode()]
    while child.isalive():
        for path in [*Path("/proc").glob("[0-9]*/cmdline"), *Path("/proc").glob("[0-9]*/environ")]:
            with contextlib.suppress(OSError):
                text = path.read_bytes()
                playbooks += b"--ask-vault-pass" in text
                leaks |= {str(path) for needle in needles if needle in text}
        with contextlib.suppress(pexpect.TIMEOUT, pexpect.EOF):
            child.read_nonblocking(4096, timeout=0.01)
        time.sleep(0.01)
    child.close()
    assert child.exitstatus == 0
    assert marks(local_site) == ["one", "two", "three"]
    # Somebody who looked while Ansible was at work.
    assert playbooks > 10
    assert leaks == set()
    kept = bytes_below(local_site.state.path, local_site.inventory)
    for needle in needles:
        assert needle not in kept
