# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The hosts of an own cluster, looked at over ssh at once. Pure but for `look`."""

from __future__ import annotations

import contextvars
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from hpcampus.probes import ssh
from hpcampus.probes.amounts import megabytes
from hpcampus.probes.clocks import clocks, offset
from hpcampus.probes.finding import Finding, Line, Option, note, ok, problem
from hpcampus.probes.host import HostFacts, Root, parse_host, propose_apptainer
from hpcampus.probes.server import SCRIPT, apptainer_line
from hpcampus.probes.shared import common_mounts, shared_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NAME = "nodes"
SHARED = "shared"
SECONDS = 40.0
HOST_SECONDS = 25.0
# Nodes are alike in groups; looking at the first of many takes seconds, at all of them minutes.
MOST_NODES = 16
AT_ONCE = 18


@dataclass(frozen=True)
class Cluster:
    """The hosts to look at.

    Attributes:
        controller: Of Slurm.
        login: Where jobs are submitted.
        compute: Where they run.
        user: Who logs in.
        known_hosts: File with the pinned keys.
    """

    controller: str
    login: str
    compute: tuple[str, ...]
    user: str
    known_hosts: str

    @property
    def hosts(self) -> tuple[str, ...]:
        """Each host once, no more nodes than are looked at."""
        names = (self.controller, self.login, *self.compute[:MOST_NODES])
        return tuple(dict.fromkeys(name for name in names if name))


@dataclass(frozen=True)
class Seen:
    """A host that was looked at.

    Attributes:
        facts: What it said.
        offset: Seconds that its clock is ahead of the one here; None when it did not say.
        complete: Whether the script came to its end.
    """

    facts: HostFacts
    offset: float | None
    complete: bool


def look(cluster: Cluster) -> Finding:
    """Look at all hosts at once."""
    return examine(cluster, *_see(cluster))


def look_shared(cluster: Cluster, path: str) -> Finding:
    """Look whether a directory lies on one file system on all hosts but the controller."""
    seen, _ = _see(replace(cluster, controller=cluster.login))
    mounts = {name: one.facts.mounts for name, one in seen.items()}
    return Finding(SHARED, tuple(shared_lines(path, mounts)) if len(mounts) > 1 else ())


def _see(cluster: Cluster) -> tuple[dict[str, Seen], dict[str, str]]:
    """Give what the hosts said, and what is wrong with those that said nothing."""

    def look_at(name: str) -> Seen | str:
        before = time.time()
        try:
            sections = ssh.look(ssh.Host(name, cluster.user, cluster.known_hosts), SCRIPT, HOST_SECONDS)
        except (OSError, ValueError) as error:
            return str(error)
        return Seen(parse_host(sections), offset(sections["now"].first, before, time.time()), sections.complete)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        # Each in the context of this probe, which ends the programs that it started.
        running = {name: pool.submit(contextvars.copy_context().run, look_at, name) for name in cluster.hosts}
        found = {name: future.result() for name, future in running.items()}
    seen = {name: value for name, value in found.items() if isinstance(value, Seen)}
    return seen, {name: value for name, value in found.items() if isinstance(value, str)}


def examine(cluster: Cluster, seen: Mapping[str, Seen], failed: Mapping[str, str]) -> Finding:
    """Give the finding of what the hosts said.

    Args:
        cluster: What was to be looked at.
        seen: By name, the hosts that answered.
        failed: By name, what is wrong with the others.
    """
    facts = {name: one.facts for name, one in seen.items()}
    compute = {name: facts[name] for name in cluster.compute if name in facts}
    lines = [problem("nodes.failed", problem=text) for text in failed.values()]
    lines += [problem("nodes.incomplete", host=name) for name, one in seen.items() if not one.complete]
    lines += [*_releases(facts), *_sizes(compute), *_roots(facts), *_slurm(facts)]
    lines += clocks({name: one.offset for name, one in seen.items() if one.offset is not None})
    shared = [name for name in dict.fromkeys((cluster.login, *cluster.compute)) if name in facts]
    common = common_mounts([facts[name].mounts for name in shared])
    left = len(cluster.compute) - len(cluster.compute[:MOST_NODES])
    if left:
        lines.append(note("nodes.left", count=left, looked=MOST_NODES))
    found: dict[str, Any] = {"nodes": {name: one.size for name, one in facts.items()}}
    proposals = {}
    if len(shared) > 1 and common:
        proposals["shared_dir"] = common[0]
    options = {"shared_dir": tuple(Option(path, path) for path in common)} if len(shared) > 1 and common else {}
    if compute:
        found |= {
            "cpus": min(node.cpus for node in compute.values()),
            "memory_mb": min(node.memory_mb for node in compute.values()),
        }
        # Images are built and tested on the login node.
        proposals["apptainer"] = propose_apptainer([facts[name] for name in shared])
        version = next(iter(compute.values())).container
        lines.append(apptainer_line(proposals["apptainer"], version))
    return Finding(NAME, tuple(lines), proposals, options, found)


def grouped(facts: Mapping[str, HostFacts], key: Callable[[HostFacts], str]) -> dict[str, str]:
    """Give the names of hosts, listed, by what they have in common; hosts without it are left out."""
    groups: dict[str, list[str]] = {}
    for name, host in facts.items():
        groups.setdefault(key(host), []).append(name)
    return {value: ", ".join(names) for value, names in groups.items() if value}


def _releases(facts: Mapping[str, HostFacts]) -> list[Line]:
    lines = [ok("nodes.release", hosts=hosts, name=name) for name, hosts in grouped(facts, lambda f: f.name).items()]
    bad = grouped(facts, lambda f: "" if f.supported else f.name or "?")
    return lines + [problem("nodes.release-bad", hosts=hosts, name=name) for name, hosts in bad.items()]


def _sizes(facts: Mapping[str, HostFacts]) -> list[Line]:
    def size(host: HostFacts) -> str:
        gpus = ", ".join(f"{host.gpus.count(name)} x {name}" for name in dict.fromkeys(host.gpus))
        return f"{host.cpus} x CPU, {megabytes(host.memory_mb)}" + (f", {gpus}" if gpus else "")

    return [ok("nodes.size", hosts=hosts, size=text) for text, hosts in grouped(facts, size).items()]


def _roots(facts: Mapping[str, HostFacts]) -> list[Line]:
    without = grouped(facts, lambda f: "no" if f.root is Root.NO else "")
    asking = grouped(facts, lambda f: "password" if f.root is Root.PASSWORD else "")
    return [problem("nodes.no-root", hosts=hosts) for hosts in without.values()] + [
        note("nodes.sudo-password", hosts=hosts) for hosts in asking.values()
    ]


def _slurm(facts: Mapping[str, HostFacts]) -> list[Line]:
    ours = grouped(facts, lambda f: f.slurm if f.slurm_ours else "")
    others = grouped(facts, lambda f: "" if f.slurm_ours else f.slurm)
    lines = [ok("nodes.slurm-ours", hosts=hosts, version=version) for version, hosts in ours.items()]
    return lines + [note("nodes.slurm-other", hosts=hosts, version=version) for version, hosts in others.items()]
