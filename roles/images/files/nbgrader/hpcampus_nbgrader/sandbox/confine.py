# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the kernel enforces on a process of a submission, and what keeps its parent out of its reach."""

from __future__ import annotations

import contextlib
import ctypes
import os
import resource
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .task import Limits

MB = 1024 * 1024
FILES_MAX = 512
_PR_SET_DUMPABLE = 4
_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1
_PR_SET_NO_NEW_PRIVS = 38
_COUNTED_BY_NAMESPACE = (5, 14)
"""Since this version of Linux a user's processes are counted in each user namespace, and not for the whole host."""


def _prctl(option: int, value: int) -> None:
    ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0)


def hide_memory() -> None:
    """Keep other processes of the same user out of this one's memory and open files."""
    _prctl(_PR_SET_DUMPABLE, 0)


def show_memory() -> None:
    """Be an ordinary process again: one that may look at itself in /proc."""
    _prctl(_PR_SET_DUMPABLE, 1)


def adopt_orphans() -> None:
    """Become the parent of every process below that loses its own."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def end_with_parent(number: int) -> None:
    """Get a signal when the parent ends."""
    _prctl(_PR_SET_PDEATHSIG, number)


def are_processes_counted_here() -> bool:
    """Whether a limit on processes counts those of this container alone."""
    with contextlib.suppress(OSError, ValueError):
        is_whole_host = Path("/proc/self/uid_map").read_text(encoding="ascii").split() == ["0", "0", "4294967295"]
        version = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
        return not is_whole_host and version >= _COUNTED_BY_NAMESPACE
    return False


def limit(limits: Limits) -> None:
    """Set the limits of this process and all that it starts; they cannot be raised again."""
    processes = limits.processes + (0 if are_processes_counted_here() else limits.processes_before)
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_NPROC: processes,
        resource.RLIMIT_FSIZE: limits.file_mb * MB,
        resource.RLIMIT_NOFILE: FILES_MAX,
        resource.RLIMIT_DATA: limits.memory_mb * MB,
        resource.RLIMIT_MSGQUEUE: 0,
    }
    for name, value in wanted.items():
        hard = resource.getrlimit(name)[1]
        most = value if hard == resource.RLIM_INFINITY else min(value, hard)
        resource.setrlimit(name, (most, most))
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)
