# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The steps as a person sees them: what each does, on which hosts, how it stands, and how long it took."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from hpcampus.apply import load_steps
from hpcampus.errors import InventoryError
from hpcampus.fingerprints import Fingerprints
from hpcampus.inventory_files import plain
from hpcampus.state import DONE, RUNNING, Journal, Record
from hpcampus.yaml_files import load_document

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from hpcampus.catalogue import Step
    from hpcampus.places import Site

CHANGED = "changed"
NEVER = "never"
INTERRUPTED = "interrupted"
_RANGE = re.compile(r"\[(\d+|[a-zA-Z]):(\d+|[a-zA-Z])\]")
MOST_OF_A_RANGE = 10_000


@dataclass(frozen=True)
class Standing:
    """How a step stands.

    Attributes:
        number: Place in the order, from 1.
        step: The step.
        groups: Its groups that have hosts in the inventory, each with how many.
        hosts: How many hosts these are together.
        state: done, changed (since it was done), failed, stopped, skipped, interrupted, running or never.
        last: How it ended last; None if it never ran.
        done: How it was last done; None if it never was.
    """

    number: int
    step: Step
    groups: Mapping[str, int]
    hosts: int
    state: str
    last: Record | None
    done: Record | None

    def as_data(self) -> dict[str, Any]:
        """Give it for JSON."""
        return {
            "number": self.number,
            "name": self.step.name,
            "title": self.step.title,
            "description": self.step.description,
            "needs": list(self.step.needs),
            "groups": {group: self.groups.get(group, 0) for group in self.step.hosts},
            "hosts": self.hosts,
            "state": self.state,
            "last_at": self.last.at if self.last else None,
            "done_at": self.done.at if self.done else None,
            "seconds": self.done.seconds if self.done else None,
            "changed": self.done.changed if self.done else None,
        }


def look_at_steps(site: Site, collection: Path) -> tuple[Standing, ...]:
    """Say how each step of a collection stands for a site; one without an inventory has run nothing.

    Raises:
        CollectionError: The catalogue is missing or wrong.
        InventoryError: The list of hosts cannot be read.
    """
    journal = site.state.load()
    known = read_groups(site.hosts_file)
    digests = Fingerprints(collection, site.inventory, journal.hosts_identity)
    locked = site.state.is_locked()
    return tuple(
        _standing(number, step, known, journal, digests.of(step) if step.name in journal.last else "", locked=locked)
        for number, step in enumerate(load_steps(collection), start=1)
    )


def _standing(
    number: int, step: Step, known: Mapping[str, Sequence[str]], journal: Journal, digest: str, *, locked: bool
) -> Standing:
    groups = {group: len(known[group]) for group in step.hosts if known.get(group)}
    hosts = {host for group in groups for host in known[group]}
    last, done = journal.last.get(step.name), journal.done.get(step.name)
    if last is None:
        state = NEVER
    elif last.status == RUNNING:
        state = RUNNING if locked else INTERRUPTED
    elif last.status == DONE:
        state = DONE if last.fingerprint == digest else CHANGED
    else:
        state = last.status
    return Standing(number, step, groups, len(hosts), state, last, done)


def read_groups(hosts_file: Path) -> dict[str, tuple[str, ...]]:
    """Give the hosts of each group of an inventory file; nothing when there is no such file.

    Raises:
        InventoryError: It cannot be read.
    """
    try:
        document = plain(load_document(hosts_file.read_text(encoding="utf-8"), str(hosts_file)))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise InventoryError("inventory-unreadable", path=hosts_file, problem=error) from error
    return hosts_of_groups(document)


def hosts_of_groups(document: Mapping[str, object]) -> dict[str, tuple[str, ...]]:
    """Give the hosts of each group, those of its children included, from a parsed YAML inventory."""
    found: dict[str, dict[str, None]] = {}
    children: dict[str, set[str]] = {}

    def visit(name: str, group: object) -> None:
        hosts = found.setdefault(name, {})
        if not isinstance(group, Mapping):
            return
        listed = group.get("hosts")
        for pattern in listed if isinstance(listed, Mapping) else ():
            hosts.update(dict.fromkeys(expand(str(pattern))))
        below = group.get("children")
        for child, content in below.items() if isinstance(below, Mapping) else ():
            children.setdefault(name, set()).add(str(child))
            visit(str(child), content)

    for name, group in document.items():
        visit(name, group)
    return {name: tuple(_with_children(name, found, children, set())) for name in found}


def _with_children(
    name: str, found: Mapping[str, Mapping[str, None]], children: Mapping[str, set[str]], seen: set[str]
) -> dict[str, None]:
    if name in seen:
        return {}
    hosts = dict(found.get(name, {}))
    for child in sorted(children.get(name, ())):
        hosts.update(_with_children(child, found, children, seen | {name}))
    return hosts


def expand(pattern: str) -> list[str]:
    """Give the hosts of a pattern such as c[01:16], as Ansible does; anything else stands for itself."""
    match = _RANGE.search(pattern)
    if match is None:
        return [pattern]
    first, last = match.groups()
    if first.isdigit() and last.isdigit():
        width = len(first) if first.startswith("0") else 0
        numbers = range(int(first), min(int(last), int(first) + MOST_OF_A_RANGE) + 1)
        names = [f"{number:0{width}d}" for number in numbers]
    elif len(first) == len(last) == 1 and not first.isdigit() and not last.isdigit():
        names = [chr(code) for code in range(ord(first), ord(last) + 1)]
    else:
        return [pattern]
    before, after = pattern[: match.start()], pattern[match.end() :]
    return [before + name + rest for name in names for rest in expand(after)]
