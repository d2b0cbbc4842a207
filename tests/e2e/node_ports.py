# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which ports the account of the notebooks holds open on a node, and for which job."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.e2e.conftest import Platform

# The program of a job, as Slurm starts its copy: with the base directory, the spawn's id and sometimes the library.
JOB_PROGRAM = re.compile(r"/(?:slurm_script|job\.py) \S+ (?P<spawn_id>[0-9a-f]{32})(?: \S+)?\Z")


def ports_of_jobs(platform: Platform, node: str) -> dict[int, str]:
    """Give the spawn id of the job whose own program listens, by port; it is empty where another process of the account does."""
    ours = platform.on(node, "pgrep", "--euid", "hpcampus").split()
    found = {}
    for line in platform.on(node, "ss", "-Hltnp").splitlines():
        for pid in set(re.findall(r"\bpid=([0-9]+),", line)) & set(ours):
            command = platform.on(node, "cat", f"/proc/{pid}/cmdline").replace("\0", " ").strip()
            program = JOB_PROGRAM.search(command)
            found[int(line.split()[3].rpartition(":")[2])] = program["spawn_id"] if program else ""
    return found


def one_for_each_job(platform: Platform, ports: dict[int, str], *users: str) -> bool:
    """Tell whether each port is the only one of a job's program, and the users' jobs are among these; others may run there too."""
    spawns = [comment.split(":")[-1] for comment in platform.jobs() if comment.split(":")[2] in users]
    jobs = list(ports.values())
    return "" not in jobs and len(set(jobs)) == len(jobs) and len(spawns) >= len(users) and set(spawns) <= set(jobs)
