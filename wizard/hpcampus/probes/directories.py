# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Directories of an account at a centre, and what it may fill there. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hpcampus.probes.amounts import gigabytes
from hpcampus.texts import t

DIRECTORY = "hpcampus"
# Of the places an account may write to, the best first: what is named or usual for a project lives longest.
KINDS = ("named", "usual", "home")


@dataclass(frozen=True)
class Place:
    """A directory that the account may write to.

    Attributes:
        kind: How it was found, see KINDS.
        path: Behind its symbolic links.
        free_gb: Free space of its file system, in GB; None when that is not known.
        file_system: Its type.
        owner: Of what stands there under our name; empty when nothing does.
    """

    kind: str
    path: str
    free_gb: float | None
    file_system: str
    owner: str

    @property
    def base_dir(self) -> str:
        """The directory that the platform would get there."""
        return f"{self.path.rstrip('/')}/{DIRECTORY}"


def parse_places(text: str) -> list[Place]:
    """Read KIND|PATH|FREE KB|TYPE|OWNER, each path once."""
    places: dict[str, Place] = {}
    for line in text.split("\n"):
        parts = line.split("|")
        if len(parts) == 5 and parts[0] in KINDS and parts[1].startswith("/"):
            free = int(parts[2]) / 1024**2 if re.fullmatch(r"[0-9]{1,18}", parts[2]) else None
            places.setdefault(parts[1], Place(parts[0], parts[1], free, parts[3], parts[4]))
    return list(places.values())


def describe_place(place: Place) -> str:
    """Say in one line what a place offers: /project/p123/hpcampus (3.1 TB free, lustre)."""
    words = [] if place.free_gb is None else [t("probe.place.free", amount=gigabytes(place.free_gb))]
    words += [place.file_system] if place.file_system else []
    words += [t("probe.place.home")] if place.kind == "home" else []
    words += [t("probe.place.there")] if place.owner else []
    return f"{place.base_dir} ({', '.join(words)})" if words else place.base_dir


def parse_quotas(text: str) -> list[tuple[str, float, float]]:
    """Read `quota -w` and `lfs quota -q`: file system, what is used and the limit, in GB; those without a limit are left out."""
    found = []
    for line in text.split("\n"):
        parts = line.split()
        if len(parts) < 4 or not ("/" in parts[0] or ":" in parts[0]):
            continue
        numbers = [int(part.rstrip("*")) for part in parts[1:4] if re.fullmatch(r"[0-9]{1,18}\*?", part)]
        if len(numbers) == 3:
            limits = [limit for limit in numbers[1:] if limit]
            if limits:
                found.append((parts[0], numbers[0] / 1024**2, min(limits) / 1024**2))
    return found
