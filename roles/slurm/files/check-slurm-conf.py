#!/usr/bin/env python3
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Check a slurm.conf before the daemons read it: `check-slurm-conf /etc/slurm/slurm.conf`.

Slurm's own parser finds unknown parameters and bad values, in included files too. It does not notice a partition of nodes
that nobody defined, which would keep slurmctld from starting; that is checked here. Standard library only.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

_LINE = re.compile(r"^\s*(NodeName|PartitionName)\s*=\s*(\S+)(.*)$", re.IGNORECASE)
_NODES = re.compile(r"\bNodes\s*=\s*(\S+)", re.IGNORECASE)
_INCLUDE = re.compile(r"^\s*Include\s+(\S+)", re.IGNORECASE)


class BadConfigurationError(Exception):
    """The configuration cannot work; the message says what Slurm or we found."""


def expand(conf: Path, hostlist: str) -> list[str]:
    """Expand a host list with Slurm's own parser, which reads the whole of `conf` on the way.

    Raises:
        BadConfigurationError: The parser refused the file or the list.
    """
    done = subprocess.run(
        ["scontrol", "show", "hostnames", hostlist],
        env={**os.environ, "SLURM_CONF": str(conf)},
        check=False,
        capture_output=True,
        text=True,
        timeout=120,
    )
    if done.returncode != 0:
        raise BadConfigurationError(done.stderr.strip() or f"Slurm refuses the host list {hostlist}")
    return done.stdout.split()


def lines(conf: Path) -> list[str]:
    """The lines of a configuration and of the files it includes, comments removed."""
    found = []
    for raw in conf.read_text(encoding="utf-8").splitlines():
        line = raw.split("#", 1)[0]
        include = _INCLUDE.match(line)
        found += lines(Path(include.group(1))) if include else [line]
    return found


def check(conf: Path) -> None:
    """Check the file.

    Raises:
        BadConfigurationError: Something in it would not work.
    """
    expand(conf, "localhost")
    known = {"ALL", "localhost"}
    partitions = []
    for match in filter(None, map(_LINE.match, lines(conf))):
        kind, name, rest = match.groups()
        if name.upper() == "DEFAULT":
            continue
        if kind.lower() == "nodename":
            known.update(expand(conf, name))
        else:
            partitions.append((name, _NODES.search(rest)))
    for name, nodes in partitions:
        wanted = expand(conf, nodes.group(1)) if nodes and nodes.group(1).upper() != "ALL" else []
        unknown = [node for node in wanted if node not in known]
        if unknown:
            raise BadConfigurationError(f"partition {name} names nodes that are not defined: {', '.join(unknown)}")


def main() -> int:
    """Check the file named on the command line."""
    if len(sys.argv) != 2:
        print("usage: check-slurm-conf FILE", file=sys.stderr)
        return 2
    try:
        check(Path(sys.argv[1]))
    except (BadConfigurationError, OSError, subprocess.TimeoutExpired) as error:
        print(f"{sys.argv[1]}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
