# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Reads what a host said of itself. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

from hpcampus.probes.sections import Section, Sections, fields, release, whole_number
from hpcampus.probes.slurm import parse_version

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

RELEASES = ("12", "13")
WEB_PORTS = (80, 443)
WEB_SERVERS = ("apache2", "nginx", "caddy", "lighttpd", "haproxy")
OUR_TRACE = "/etc/hpcampus"
NETWORK_TYPES = re.compile(
    r"nfs4?|cifs|smb3|lustre|gpfs|beegfs.*|ceph|glusterfs|9p|virtiofs|afs|panfs|orangefs|fuse\..*|autofs"
)
LISTENER = re.compile(r"LISTEN\s+\S+\s+\S+\s+(\S+):([0-9]{1,5})\s+\S+(?:\s+(.*))?")
PROGRAM = re.compile(r'\(\("([^"]{1,64})"')


class Root(StrEnum):
    """How the account becomes root."""

    ROOT = "root"
    SUDO = "sudo"
    PASSWORD = "password"  # noqa: S105 -- a way, not a password
    NO = "no"


@dataclass(frozen=True)
class Mount:
    """A file system of a host; `identity` is the same on every host that shares it, and empty when it is not known."""

    point: str
    type: str
    source: str
    identity: str

    @property
    def network(self) -> bool:
        """Whether it comes over the network."""
        return bool(NETWORK_TYPES.fullmatch(self.type))


@dataclass(frozen=True)
class HostFacts:
    """What a host said of itself; empty or zero where it said nothing.

    Attributes:
        name: Name of its release.
        supported: Whether the platform can be installed on that.
        root: How the account becomes root.
        cpus: Its cores.
        memory_mb: Its memory.
        short_name: Its own name, without a domain.
        synchronised: Whether its clock follows NTP; None when it does not say.
        programs: Path of each program that was looked for, empty for those that are not there.
        container: What Apptainer or Singularity says of its version.
        slurm: Version of Slurm.
        slurm_ours: Whether the platform installed that.
        units: Services that run, without .service.
        traces: Where something of a JupyterHub lies.
        gpus: Names of its GPUs.
        free_gb: Free space by directory.
        mounts: Its file systems.
        listeners: By port, the program that listens there for others; empty when it is not known.
        firewall: ufw, nftables or firewalld when one of them drops what is not allowed.
        opened: Whether that firewall names the port of https.
        candidate: Whether its apt sources have Apptainer; asked only where there is none, and None without apt.
    """

    name: str
    supported: bool
    root: Root | None
    cpus: int
    memory_mb: int
    short_name: str
    synchronised: bool | None
    programs: Mapping[str, str]
    container: str
    slurm: str
    slurm_ours: bool
    units: tuple[str, ...]
    traces: tuple[str, ...]
    gpus: tuple[str, ...]
    free_gb: Mapping[str, float]
    mounts: tuple[Mount, ...]
    listeners: Mapping[int, str]
    firewall: str
    opened: bool
    candidate: bool | None

    @property
    def ours(self) -> bool:
        """Whether something of the platform is installed already."""
        return OUR_TRACE in self.traces

    @property
    def size(self) -> dict[str, int]:
        """The size as a fact of a finding."""
        return {"cpus": self.cpus, "memory_mb": self.memory_mb, "gpus": len(self.gpus)}


def parse_host(sections: Sections) -> HostFacts:
    """Read what the script printed."""
    system, size = release(sections["release"]), fields(sections["size"])
    programs, versions = fields(sections["programs"]), fields(sections["versions"])
    version = parse_version(versions.get("slurm", ""))
    firewall, opened = _firewall(sections)
    root = sections["root"].first
    return HostFacts(
        name=system.get("PRETTY_NAME", ""),
        supported=system.get("ID") == "debian" and system.get("VERSION_ID") in RELEASES,
        root=Root(root) if root in list(Root) else None,
        cpus=whole_number(size.get("cpus", "")) or 0,
        memory_mb=(whole_number(size.get("memory_kb", "")) or 0) // 1024,
        short_name=size.get("names", "").partition(" ")[0].partition(".")[0],
        synchronised={"yes": True, "no": False}.get(size.get("synchronised", "")),
        programs=programs,
        container=versions.get("container", ""),
        slurm=version[0] if version else "",
        slurm_ours=any(line.startswith("/") for line in sections["slurm_ours"].lines),
        units=tuple(line.strip().removesuffix(".service") for line in _lines(sections["units"])),
        traces=tuple(line.strip() for line in sections["hubs"].lines if line.startswith("/")),
        gpus=tuple(line.strip() for line in _lines(sections["gpus"])),
        free_gb=_disks(sections["disks"]),
        mounts=parse_mounts(sections["mounts"].text),
        listeners=parse_listeners(sections["listeners"].text),
        firewall=firewall,
        opened=opened,
        candidate=_candidate(sections["candidate"]) if programs.get("apt-get") else None,
    )


