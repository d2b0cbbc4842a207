# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Compare the host with what is wanted, in one pass: asking module by module would make a second run ten times as long.

Reads JSON from standard input: packages, users {name: [groups]}, directories and files [{path, owner, group,
mode, sha256 (files only)}], present [patterns], links [paths], units {name: [paths that it reads at its start]}. Writes
JSON: what differs of each, the targets of the links, whether apt has lists at all (an empty but fresh directory looks
up to date to it), and the version of Python.
"""

import grp
import hashlib
import json
import pwd
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any


def packages_missing(names: list[str]) -> list[str]:
    """Packages that are not installed."""
    query = ["dpkg-query", "--show", "--showformat=${db:Status-Status} ${Package}\n", *names]
    known = subprocess.run(query, capture_output=True, text=True, check=False).stdout.split("\n")
    return [name for name in names if f"installed {name}" not in known]


def users_differing(wanted: dict[str, list[str]]) -> list[str]:
    """Users that do not exist or are not in all their groups."""
    known = {entry.pw_name for entry in pwd.getpwall()}
    members = {entry.gr_name: entry.gr_mem for entry in grp.getgrall()}
    return [
        user
        for user, groups in wanted.items()
        if user not in known or any(user not in members.get(g, ()) for g in groups)
    ]


def differs(wanted: dict[str, str]) -> bool:
    """Say whether a file or directory is missing or has another owner, mode or content."""
    path = Path(wanted["path"])
    try:
        found = path.lstat()
        same = (path.owner(), path.group(), stat.S_IMODE(found.st_mode)) == (
            wanted["owner"],
            wanted["group"],
            int(wanted["mode"], 8),
        )
        if "sha256" in wanted:
            same = (
                same
                and stat.S_ISREG(found.st_mode)
                and hashlib.sha256(path.read_bytes()).hexdigest() == wanted["sha256"]
            )
        else:
            same = same and stat.S_ISDIR(found.st_mode)
    except (OSError, KeyError):
        return True
    return not same


def unit_state(name: str, reads: list[str]) -> dict[str, bool]:
    """Tell whether a unit runs, comes up at boot, and was started before something that it reads was changed."""
    names = "LoadState,ActiveState,UnitFileState,NeedDaemonReload,ExecMainStartTimestampMonotonic"
    text = subprocess.run(
        ["systemctl", "show", "--property", names, name], capture_output=True, text=True, check=False
    ).stdout
    state = dict(line.split("=", 1) for line in text.splitlines())
    started = time.time() - time.monotonic() + int(state.get("ExecMainStartTimestampMonotonic") or 0) / 1e6
    changes = [Path(path).lstat().st_mtime for path in reads if Path(path).is_symlink() or Path(path).exists()]
    running = state.get("ActiveState") in {"active", "activating"}
    return {
        "exists": state.get("LoadState") == "loaded",
        "up": running and state.get("UnitFileState") == "enabled",
        "outdated": running and (state.get("NeedDaemonReload") == "yes" or any(change > started for change in changes)),
    }


def main() -> None:
    """Read what is wanted, write what differs."""
    wanted: dict[str, Any] = json.load(sys.stdin)
    answer = {
        "python": ".".join(map(str, sys.version_info[:2])),
        "packages": packages_missing(wanted["packages"]),
        "package_lists": any(Path("/var/lib/apt/lists").glob("*_Packages*")),
        "users": users_differing(wanted["users"]),
        "directories": [item["path"] for item in wanted["directories"] if differs(item)],
        "files": [item["path"] for item in wanted["files"] if differs(item)],
        "present": [path for pattern in wanted["present"] for path in map(str, Path("/").glob(pattern.lstrip("/")))],
        "links": {path: str(Path(path).readlink()) for path in wanted["links"] if Path(path).is_symlink()},
        "units": {name: unit_state(name, reads) for name, reads in wanted["units"].items()},
    }
    sys.stdout.write(json.dumps(answer))


main()
