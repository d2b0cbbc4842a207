# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where things are: the inventory, its private state, the vault key, the collection."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path

from hpcampus.errors import CollectionError, InventoryError
from hpcampus.files import make_private_directory
from hpcampus.state import State

COLLECTION = ("hpcampus", "platform")
CATALOGUE = Path("playbooks/vars/steps.yml")


def state_home() -> Path:
    """Give the directory for the wizard's memory, by the XDG rules."""
    return _xdg("XDG_STATE_HOME", ".local/state") / "hpcampus"


def config_home() -> Path:
    """Give the directory for the wizard's keys, by the XDG rules."""
    return _xdg("XDG_CONFIG_HOME", ".config") / "hpcampus"


def _xdg(variable: str, fallback: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / fallback


@dataclass(frozen=True)
class Site:
    """One inventory and what belongs to it.

    Attributes:
        inventory: Absolute path of the inventory directory.
        identity: Short digest of that path; names the state directory.
    """

    inventory: Path
    identity: str

    @property
    def hosts_file(self) -> Path:
        """The list of hosts."""
        return self.inventory / "hosts.yml"

    @property
    def main_file(self) -> Path:
        """The variables of the site."""
        return self.inventory / "group_vars" / "all" / "main.yml"

    @property
    def vault_file(self) -> Path:
        """The encrypted variables of the site."""
        return self.inventory / "group_vars" / "all" / "vault.yml"

    @property
    def known_hosts(self) -> Path:
        """The pinned host keys. The suffix keeps Ansible from reading it as a list of hosts."""
        return self.inventory / "known_hosts.txt"

    @property
    def backups(self) -> Path:
        """What was replaced. The dot keeps Ansible from reading it as lists of hosts."""
        return self.inventory / ".backups"

    @property
    def state(self) -> State:
        """Journal, lock, logs."""
        return State(state_home() / self.identity)

    @property
    def default_vault_key(self) -> Path:
        """Where the key of the vault lies unless it was given."""
        name = re.sub(r"[^A-Za-z0-9_.-]", "_", self.inventory.name) or "site"
        return config_home() / "vault" / f"{name}-{self.identity}.key"

    @property
    def vault_key_pointer(self) -> Path:
        """File in the state directory that remembers a key file that was given."""
        return self.state.path / "vault-password-file"

    @property
    def vault_kind_file(self) -> Path:
        """File in the state directory that remembers where the key is, if it is in no file: in a keyring, or asked."""
        return self.state.path / "vault-key-kind"


def site_at(inventory: Path) -> Site:
    """Describe the site whose inventory is, or will be, at `inventory`."""
    path = inventory.expanduser().resolve()
    return Site(path, hashlib.sha256(str(path).encode()).hexdigest()[:16])


def existing_site(inventory: Path) -> Site:
    """Describe the site whose inventory is at `inventory`.

    Raises:
        InventoryError: There is none.
    """
    site = site_at(inventory)
    if not site.inventory.is_dir():
        raise InventoryError("inventory-missing", path=site.inventory)
    if not site.hosts_file.is_file():
        raise InventoryError("inventory-without-hosts", path=site.inventory)
    return site


def find_collection() -> Path:
    """Find the root of the collection: the checkout this package lies in, or an installed one.

    Raises:
        CollectionError: There is none.
    """
    candidates = [Path(__file__).resolve().parents[2]]
    search = os.environ.get("ANSIBLE_COLLECTIONS_PATH", "")
    roots = [Path(entry) for entry in search.split(":") if entry]
    roots += [Path.home() / ".ansible/collections", Path("/usr/share/ansible/collections")]
    candidates += [root.expanduser() / "ansible_collections" / Path(*COLLECTION) for root in roots]
    for candidate in candidates:
        if (candidate / CATALOGUE).is_file():
            return candidate
    raise CollectionError("collection-missing", searched="\n  ".join(str(path) for path in candidates))


def link_collection(collection: Path, state: Path) -> Path:
    """Make the collection resolvable by its full name.

    Args:
        collection: Root of the collection.
        state: Private directory that may hold a tree of links.

    Returns:
        A directory for ANSIBLE_COLLECTIONS_PATH.
    """
    if collection.parts[-3:] == ("ansible_collections", *COLLECTION):
        return collection.parents[2]
    root = state / "collections"
    parent = make_private_directory(root / "ansible_collections" / COLLECTION[0])
    link = parent / COLLECTION[1]
    if not link.is_symlink() or link.readlink() != collection:
        link.unlink(missing_ok=True)
        link.symlink_to(collection)
    return root
