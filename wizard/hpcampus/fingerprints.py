# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a step depends on, as one digest: its playbook, the roles it uses, the plugins, and the variables.

What cannot be told for certain counts as used: a role whose name is an expression makes a step depend on all roles.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import yaml

from hpcampus.state import fingerprint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from hpcampus.catalogue import Step

COLLECTION = "hpcampus.platform."
# libyaml's parser is ten times as fast; it is there wherever Ansible is installed in the usual way.
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
YAML_SUFFIXES = {".yml", ".yaml"}
USES_A_ROLE = re.compile(r"\b(?:import|include)_role\b")
# Host keys are for ssh, no variable.
NOT_VARIABLES = {"known_hosts.txt"}
LEFT_BEHIND = ("~", ".bak", ".orig", ".swp", ".retry")
NAMES_TESTS = "image_test"
NAMES_FILES = re.compile(r"(_files?|_certificates?)$")
LARGEST_NAMED_FILE = 5_000_000


@dataclass
class Fingerprints:
    """Digests of the steps of a collection for one inventory; files are read once.

    Attributes:
        collection: Root of the collection.
        inventory: Directory of the inventory.
        hosts_identity: Changes when hosts were made anew.
    """

    collection: Path
    inventory: Path
    hosts_identity: str = ""
    _parts: dict[Path, str] = field(default_factory=dict, repr=False)
    _shared: str = field(default="", repr=False)

    def of(self, step: Step) -> str:
        """Give the digest of everything that a step depends on."""
        playbook = find_playbook(self.collection, step.playbook)
        if playbook is None:
            return self._digest([self.collection / "playbooks", *all_roles(self.collection)])
        roles = used_roles(self.collection, playbook)
        return self._digest([playbook, *(self.collection / "roles" / name for name in roles)])

    def _digest(self, parts: Iterable[Path]) -> str:
        if not self._shared:
            beside = [self.collection / "plugins", *_shared_by_playbooks(self.collection / "playbooks")]
            self._shared = fingerprint(beside, [inventory_digest(self.inventory), self.hosts_identity])
        return fingerprint([], [self._shared, *(self._part(part) for part in parts)])

    def _part(self, path: Path) -> str:
        if path not in self._parts:
            self._parts[path] = fingerprint([path]) if path.exists() else ""
        return self._parts[path]


def find_playbook(collection: Path, name: str) -> Path | None:
    """Give the file of a playbook that is named by its full collection name; None when it is not in the collection."""
    if not name.startswith(COLLECTION):
        return None
    path = (collection / "playbooks").joinpath(*name.removeprefix(COLLECTION).split(".")).with_suffix(".yml")
    return path if path.is_file() else None


def all_roles(collection: Path) -> list[Path]:
    """Give the directories of all roles, sorted."""
    return sorted(path for path in (collection / "roles").glob("*") if path.is_dir())


def used_roles(collection: Path, playbook: Path) -> tuple[str, ...]:
    """Give the names of the roles that a playbook uses, also by way of others, sorted; in doubt all of them."""
    every = {path.name for path in all_roles(collection)}
    try:
        waiting = list(_named_in(playbook))
        found: set[str] = set()
        while waiting:
            name = waiting.pop().removeprefix(COLLECTION)
            if name in found:
                continue
            if name not in every:
                return tuple(sorted(every))
            found.add(name)
            for path in _task_files(collection / "roles" / name):
                waiting += _named_in(path)
    except (OSError, UnicodeDecodeError, yaml.YAMLError):
        return tuple(sorted(every))
    return tuple(sorted(found))


def _task_files(role: Path) -> Iterator[Path]:
    yield from (path for path in (role / "meta" / "main.yml",) if path.is_file())
    for place in ("tasks", "handlers"):
        for path in sorted((role / place).rglob("*")):
            if path.suffix in YAML_SUFFIXES and USES_A_ROLE.search(path.read_text(encoding="utf-8")):
                yield path


def _named_in(path: Path) -> Iterator[str]:
    """Give the roles that a playbook, a file of tasks or the meta file of a role names."""
    # Nodes, not values: tags such as !vault need nobody who knows them.
    document = yaml.compose(path.read_text(encoding="utf-8"), Loader=LOADER)
    if document is not None:
        yield from _named_below(document)


