# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where an inventory sets a variable: of several places, the one that counts for the hosts that use it. Pure.

An administrator may split variables into files of their own, or set them for a group or in the list of hosts. Whoever
changes such a variable has to change it there: a second value in `main.yml` would be without effect, or hide the first.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from ruamel.yaml.comments import CommentedMap

if TYPE_CHECKING:
    from pathlib import Path

ALL = "all"
HUB_ROLES = ("apache_", "jupyterhub_", "tunnel_")
SLURM_ROLES = ("slurm_",)


class Rank(IntEnum):
    """How strong a place is for Ansible: the higher one counts."""

    ALL_INLINE = 0
    GROUP_INLINE = 1
    ALL_FILE = 2
    GROUP_FILE = 3
    HOST_INLINE = 4
    HOST_FILE = 5


@dataclass(frozen=True)
class Place:
    """A mapping of variables.

    Attributes:
        rank: How strong it is.
        name: Group or host that it is for.
        path: The file it stands in.
        variables: The mapping; changing it changes the document.
        secret: Whether the file is encrypted.
    """

    rank: Rank
    name: str
    path: Path
    variables: CommentedMap
    secret: bool = False


def members(hosts: Mapping[str, Any]) -> dict[str, set[str]]:
    """Give the hosts of each group of `hosts.yml`, those of its children included."""
    found: dict[str, set[str]] = {}
    _collect(ALL, hosts.get(ALL), found)
    for name, group in hosts.items():
        if name != ALL:
            found.setdefault(ALL, set()).update(_collect(str(name), group, found))
    return found


def _collect(name: str, group: object, found: dict[str, set[str]]) -> set[str]:
    mine = found.setdefault(name, set())
    if isinstance(group, Mapping):
        hosts, children = group.get("hosts"), group.get("children")
        mine.update(str(host) for host in hosts or {})
        for child, inner in children.items() if isinstance(children, Mapping) else ():
            mine.update(_collect(str(child), inner, found))
    return set(mine)


def inline_places(hosts: CommentedMap, path: Path) -> Iterator[Place]:
    """Give the mappings of variables that stand in the list of hosts itself."""
    for name, group in hosts.items():
        yield from _inline(str(name), group, path)


def _inline(name: str, group: object, path: Path) -> Iterator[Place]:
    if not isinstance(group, CommentedMap):
        return
    if isinstance(group.get("vars"), CommentedMap):
        yield Place(Rank.ALL_INLINE if name == ALL else Rank.GROUP_INLINE, name, path, group["vars"])
    hosts, children = group.get("hosts"), group.get("children")
    for host, variables in hosts.items() if isinstance(hosts, CommentedMap) else ():
        if isinstance(variables, CommentedMap):
            yield Place(Rank.HOST_INLINE, str(host), path, variables)
    for child, inner in children.items() if isinstance(children, CommentedMap) else ():
        yield from _inline(str(child), inner, path)


def owner(name: str, places: Sequence[Place], groups: Mapping[str, set[str]]) -> Place | None:
    """Find the place whose value counts for all hosts that use a variable; None when no place sets it for them all.

    A value for some of the hosts only is an exception that somebody made for these; it stays theirs.

    Args:
        name: The variable.
        places: In the order in which Ansible reads those of one rank.
        groups: Hosts of each group.
    """
    users = _users(name, groups)
    found = None
    for place in places:
        covers = place.name == ALL or (bool(users) and users <= groups.get(place.name, {place.name}))
        if name in place.variables and covers and (found is None or place.rank >= found.rank):
            found = place
    return found


def _users(name: str, groups: Mapping[str, set[str]]) -> set[str]:
    """Give the hosts that use a variable: those of its role's group, or all."""
    if name.startswith(HUB_ROLES):
        return groups.get("hub", set())
    if name.startswith(SLURM_ROLES):
        return groups.get("slurm", set())
    return groups.get(ALL, set())
