# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Write down files or running units of every host of a lab, so that two moments can be compared."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from hpcampus.lab import Lab, LabError

# What a run with --check must leave alone, but for the time stamps of systemd and apt, and locks that looking touches.
PLACES = ("/etc", "/opt", "/usr/local", "/var/lib")
NOISE = (
    "/var/lib/systemd",
    "/var/lib/private",
    "/var/lib/dpkg/lock",
    "/var/lib/dpkg/lock-frontend",
    "/var/lib/apt/lists/lock",
    "/var/lib/apt/daily_lock",
    "/var/lib/slurm/slurmctld",  # what a controller that was there before notes
)
# What changes on a host by itself: the kernel's views, what daemons note (Slurm its jobs, sshd its logins), caches and logs.
BY_ITSELF = (
    "/proc",
    "/sys",
    "/dev",
    "/run",
    "/tmp",  # noqa: S108 (a place to leave out)
    "/var/tmp",  # noqa: S108
    "/var/log",
    "/var/cache",
    "/var/lib/slurm",
    "/var/lib/munge",
    "/var/lib/lastlog",
    "/var/lib/wtmpdb",
    "/var/spool",
    *NOISE,
)
# The units that the platform brings or relies on; of a service that its socket starts, the socket.
UNITS = (
    "apache2.service",
    "hpcampus-account-signer.socket",
    "hpcampus-carrier.service",
    "hpcampus-course-sync.timer",
    "hpcampus-courses.service",
    "hpcampus-signer.socket",
    "hpcampus-tunnel-revoke.service",
    "jupyterhub.service",
    "jupyterhub-proxy.service",
    "munge.service",
    "slurmctld.service",
    "slurmd.service",
    "ssh.service",
)


def files(lab: Lab, host: str) -> dict[str, str]:
    """Return kind, mode, owner, size, time of change and link target of every file that a run may touch, by path."""
    return _found(lab, host, PLACES, NOISE)


def everything(lab: Lab, host: str) -> dict[str, str]:
    """Return the same of every file of a host and of the shared file system, by path."""
    shared = ("/shared",) if lab.exec(host, ["test", "-d", "/shared"]).returncode == 0 else ()
    return _found(lab, host, ("/", *shared), BY_ITSELF)


def _found(lab: Lab, host: str, places: tuple[str, ...], left_out: tuple[str, ...]) -> dict[str, str]:
    noise = [word for path in left_out for word in ("-path", path, "-prune", "-o")]
    form = r"%p\t%y %m %U:%G %s %T@ %l\0"
    # A directory's size and time change with the locks in it; its entries are listed one by one anyway.
    form_directory = r"%p\t%y %m %U:%G\0"
    find = ["find", *places, "-xdev", *noise, "-type", "d", "-printf", form_directory, "-o", "-printf", form]
    done = lab.exec(host, find)
    if done.returncode:
        msg = f"find failed on {host}."
        raise LabError(msg, detail=done.stderr)
    return dict(line.split("\t", 1) for line in done.stdout.split("\0") if line)


def units(lab: Lab, host: str) -> dict[str, str]:
    """Return state, main process and time of the last start of every unit that exists, by name."""
    fields = ("Id", "LoadState", "ActiveState", "MainPID", "ActiveEnterTimestampMonotonic")
    done = lab.exec(host, ["systemctl", "show", f"--property={','.join(fields)}", *UNITS])
    found = {}
    for block in done.stdout.strip().split("\n\n"):
        unit = dict(line.split("=", 1) for line in block.splitlines())
        if unit.get("LoadState") == "loaded":
            state = f"{unit['ActiveState']} {unit.get('MainPID', '-')} since {unit['ActiveEnterTimestampMonotonic']}"
            found[unit["Id"]] = state
    return found


def main() -> int:
    """Run `python -m tools.look files|everything|units LAB FILE`."""
    what, name, target = sys.argv[1:]
    try:
        lab = Lab.saved(name)
        look = {"files": files, "everything": everything, "units": units}[what]
        hosts = [host.name for host in lab.spec.hosts]
        with ThreadPoolExecutor(len(hosts)) as pool:
            seen = dict(zip(hosts, pool.map(lambda host: look(lab, host), hosts), strict=True))
    except LabError as error:
        print(error, file=sys.stderr)
        return 1
    Path(target).parent.mkdir(parents=True, exist_ok=True)
    Path(target).write_text(json.dumps(seen, indent=1), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
