# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The server of the hub, looked at where it is: on this machine or over ssh. Pure but for the two that look."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from hpcampus.probes import ssh
from hpcampus.probes.amounts import gigabytes, megabytes
from hpcampus.probes.clocks import clock_lines
from hpcampus.probes.finding import Finding, Line, note, ok, problem
from hpcampus.probes.host import (
    WEB_PORTS,
    WEB_SERVERS,
    HostFacts,
    Root,
    parse_host,
    propose_apptainer,
)
from hpcampus.probes.name import parse_addresses, place_lines, resolve
from hpcampus.probes.sections import fields

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpcampus.probes.sections import Sections

MACHINE = "machine"
HUB = "hub"
SCRIPT = "host"
SECONDS = 35.0
LITTLE_MEMORY_MB = 3500
LITTLE_DISK_GB = 8


def look_here(hub_name: str = "", *, propose: bool = True) -> Finding:
    """Look at this machine.

    Args:
        hub_name: The name that shall lead to it; empty when that is not known yet.
        propose: Whether notebooks run here or images are built here, so that it decides about Apptainer.

    Raises:
        OSError: The script could not be run.
    """
    sections = ssh.look_here(SCRIPT, SECONDS - 3)
    return examine(MACHINE, sections, _name_lines(hub_name, sections), propose=propose)


def look_there(host: ssh.Host, *, propose: bool) -> Finding:
    """Look at the server of the hub over ssh.

    Args:
        host: The server.
        propose: Whether notebooks run there or images are built there.

    Raises:
        SshError: It cannot be reached.
    """
    before = time.time()
    sections = ssh.look(host, SCRIPT, SECONDS - 3)
    more = clock_lines(host.name, sections, before, time.time())
    return examine(HUB, sections, [*more, *_name_lines(host.name, sections)], propose=propose)


def _name_lines(hub_name: str, sections: Sections) -> list[Line]:
    own = parse_addresses(fields(sections["size"]).get("addresses", ""))
    return place_lines(hub_name, resolve(hub_name).addresses, own) if hub_name else []


def examine(probe: str, sections: Sections, more: Sequence[Line], *, propose: bool) -> Finding:
    """Give the finding of what the script printed.

    Args:
        probe: Name of the probe.
        sections: That.
        more: What is to be said besides.
        propose: Whether it decides about Apptainer.
    """
    facts = parse_host(sections)
    lines = [*system_lines(facts), *root_lines(facts), *_web_lines(facts), *_firewall_lines(facts), *more]
    proposals: dict[str, Any] = {}
    if propose and sections.complete:
        proposals["apptainer"] = propose_apptainer([facts])
        lines.append(apptainer_line(proposals["apptainer"], facts.container))
    if not sections.complete:
        lines.append(problem("host.incomplete"))
    return Finding(probe, tuple(lines), proposals, facts=facts.size)


def system_lines(facts: HostFacts) -> list[Line]:
    """Say what the host runs and how big it is."""
    if not facts.name:
        return [problem("host.no-release")]
    disk = facts.free_gb.get("/var", facts.free_gb.get("/"))
    lines = [
        ok(
            "host.system",
            name=facts.name,
            cpus=facts.cpus,
            memory=megabytes(facts.memory_mb),
            disk="?" if disk is None else gigabytes(disk),
        )
    ]
    if not facts.supported:
        lines.append(problem("host.release", name=facts.name))
    if 0 < facts.memory_mb < LITTLE_MEMORY_MB:
        lines.append(note("host.memory", memory=megabytes(facts.memory_mb)))
    if disk is not None and disk < LITTLE_DISK_GB:
        lines.append(problem("host.disk", disk=gigabytes(disk)))
    return lines


def root_lines(facts: HostFacts) -> list[Line]:
    """Say how the account becomes root there."""
    if facts.root is Root.NO:
        return [problem("host.no-root")]
    return [note("host.sudo-password")] if facts.root is Root.PASSWORD else []


def _web_lines(facts: HostFacts) -> list[Line]:
    lines = []
    if facts.ours:
        lines.append(ok("host.ours"))
    elif facts.traces or "jupyterhub" in facts.units:
        lines.append(problem("host.other-hub", where=", ".join(facts.traces) or "jupyterhub.service"))
    taken = {port: facts.listeners[port] for port in WEB_PORTS if port in facts.listeners}
    others = {port: program for port, program in taken.items() if program != "apache2"}
    if others:
        listed = ", ".join(f"{port} ({program or '?'})" for port, program in others.items())
        lines.append(problem("host.ports", ports=listed))
    elif not taken:
        lines.append(ok("host.ports-free"))
    elif not facts.ours:
        lines.append(note("host.apache"))
    running = [name for name in WEB_SERVERS[1:] if name in facts.units and name not in others.values()]
    if running:
        lines.append(note("host.web-server", names=", ".join(running)))
    return lines


def _firewall_lines(facts: HostFacts) -> list[Line]:
    if not facts.firewall:
        return []
    key = "host.firewall-open" if facts.opened else "host.firewall"
    return [note(key, name=facts.firewall)]


def apptainer_line(source: str, version: str) -> Line:
    """Say why a source of Apptainer is proposed."""
    if source == "present":
        return ok("host.apptainer-present", version=version or "Apptainer")
    return ok("host.apptainer-distribution") if source == "distribution" else note("host.apptainer-deb")
