# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Leg of the connections that the hub's side opens to jobs: the carrier has its key, and what it was told to keep up is up."""

import json
from pathlib import Path

from hpcampus_hub.paths.base import PathError
from hpcampus_hub.paths.carried import WORDS, Desk
from hpcampus_hub.settings import AUTO, Site

from .finding import Said
from .words import say

MOST_TRIES = 7
"""So often a connection may have failed, in about half a minute: a job's door opens some seconds after the job's start."""


def is_wanted(site: Site) -> bool:
    """Whether a cluster's data path needs the carrier."""
    return any(cluster.data_path in (AUTO, *WORDS) for cluster in site.clusters.values())


async def carrier(directory: str) -> Said:
    """The carrier's key can be used, and every ordered connection is up."""
    try:
        Desk(directory).public_key()
    except PathError as error:
        return say("carrier.no-key", error=error)
    up, down = states(Path(directory) / "state")
    if down:
        return say("carrier.down", up=up, down=len(down), connections="; ".join(down))
    return say("carrier.good", up=up)


def states(directory: Path) -> tuple[int, list[str]]:
    """How many connections are up, and those that have failed too often, each with its last error."""
    up, down = 0, []
    for path in sorted(directory.glob("[0-9]*.json")):
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            is_up, tries, error = state["up"], int(state["tries"]), str(state["error"])
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
        if is_up is True:
            up += 1
        elif tries > MOST_TRIES:
            down.append(f"port {path.stem}: {error or 'no reason given'}")
    return up, down
