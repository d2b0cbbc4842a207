# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Compare the hub with the courses that are wanted, in one pass.

Reads JSON from standard input: files [{path, mode, sha256}]. Writes JSON: the files that differ, the group that may read
them, and the state of the hub's unit.
"""

import grp
import hashlib
import json
import stat
import subprocess
import sys
import time
from pathlib import Path


def differs(path: Path, mode: str, sha256: str, gid: int) -> bool:
    """Say whether a file is missing or has other content, group or mode."""
    if not path.is_file():
        return True
    found = path.stat()
    same = found.st_gid == gid and stat.S_IMODE(found.st_mode) == int(mode, 8)
    return not same or hashlib.sha256(path.read_bytes()).hexdigest() != sha256


files = json.load(sys.stdin)["files"]
group = next((entry for entry in grp.getgrall() if entry.gr_name == "jupyterhub"), grp.getgrgid(0))
show = ["systemctl", "show", "--property", "ActiveState,ExecMainStartTimestampMonotonic", "jupyterhub.service"]
text = subprocess.run(show, capture_output=True, text=True, check=False).stdout
unit = dict(line.split("=", 1) for line in text.splitlines())
started = time.time() - time.monotonic() + int(unit.get("ExecMainStartTimestampMonotonic") or 0) / 1e6
up = unit.get("ActiveState") in {"active", "activating"}
changes = [Path(file["path"]).stat().st_mtime for file in files if Path(file["path"]).is_file()]
answer = {
    "group": group.gr_name,
    "files": [f["path"] for f in files if differs(Path(f["path"]), f["mode"], f["sha256"], group.gr_gid)],
    "up": up,
    "outdated": up and any(change > started for change in changes),
    "check": Path("/usr/local/sbin/hpcampus-hub-check").exists(),
}
sys.stdout.write(json.dumps(answer))
