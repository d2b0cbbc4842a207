# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Looks at compute nodes over ssh, so that the first profiles fit them."""

from __future__ import annotations

import os
import subprocess
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from hpcampus.render import NodeSize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

PROBE = ["nproc; awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo"]
PROBE_SECONDS = 10
MOST_NODES = 8


def parse_probe(text: str) -> NodeSize:
    """Read cores and memory in MB, one in a line.

    Raises:
        ValueError: The text is not that.
    """
    cpus, memory_mb = (int(line) for line in text.split())
    if cpus < 1 or memory_mb < 1:
        raise ValueError(text)
    return NodeSize(cpus, memory_mb)


def smallest(sizes: Sequence[NodeSize]) -> NodeSize:
    """Give the cores and the memory that every node has."""
    return NodeSize(min(size.cpus for size in sizes), min(size.memory_mb for size in sizes))


def this_machine() -> NodeSize:
    """Look at this machine."""
    pages, size = os.sysconf("SC_PHYS_PAGES"), os.sysconf("SC_PAGE_SIZE")
    return NodeSize(os.cpu_count() or 1, pages * size // 1024**2)


def probe(hosts: Sequence[str], user: str, known_hosts: Path) -> NodeSize:
    """Look at the first few hosts at once, with the pinned keys only.

    Raises:
        OSError: A host could not be looked at.
        ValueError: It said something else than numbers.
    """
    with ThreadPoolExecutor(MOST_NODES) as pool:
        return smallest(list(pool.map(lambda host: _probe_one(host, user, known_hosts), hosts[:MOST_NODES])))


def _probe_one(host: str, user: str, known_hosts: Path) -> NodeSize:
    argv = [
        "ssh",
        "-o",
        "BatchMode=yes",
        "-o",
        f'UserKnownHostsFile="{known_hosts}"',
        "-o",
        "StrictHostKeyChecking=yes",
    ]
    argv += [
        "-o",
        "GlobalKnownHostsFile=/dev/null",
        "-o",
        f"ConnectTimeout={PROBE_SECONDS // 2}",
        "-l",
        user,
        "--",
        host,
    ]
    try:
        done = subprocess.run(
            [*argv, *PROBE],
            capture_output=True,
            text=True,
            check=False,
            timeout=PROBE_SECONDS,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(f"{host} did not answer in {PROBE_SECONDS} s") from error
    if done.returncode != 0:
        raise OSError(
            done.stderr.strip().splitlines()[-1] if done.stderr.strip() else f"ssh ended with {done.returncode}"
        )
    return parse_probe(done.stdout)