def _named_below(node: yaml.Node) -> Iterator[str]:
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _named_below(item)
    if not isinstance(node, yaml.MappingNode):
        return
    for key, value in node.value:
        name = str(key.value).rsplit(".", 1)[-1]
        if name in {"import_role", "include_role"}:
            yield _called(value)
        elif name in {"roles", "dependencies"} and isinstance(value, yaml.SequenceNode):
            for item in value.value:
                yield _called(item)
        elif name == "import_playbook":
            # Its roles are not looked for: no role has such a name, so that all count.
            yield "import_playbook"
        else:
            yield from _named_below(value)


def _called(node: yaml.Node) -> str:
    """Give the name of a role from 'name', '{role: name}' or '{name: name}'; an empty text when there is none."""
    if isinstance(node, yaml.ScalarNode):
        return str(node.value)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if key.value in {"role", "name"} and isinstance(value, yaml.ScalarNode):
                return str(value.value)
    return ""


def _shared_by_playbooks(playbooks: Path) -> list[Path]:
    """Give what lies among the playbooks and is none: files of variables and templates, which any step may read."""
    return sorted(
        path
        for path in playbooks.rglob("*")
        if path.is_file()
        and path.parent not in {playbooks, playbooks / "steps"}
        and path != playbooks / "vars/steps.yml"
    )


def inventory_digest(inventory: Path) -> str:
    """Digest what Ansible reads of an inventory: its values, without comments and the way they are written.

    Files of this machine that a variable for files names, such as a certificate, count with their content, and so do the notebooks
    by which courses test images, with what lies beside them.
    """
    digest = hashlib.sha256()
    named: set[str] = set()
    for path in _inventory_files(inventory):
        content = path.read_bytes()
        if path.suffix in YAML_SUFFIXES:
            named |= _named_files(content, inventory)
            content = _values(content)
        digest.update(str(path.relative_to(inventory)).encode() + b"\0" + hashlib.sha256(content).digest())
    for name in sorted(named):
        file = Path(name).expanduser() if name.startswith("~/") else Path(name)
        digest.update(name.encode() + b"\0" + _content(file))
    return digest.hexdigest()


def _inventory_files(inventory: Path) -> Iterator[Path]:
    for path in sorted(inventory.rglob("*")):
        parts = path.relative_to(inventory).parts
        hidden = any(part.startswith(".") or part.endswith(LEFT_BEHIND) for part in parts)
        if path.is_file() and not hidden and parts[0] != "backups" and path.name not in NOT_VARIABLES:
            yield path


def _values(content: bytes) -> bytes:
    """Give YAML without comments and layout; anything else as it is."""
    parts: list[str] = []
    try:
        for event in yaml.parse(content, Loader=LOADER):
            parts.append(type(event).__name__)
            parts.append(repr((getattr(event, "anchor", None), getattr(event, "tag", None))))
            if isinstance(event, yaml.ScalarEvent):
                # A quoted 'yes' is another value than a bare one.
                parts.append(repr((event.value, event.implicit)))
    except (yaml.YAMLError, UnicodeDecodeError):
        return content
    return "\0".join(parts).encode(errors="surrogatepass")


def _named_files(content: bytes, inventory: Path) -> set[str]:
    """Give the absolute paths that stand in variables for files of this machine, and those of the files that test images."""
    found: set[str] = set()

    def visit(node: yaml.Node | None, *, of_files: bool) -> None:
        if isinstance(node, yaml.MappingNode):
            for key, value in node.value:
                if key.value == NAMES_TESTS and isinstance(value, yaml.ScalarNode) and value.value:
                    found.update(_beside(inventory / value.value))
                visit(value, of_files=NAMES_FILES.search(str(key.value)) is not None)
        elif isinstance(node, yaml.SequenceNode):
            for item in node.value:
                visit(item, of_files=of_files)
        elif isinstance(node, yaml.ScalarNode) and of_files and node.value.startswith(("/", "~/")):
            found.add(node.value)

    with contextlib.suppress(yaml.YAMLError, UnicodeDecodeError, RecursionError):
        visit(yaml.compose(content, Loader=LOADER), of_files=False)
    return found


def _beside(path: Path) -> Iterator[str]:
    """Give the files of the directory that a path lies in, hidden ones left out."""
    with contextlib.suppress(OSError, ValueError):
        for other in sorted(path.parent.rglob("*")):
            if not any(part.startswith(".") for part in other.relative_to(path.parent).parts):
                yield str(other)


def _content(path: Path) -> bytes:
    try:
        if path.is_file() and path.stat().st_size <= LARGEST_NAMED_FILE:
            return hashlib.sha256(path.read_bytes()).digest()
    except (OSError, ValueError):
        pass
    return b""
