# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Measure running units: state, account, listening TCP addresses, exposure. Arguments: unit names. Writes JSON."""

import ipaddress
import json
import pwd
import re
import subprocess
import sys
from pathlib import Path


def run(*argv: str) -> str:
    """Output of a program, in English."""
    return subprocess.run(
        argv, capture_output=True, text=True, check=False, env={"LC_ALL": "C", "PATH": "/usr/bin"}
    ).stdout


def listening() -> dict[str, str]:
    """Address and port of each listening TCP socket, by inode."""
    result = {}
    for table, width in (("tcp", 4), ("tcp6", 16)):
        for line in Path("/proc/net", table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] != "0A":
                continue
            address, port = fields[1].split(":")
            packed = bytes.fromhex(address)
            # The kernel prints each 32-bit word in the host's order.
            words = (packed[at : at + 4][:: 1 if sys.byteorder == "big" else -1] for at in range(0, width, 4))
            result[f"socket:[{fields[9]}]"] = f"{ipaddress.ip_address(b''.join(words))} {int(port, 16)}"
    return result


def addresses(unit: str, sockets: dict[str, str]) -> list[str]:
    """Listening addresses of all processes of a unit."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if unit in (process / "cgroup").read_text().replace("\n", "/").split("/"):
                found |= {sockets.get(str(link.readlink())) for link in (process / "fd").iterdir()}
        except OSError:  # the process or the descriptor is gone
            continue
    return sorted(address for address in found if address)


def main() -> None:
    """Write what the units are like now."""
    sockets, answer = listening(), {}
    for unit in sys.argv[1:]:
        state = dict(
            line.split("=", 1) for line in run("systemctl", "show", "-p", "ActiveState,MainPID", unit).splitlines()
        )
        process = Path("/proc", state["MainPID"])
        uid = process.stat().st_uid if state["MainPID"] != "0" else None
        exposure = re.search(
            r"exposure level for \S+: ([0-9.]+)", run("systemd-analyze", "security", "--no-pager", unit)
        )
        answer[unit] = {
            "state": state["ActiveState"],
            "account": "" if uid is None else pwd.getpwuid(uid).pw_name,
            "addresses": [] if uid is None else addresses(unit, sockets),
            "exposure": float(exposure[1]) if exposure else 10.0,
        }
    sys.stdout.write(json.dumps(answer))


main()
