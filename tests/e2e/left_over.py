# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What no notebook may leave, however it ended."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.e2e.conftest import COMPUTE

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

_OURS = "^(ssh|apptainer|starter|python3?|jupyter|squashfuse).*"


def left_over(platform: Platform) -> list[str]:
    """Look for jobs, ports, processes, and files with a secret."""
    found = [f"job {job}" for job in platform.jobs()]
    found += [f"port file {name}" for name in platform.on("campus", "ls", "/run/hpcampus/tunnel").split()]
    listening = platform.on("campus", "ss", "-Hltn")
    found += [f"open port {port}" for port in re.findall(r"127\.0\.0\.1:(2[0-4]\d{3}) ", listening)]
    found += [f"secrets of {name}" for name in platform.on("login", "ls", "/shared/hpcampus/spawns").split()]
    for node in COMPUTE:
        places = ("find", "/tmp", "/dev/shm", "-maxdepth", "1", "-name", "hpcampus-*")
        found += [f"{node}:{path}" for path in platform.on(node, *places).split()]
        processes = platform.on(node, "pgrep", "--list-full", "--euid", "hpcampus", _OURS, good=(0, 1))
        found += [f"{node}: process {line[:80]}" for line in processes.splitlines()]
    return found
