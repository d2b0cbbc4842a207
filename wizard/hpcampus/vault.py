# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The encrypted variables of an inventory: Ansible's own vault, its key in a file, in a keyring, or asked each time.

A key is either the path of a file that gives it, or a `Phrase`: the key itself, which is in memory only and reaches
Ansible by its prompt.
"""

from __future__ import annotations

import contextlib
import getpass
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpcampus.errors import VaultError
from hpcampus.files import PRIVATE_FILE, make_private_directory, write_atomically
from hpcampus.passwords import generate_vault_key
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Iterator

    from hpcampus.places import Site

HEADER = "$ANSIBLE_VAULT;"
SERVICE = "hpcampus vault"
SHORTEST_PHRASE = 12
TRIES = 3


class KeyKind(StrEnum):
    """Where the key of a vault is."""

    FILE = "file"
    KEYRING = "keyring"
    ASK = "ask"


@dataclass(frozen=True)
class Phrase:
    """A key that is in memory only.

    Attributes:
        text: The key.
        kind: Where it came from, `keyring` or `ask`.
    """

    text: str = field(repr=False)
    kind: KeyKind

    def __str__(self) -> str:
        return t(f"vault.kind.{self.kind}")


Key = Path | Phrase

# Asks a person for a key: the question in, the key out.
Ask = Callable[[str], str]

# What was typed, by identity of the site: a person is asked once in the life of the process.
_typed: dict[str, Phrase] = {}


def ask_on_terminal(question: str) -> str:
    """Ask on the terminal, whatever standard input and output are.

    Raises:
        VaultError: There is no terminal.
    """
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError as error:
        raise VaultError("vault-key-unasked") from error
    try:
        return getpass.getpass(f"{question}: ")
    except EOFError:
        raise KeyboardInterrupt from None


def run_options(key: Key | None) -> dict[str, Any]:
    """Give the key as the options of a run: of `apply.Options`, and of `runner.Request`."""
    if isinstance(key, Phrase):
        return {"vault_password": key.text}
    return {"vault_password_file": key}


def remembered_kind(site: Site) -> KeyKind:
    """Tell where the key of a site is: what was chosen once, or a file."""
    try:
        return KeyKind(site.vault_kind_file.read_text(encoding="utf-8").strip())
    except (FileNotFoundError, UnicodeDecodeError, ValueError):
        return KeyKind.FILE


def find_key(site: Site, given: Path | None, ask: Ask = ask_on_terminal) -> Key | None:
    """Find the key: the file on the command line, in the environment, remembered, or the default; keyring; a person.

    Args:
        site: Whose vault.
        given: File of the command line.
        ask: Asks a person, where the site has it so and there is a vault to open.

    Raises:
        VaultError: The one that was named cannot be read, or the inventory has a vault and there is no key.
    """
    named = given or _from_environment()
    if named is not None:
        return _readable(named)
    match remembered_kind(site):
        case KeyKind.KEYRING:
            text = _keyring_text(site)
            if text is None and _has_vault(site):
                raise VaultError("vault-key-not-in-keyring", inventory=site.inventory)
            return None if text is None else Phrase(text, KeyKind.KEYRING)
        case KeyKind.ASK:
            return _typed_again(site, ask) if _has_vault(site) else None
        case _:
            return _key_file(site)


def _key_file(site: Site) -> Path | None:
    remembered = _remembered(site)
    if remembered is not None:
        return _readable(remembered)
    if site.default_vault_key.is_file():
        return site.default_vault_key
    if _has_vault(site):
        raise VaultError("vault-key-missing", path=site.vault_file, default=site.default_vault_key)
    return None


def _readable(named: Path) -> Path:
    path = named.expanduser().resolve()
    if not path.is_file() or not os.access(path, os.R_OK):
        raise VaultError("vault-key-unreadable", path=path, problem="There is no such file, or it may not be read.")
    return path


def _has_vault(site: Site) -> bool:
    return site.vault_file.is_file() and is_encrypted(site.vault_file.read_text(encoding="utf-8", errors="replace"))


def _from_environment() -> Path | None:
    value = os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE", "")
    return Path(value) if value else None


def _remembered(site: Site) -> Path | None:
    try:
        return Path(site.vault_key_pointer.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None


def _typed_again(site: Site, ask: Ask) -> Phrase:
    """Ask for the key of a vault that is there until it opens it, a few times at most."""
    if site.identity in _typed:
        return _typed[site.identity]
    text = site.vault_file.read_text(encoding="utf-8")
    question = t("vault.ask", path=site.vault_file)
    for left in reversed(range(TRIES)):
        phrase = Phrase(ask(question).strip(), KeyKind.ASK)
        try:
            decrypt(text, phrase, site.vault_file)
        except VaultError:
            if not left:
                raise
            question = t("vault.ask-again", path=site.vault_file)
        else:
            break
    _typed[site.identity] = phrase
    return phrase


def _typed_new(site: Site, ask: Ask) -> Phrase:
    """Have a person choose a key, typed twice."""
    question = t("vault.choose", path=site.vault_file, least=SHORTEST_PHRASE)
    for _ in range(TRIES):
        first = ask(question).strip()
        if len(first) < SHORTEST_PHRASE or not first.isprintable():
            question = t("vault.choose-longer", least=SHORTEST_PHRASE)
        elif ask(t("vault.choose-again")).strip() != first:
            question = t("vault.choose-differs", least=SHORTEST_PHRASE)
        else:
            _typed[site.identity] = Phrase(first, KeyKind.ASK)
            return _typed[site.identity]
    raise VaultError("vault-key-unchosen", tries=TRIES)


def ensure_key(site: Site, given: Path | None, kind: KeyKind | None = None, ask: Ask = ask_on_terminal) -> Key:
    """Find the key, or make one where it shall be; remember a file that was given.

    Where another kind is wanted than before, the key moves: what it encrypted is encrypted anew if it becomes another
    one, and the file that was made for it is removed.

    Args:
        site: Whose vault.
        given: File of the command line.
        kind: Where the key shall be from now on; None leaves it where it is.
        ask: Asks a person.

    Raises:
        VaultError: As in `find_key`; there is no keyring, or what was typed will not do.
        OSError: A file cannot be written.
    """
    found = find_key(site, given, ask)
    wanted = kind or remembered_kind(site)
    if isinstance(found, Phrase) and found.kind is wanted:
        return found
    if wanted is KeyKind.FILE:
        return _keep_in_file(site, found)
    if kind is None and found is not None:
        # A file was named for this once; where the key is otherwise stays as it was.
        return found
    key = _into_keyring(site, found) if wanted is KeyKind.KEYRING else _into_memory(site, found, ask)
    _remember_kind(site, wanted)
    site.default_vault_key.unlink(missing_ok=True)
    site.vault_key_pointer.unlink(missing_ok=True)
    return key


def _keep_in_file(site: Site, found: Key | None) -> Path:
    if isinstance(found, Path) and found != site.default_vault_key:
        site.state.make()
        write_atomically(site.vault_key_pointer, f"{found}\n", PRIVATE_FILE)
    elif found is None or isinstance(found, Phrase):
        make_private_directory(site.default_vault_key.parent)
        text = generate_vault_key() if found is None else found.text
        write_atomically(site.default_vault_key, f"{text}\n", PRIVATE_FILE)
    before = remembered_kind(site)
    _remember_kind(site, KeyKind.FILE)
    if before is KeyKind.KEYRING:
        _forget_in_keyring(site)
    return found if isinstance(found, Path) else site.default_vault_key


def _into_keyring(site: Site, found: Key | None) -> Phrase:
    text = generate_vault_key() if found is None else key_text(found)
    with _keyring() as keyring:
        keyring.set_password(SERVICE, str(site.inventory), text)
    return Phrase(text, KeyKind.KEYRING)


def _into_memory(site: Site, found: Key | None, ask: Ask) -> Phrase:
    phrase = _typed_new(site, ask)
    if found is not None:
        _encrypt_anew(site, found, phrase)
    if remembered_kind(site) is KeyKind.KEYRING:
        _forget_in_keyring(site)
    return phrase


def _encrypt_anew(site: Site, old: Key, new: Phrase) -> None:
    """Encrypt whatever the old key opens with the new one, backups included; other vaults stay as they are."""
    inside = []
    for path in _yaml_files(site):
        text = path.read_text(encoding="utf-8", errors="replace")
        if not is_encrypted(text) and "!vault" in text:
            raise VaultError("vault-key-inline", path=path)
        if is_encrypted(text):
            inside.append((path, text))
    for path, text in inside:
        try:
            plain = decrypt(text, old, path)
        except VaultError:
            # A change of the key that was stopped has done this one already, or the file has a key of its own.
            continue
        write_atomically(path, encrypt(plain, new), PRIVATE_FILE)


def _yaml_files(site: Site) -> Iterator[Path]:
    yield from sorted(path for path in site.inventory.rglob("[!.]*.y*ml") if path.is_file())


def _remember_kind(site: Site, kind: KeyKind) -> None:
    if kind is KeyKind.FILE:
        site.vault_kind_file.unlink(missing_ok=True)
        return
    site.state.make()
    write_atomically(site.vault_kind_file, f"{kind}\n", PRIVATE_FILE)


@contextlib.contextmanager
def _keyring() -> Iterator[Any]:
    """Give the library, and make an error with a cure of whatever it raises."""
    try:
        import keyring  # noqa: PLC0415 -- few sites need it

        yield keyring
    except Exception as error:
        # Backends raise what they like: KeyringError, errors of D-Bus, RuntimeError.
        raise VaultError("keyring-unusable", problem=f"{type(error).__name__}: {error}") from error


def _keyring_text(site: Site) -> str | None:
    with _keyring() as keyring:
        text = keyring.get_password(SERVICE, str(site.inventory))
    return None if text is None else str(text)


def _forget_in_keyring(site: Site) -> None:
    if _keyring_text(site) is not None:
        with _keyring() as keyring:
            keyring.delete_password(SERVICE, str(site.inventory))


def is_encrypted(text: str) -> bool:
    """Tell whether a file is a vault."""
    return text.startswith(HEADER)


def encrypt(plain: str, key: Key) -> str:
    """Encrypt text.

    Raises:
        VaultError: The key cannot be read.
    """
    return str(_open(key).encrypt(plain.encode()).decode())


def decrypt(text: str, key: Key, source: Path) -> str:
    """Decrypt a vault; text that is not encrypted is given back.

    Raises:
        VaultError: The key cannot be read or does not fit.
    """
    if not is_encrypted(text):
        return text
    from ansible.errors import AnsibleError  # noqa: PLC0415 -- a third of a second, needed for vaults only

    vault = _open(key)
    try:
        return str(vault.decrypt(text.encode()).decode())
    except (AnsibleError, ValueError) as error:
        raise VaultError("vault-closed", path=source) from error


def key_text(key: Key) -> str:
    """Give the key itself, from memory or from its file, which may be a program.

    Raises:
        VaultError: It cannot be read.
    """
    return key.text if isinstance(key, Phrase) else _secret(key).bytes.decode()


# Any: Ansible ships no types.
def _open(key: Key) -> Any:
    from ansible.constants import DEFAULT_VAULT_ID_MATCH  # noqa: PLC0415
    from ansible.parsing.vault import VaultLib  # noqa: PLC0415

    return VaultLib([(DEFAULT_VAULT_ID_MATCH, _secret(key))])


def _secret(key: Key) -> Any:
    from ansible.errors import AnsibleError  # noqa: PLC0415
    from ansible.parsing.dataloader import DataLoader  # noqa: PLC0415
    from ansible.parsing.vault import VaultSecret, get_file_vault_secret  # noqa: PLC0415

    if isinstance(key, Phrase):
        return VaultSecret(key.text.encode())
    try:
        secret = get_file_vault_secret(filename=str(key), loader=DataLoader())
        secret.load()
    except (AnsibleError, OSError) as error:
        raise VaultError("vault-key-unreadable", path=key, problem=error) from error
    return secret
