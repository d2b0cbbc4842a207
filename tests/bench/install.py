# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From bare hosts to a platform, and the run after it. The build of images is counted apart."""

from __future__ import annotations

import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from hpcampus import demo
from hpcampus.lab import Host, Lab, require_root, role_settings, site_settings

ROOT = Path(__file__).parents[2]
HOSTS = tuple(Host(name=host.name, shared=host.shared, groups=host.groups) for host in demo.HOSTS)


def play(inventory: Path, playbook: str, *options: str) -> tuple[float, str]:
    """Run a playbook and give its seconds and its recap."""
    start = time.monotonic()
    done = subprocess.run(
        [
            "ansible-playbook",
            "-i",
            str(ROOT / "inventories/demo"),
            "-i",
            str(inventory),
            f"hpcampus.platform.{playbook}",
            *options,
        ],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "ANSIBLE_PIPELINING": "1", "ANSIBLE_FORKS": "10"},
    )
    seconds = time.monotonic() - start
    if done.returncode:
        sys.exit(done.stdout[-4000:] + done.stderr[-2000:])
    return seconds, done.stdout.rpartition("PLAY RECAP")[2]


def changed(recap: str) -> int:
    """Add up what changed on all hosts."""
    return sum(int(number) for number in re.findall(r"changed=(\d+)", recap))


def pids(lab: Lab) -> str:
    """Give the main process of each unit that the platform runs."""
    units = ["jupyterhub", "jupyterhub-proxy", "apache2", "ssh", "slurmctld", "slurmd", "munge"]
    return "\n".join(
        lab.exec(host.name, ["systemctl", "show", "--property=Id,MainPID", *units]).stdout for host in HOSTS
    )


def measure(runs: int) -> None:
    """Install on bare hosts, run again, look at what was restarted."""
    require_root([sys.executable, "-m", "tests.bench", "install"])
    table = []
    for _ in range(runs):
        lab = Lab("bench", HOSTS)
        lab.down(print)
        lab.up(print)
        try:
            table.append(_measure_once(lab))
        finally:
            lab.down(print)
        print(json.dumps(table[-1]), flush=True)
    print(
        "median of",
        runs,
        json.dumps({name: round(statistics.median(row[name] for row in table), 1) for name in table[0]}),
    )


def _measure_once(lab: Lab) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as folder:
        inventory = Path(folder, "hosts.json")
        hosts = {name: {**connection, **role_settings()} for name, connection in lab.inventory_hosts().items()}
        inventory.write_text(json.dumps({"all": {"hosts": hosts, "vars": site_settings()}}), encoding="utf-8")
        bare, _ = play(inventory, "site", "--check", "--diff", "--skip-tags", "images")
        first, recap = play(inventory, "site", "--skip-tags", "images")
        image, _ = play(inventory, "steps.images")
        before = pids(lab)
        second, again = play(inventory, "site")
        return {
            "check_bare_s": round(bare, 1),
            "site_s": round(first, 1),
            "site_changed": changed(recap),
            "image_s": round(image, 1),
            "second_s": round(second, 1),
            "second_changed": changed(again),
            "restarted": float(before != pids(lab)),
        }
