# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The encrypted variables of an inventory: Ansible's own vault, its key in a file outside the inventory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpcampus.errors import VaultError
from hpcampus.files import PRIVATE_FILE, make_private_directory, write_atomically
from hpcampus.passwords import generate_vault_key

if TYPE_CHECKING:
    from hpcampus.places import Site

HEADER = "$ANSIBLE_VAULT;"


def find_key(site: Site, given: Path | None) -> Path | None:
    """Find the file that gives the key: the one on the command line, in the environment, remembered, or the default.

    Raises:
        VaultError: The one that was named cannot be read, or the inventory has a vault and there is no key.
    """
    named = given or _from_environment() or _remembered(site)
    if named is not None:
        path = named.expanduser().resolve()
        if not path.is_file() or not os.access(path, os.R_OK):
            raise VaultError("vault-key-unreadable", path=path, problem="There is no such file, or it may not be read.")
        return path
    if site.default_vault_key.is_file():
        return site.default_vault_key
    if site.vault_file.is_file() and is_encrypted(site.vault_file.read_text(encoding="utf-8")):
        raise VaultError("vault-key-missing", path=site.vault_file, default=site.default_vault_key)
    return None


def _from_environment() -> Path | None:
    value = os.environ.get("ANSIBLE_VAULT_PASSWORD_FILE", "")
    return Path(value) if value else None


def _remembered(site: Site) -> Path | None:
    try:
        return Path(site.vault_key_pointer.read_text(encoding="utf-8").strip())
    except FileNotFoundError:
        return None


def ensure_key(site: Site, given: Path | None) -> Path:
    """Find the key, or make one where it lies by default; remember one that was given.

    Raises:
        VaultError: As in `find_key`.
    """
    found = find_key(site, given)
    if found is None:
        make_private_directory(site.default_vault_key.parent)
        write_atomically(site.default_vault_key, generate_vault_key() + "\n", PRIVATE_FILE)
        return site.default_vault_key
    if found != site.default_vault_key:
        site.state.make()
        write_atomically(site.vault_key_pointer, f"{found}\n", PRIVATE_FILE)
    return found


def is_encrypted(text: str) -> bool:
    """Tell whether a file is a vault."""
    return text.startswith(HEADER)


def encrypt(plain: str, key_file: Path) -> str:
    """Encrypt text with the key in a file.

    Raises:
        VaultError: The key cannot be read.
    """
    vault = _open(key_file)
    return str(vault.encrypt(plain.encode()).decode())


def decrypt(text: str, key_file: Path, source: Path) -> str:
    """Decrypt a vault; text that is not encrypted is given back.

    Raises:
        VaultError: The key cannot be read or does not fit.
    """
    if not is_encrypted(text):
        return text
    from ansible.errors import AnsibleError  # noqa: PLC0415 -- a third of a second, needed for vaults only

    vault = _open(key_file)
    try:
        return str(vault.decrypt(text.encode()).decode())
    except (AnsibleError, ValueError) as error:
        raise VaultError("vault-closed", path=source) from error


# Any: Ansible ships no types.
def _open(key_file: Path) -> Any:
    from ansible.constants import DEFAULT_VAULT_ID_MATCH  # noqa: PLC0415
    from ansible.errors import AnsibleError  # noqa: PLC0415
    from ansible.parsing.dataloader import DataLoader  # noqa: PLC0415
    from ansible.parsing.vault import VaultLib, get_file_vault_secret  # noqa: PLC0415

    try:
        secret = get_file_vault_secret(filename=str(key_file), loader=DataLoader())
        secret.load()
    except (AnsibleError, OSError) as error:
        raise VaultError("vault-key-unreadable", path=key_file, problem=error) from error
    return VaultLib([(DEFAULT_VAULT_ID_MATCH, secret)])
