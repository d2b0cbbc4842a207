# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""File systems that hosts share. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.probes.finding import Line, note, ok, problem
from hpcampus.probes.host import Mount, mount_of
from hpcampus.validators import PLAIN_PATH

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

DIRECTORY = "hpcampus"
USUAL_DIRECTORY = "/srv/hpcampus"
# Where no site keeps the files of its users, and what it would rather not have there, the worst last.
PRIVATE_PLACES = ("/boot", "/dev", "/etc", "/proc", "/root", "/run", "/snap", "/sys", "/usr", "/var")
LATE_PLACES = ("/opt", "/home", "/scratch")


def shared_lines(path: str, mounts: Mapping[str, Sequence[Mount]]) -> list[Line]:
    """Say whether a path lies on one file system on all hosts.

    Args:
        path: The directory; it need not be there yet.
        mounts: By host, its file systems.
    """
    below = {name: mount_of(found, path) for name, found in mounts.items()}
    known = {name: mount for name, mount in below.items() if mount is not None}
    kinds = ", ".join(f"{name}: {mount.type} {mount.source} on {mount.point}" for name, mount in known.items())
    identities = {mount.identity for mount in known.values()}
    if len(known) < len(mounts) or any(mount.type == "autofs" or not mount.identity for mount in known.values()):
        return [note("nodes.shared-unknown", path=path, seen=kinds or "-")]
    if len(identities) == 1:
        first = next(iter(known.values()))
        return [ok("nodes.shared", path=path, point=first.point, type=first.type)]
    if all(mount.network for mount in known.values()) and len({mount.source for mount in known.values()}) == 1:
        return [note("nodes.shared-unknown", path=path, seen=kinds)]
    return [problem("nodes.not-shared", path=path, seen=kinds)]


def common_mounts(mounts: Sequence[Sequence[Mount]]) -> list[str]:
    """Propose directories on file systems that all hosts share, the best first.

    Args:
        mounts: The file systems of each host.
    """
    if not mounts:
        return []
    shared = [
        mount
        for mount in mounts[0]
        if mount.identity
        and PLAIN_PATH.fullmatch(mount.point)
        and not mount.point.startswith(PRIVATE_PLACES)
        and all(any(_same(mount, other) for other in others) for others in mounts[1:])
    ]

    def rank(mount: Mount) -> tuple[bool, int, bool, str]:
        usual = f"{USUAL_DIRECTORY}/".startswith(f"{mount.point}/")
        late = next((n for n, place in enumerate(LATE_PLACES, 1) if mount.point.startswith(place)), 0)
        return (not usual, late, not mount.network, mount.point)

    points = [mount.point for mount in sorted(shared, key=rank)]
    usual = [USUAL_DIRECTORY for point in points if f"{USUAL_DIRECTORY}/".startswith(f"{point}/")]
    return list(dict.fromkeys([*usual, *(f"{point}/{DIRECTORY}" for point in points if point != USUAL_DIRECTORY)]))


def _same(one: Mount, other: Mount) -> bool:
    return (one.point, one.type, one.identity) == (other.point, other.type, other.identity)
