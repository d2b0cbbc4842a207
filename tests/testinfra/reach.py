# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How testinfra reaches the hosts of the scenario's lab: by ssh over one kept connection each, as root."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import testinfra

from hpcampus.lab import Lab
from hpcampus.lab.places import lab_dir

if TYPE_CHECKING:
    from testinfra.host import Host

DIRECTORY = lab_dir(os.environ.get("HPCAMPUS_LAB", "none").replace("_", "-"))


def names(group: str) -> list[str]:
    """Return the names of the hosts in an inventory group.

    Args:
        group: Name of the group, or `all`.

    Raises:
        LookupError: When the lab has no such host: a module without hosts would test this machine instead.
    """
    inventory = json.loads((DIRECTORY / "hosts.yml").read_text(encoding="utf-8"))["all"]
    found = inventory["hosts"] if group == "all" else inventory["children"].get(group, {}).get("hosts", {})
    if not found:
        msg = f"The lab {DIRECTORY.name} has no host in the group {group}."
        raise LookupError(msg)
    return list(found)


def hosts(group: str) -> list[str]:
    """Return testinfra's names of the hosts in an inventory group, as :func:`names` does."""
    return [address(name) for name in names(group)]


def address(name: str) -> str:
    """Return testinfra's name of a host."""
    return f"ssh://{name}?ssh_config={DIRECTORY}/ssh_config&sudo=true"


def reach(name: str) -> Host:
    """Return another host of the lab, for tests that need two."""
    return testinfra.get_host(address(name))


def lab() -> Lab:
    """Return the lab itself, which runs commands without ssh."""
    return Lab.saved(DIRECTORY.name)


def ip(name: str) -> str:
    """Return the IP address of a host, for clients on this machine."""
    config = (DIRECTORY / "ssh_config").read_text(encoding="utf-8")
    return config.split(f"Host {name}\n")[1].split("HostName ")[1].split()[0]
