# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Reading and writing the files of an inventory; comments and whatever the wizard does not know are kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.scalarstring import SingleQuotedScalarString

from hpcampus import vault
from hpcampus.errors import InventoryError
from hpcampus.files import PRIVATE_FILE, PUBLIC_FILE, write_atomically
from hpcampus.yaml_files import check_mapping, dump_document, header_of, is_ambiguous, load_document

if TYPE_CHECKING:
    from pathlib import Path

    from hpcampus.places import Site
    from hpcampus.vault import Key

HEADER = "# Written by 'hpcampus setup', which keeps your comments and your own variables.\n"


@dataclass
class Documents:
    """The files of an inventory, parsed.

    Attributes:
        hosts: `hosts.yml`.
        main: `group_vars/all/main.yml`.
        secrets: `group_vars/all/vault.yml`, decrypted.
        known_hosts: Lines of the pinned host keys.
    """

    hosts: CommentedMap = field(default_factory=CommentedMap)
    main: CommentedMap = field(default_factory=CommentedMap)
    secrets: CommentedMap = field(default_factory=CommentedMap)
    known_hosts: str = ""


def read_documents(site: Site, key: Key | None) -> Documents:
    """Read what is there; what is missing is empty.

    Args:
        site: Whose inventory.
        key: Key of the vault; without one the secrets stay unread.

    Raises:
        InventoryError: A file is not YAML or cannot be read.
        VaultError: The key does not fit.
    """
    secrets = read_file(site.vault_file)
    if secrets and key is not None:
        secrets = vault.decrypt(secrets, key, site.vault_file)
    elif vault.is_encrypted(secrets):
        secrets = ""
    return Documents(
        hosts=_parse(read_file(site.hosts_file), site.hosts_file),
        main=_parse(read_file(site.main_file), site.main_file),
        secrets=_parse(secrets, site.vault_file),
        known_hosts=read_file(site.known_hosts),
    )


def check_readable(site: Site, key: Key | None) -> None:
    """Find what Ansible would stumble over without saying where: a file that is not YAML, a key that does not fit.

    Only the form of the YAML counts here: what Ansible takes, such as a name that stands twice, is left to Ansible.

    Args:
        site: Whose inventory.
        key: Key of the vault, if there is one.

    Raises:
        InventoryError: A file is not YAML or cannot be read; names the file and the line.
        VaultError: The key does not fit.
    """
    variables = [path for place in ("group_vars", "host_vars") for path in (site.inventory / place).rglob("[!.]*.y*ml")]
    for path in [site.hosts_file, *sorted(path for path in variables if path.is_file())]:
        text = read_file(path)
        if vault.is_encrypted(text):
            # Another file may have a key of its own, which only Ansible knows.
            if path != site.vault_file or key is None:
                continue
            text = vault.decrypt(text, key, path)
        try:
            check_mapping(text, str(path))
        except ValueError as error:
            raise InventoryError("inventory-unreadable", path=path, problem=error) from error


def read_file(path: Path) -> str:
    """Read a file of an inventory; one that is missing is empty.

    Raises:
        InventoryError: It cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise InventoryError("inventory-unreadable", path=path, problem=error) from error


def _parse(text: str, path: Path) -> CommentedMap:
    try:
        return load_document(text, str(path))
    except ValueError as error:
        raise InventoryError("inventory-unreadable", path=path, problem=error) from error


def write_documents(site: Site, documents: Documents, key: Key) -> dict[Path, bool]:
    """Write all files, each in one move, the list of hosts last: without it the directory is no inventory.

    Returns:
        For each file, whether it changed.

    Raises:
        InventoryError: The directory cannot be written.
    """
    try:
        site.vault_file.parent.mkdir(parents=True, exist_ok=True)
        written = {site.vault_file: _write_secrets(site.vault_file, documents.secrets, key)}
        written[site.main_file] = write_atomically(site.main_file, _render(documents.main, site.main_file), PUBLIC_FILE)
        if documents.known_hosts:
            written[site.known_hosts] = write_atomically(site.known_hosts, documents.known_hosts, PUBLIC_FILE)
        written[site.hosts_file] = write_atomically(
            site.hosts_file, _render(documents.hosts, site.hosts_file), PUBLIC_FILE
        )
    except OSError as error:
        raise InventoryError("inventory-unwritable", path=site.inventory, problem=error) from error
    return written


def _write_secrets(path: Path, secrets: CommentedMap, key: Key) -> bool:
    """Encrypt again only when something changed, for every encryption gives another file."""
    plain = dump_document(secrets)
    before = read_file(path)
    if vault.is_encrypted(before) and vault.decrypt(before, key, path) == plain:
        path.chmod(PRIVATE_FILE)
        return False
    return write_atomically(path, vault.encrypt(plain, key), PRIVATE_FILE)


def _render(document: CommentedMap, path: Path) -> str:
    text = dump_document(document)
    return (header_of(read_file(path)) if path.exists() else HEADER) + text


def update(document: CommentedMap, values: Mapping[str, object]) -> None:
    """Set variables; whatever keeps its value keeps its very spelling and comments."""
    for name, value in values.items():
        document[name] = _merged(document.get(name), value)


def replace(document: CommentedMap, wanted: Mapping[str, object]) -> None:
    """Make a document hold exactly what is wanted, with the comments of what stays."""
    _merged(document, wanted)


def _merged(present: object, wanted: object) -> object:
    """Change 'present' in place into what is wanted, as far as it has the same shape, and give it back."""
    if isinstance(present, CommentedMap) and isinstance(wanted, Mapping):
        for name in [name for name in present if name not in wanted]:
            del present[name]
        update(present, wanted)
        return present
    if isinstance(present, CommentedSeq) and isinstance(wanted, list):
        del present[len(wanted) :]
        for number, value in enumerate(wanted[: len(present)]):
            present[number] = _merged(present[number], value)
        present.extend(_spelled(value) for value in wanted[len(present) :])
        return present
    same_kind = isinstance(present, bool) == isinstance(wanted, bool)  # for Python, True equals 1
    return present if present == wanted and same_kind else _spelled(wanted)


def _spelled(value: Any) -> Any:
    """Quote the texts of a new value that Ansible would read as something else: yes, off, 0123."""
    if isinstance(value, Mapping):
        return {_spelled(key): _spelled(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_spelled(item) for item in value]
    return SingleQuotedScalarString(value) if isinstance(value, str) and is_ambiguous(value) else value


def plain(value: Any) -> Any:
    """Give a document, or a part of it, as plain Python objects."""
    if isinstance(value, Mapping):
        return {str(key): plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, list) else value