def _lines(section: Section) -> list[str]:
    return section.lines if section.good else []


def _disks(section: Section) -> dict[str, float]:
    found = {}
    for line in section.lines:
        parts = line.split()
        if len(parts) == 3 and re.fullmatch(r"[0-9]{1,18}", parts[2]):
            found[parts[0]] = int(parts[2]) / 1024**2
    return found


def parse_mounts(text: str) -> tuple[Mount, ...]:
    """Read POINT TYPE SOURCE IDENTITY, the last of which may be missing; what lies above comes later."""
    mounts = {}
    for line in text.split("\n"):
        parts = line.split()
        if len(parts) in {3, 4} and parts[0].startswith("/"):
            mounts[parts[0]] = Mount(parts[0], parts[1], parts[2], parts[3] if len(parts) == 4 else "")
    return tuple(mounts.values())


def mount_of(mounts: Sequence[Mount], path: str) -> Mount | None:
    """Give the file system that a path lies on."""
    above = [mount for mount in mounts if f"{path}/".startswith(f"{mount.point.rstrip('/')}/")]
    return max(above, key=lambda mount: len(mount.point.rstrip("/")), default=None)


def parse_listeners(text: str) -> dict[int, str]:
    """Read `ss -H -ltnp`: by port, the program that listens there for other hosts."""
    found: dict[int, str] = {}
    for line in text.split("\n"):
        match = LISTENER.match(line.strip())
        if match and not match[1].strip("[]").startswith(("127.", "::1")):
            program = PROGRAM.search(match[3] or "")
            port = int(match[2])
            found[port] = found.get(port) or (program[1] if program else "")
    return found


def _firewall(sections: Sections) -> tuple[str, bool]:
    """Give the firewall that drops what is not allowed, and whether it names the port of https."""
    ufw, nft = sections["ufw"], sections["nft"]
    if ufw.good and "Status: active" in ufw.text:
        return "ufw", bool(re.search(r"^(443|80,443|Apache Full|WWW Full|WWW Secure)\b", ufw.text, re.MULTILINE))
    if any(line.strip() == "firewalld.service" for line in sections["units"].lines):
        return "firewalld", False
    if nft.good and nft_drops(nft.text):
        return "nftables", bool(re.search(r"dport[^\n]{0,200}\b(443|https)\b[^\n]{0,200}\baccept\b", nft.text))
    return "", False


def nft_drops(text: str) -> bool:
    """Tell whether a chain of `nft list ruleset` drops what comes in and is not allowed."""
    for chain in text.split("chain ")[1:]:
        hook = re.search(r"hook input [^\n]{0,200}", chain)
        if hook and (
            "policy drop" in hook[0] or re.search(r"^\s*(counter [^\n]{0,80})?(drop|reject)\b", chain, re.MULTILINE)
        ):
            return True
    return False


def _candidate(section: Section) -> bool:
    """Read `apt-cache policy apptainer`, which says nothing at all of a package it does not know."""
    found = re.search(r"Candidate:\s*(\S+)", section.text)
    return found is not None and found[1] != "(none)"


def propose_apptainer(hosts: Sequence[HostFacts]) -> str:
    """Propose where Apptainer shall come from: it is there, the apt sources have it, or else a package file."""
    without = [host for host in hosts if not (host.programs.get("apptainer") or host.programs.get("singularity"))]
    if not without:
        return "present"
    return "distribution" if all(host.candidate for host in without) else "deb"
