# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Groups of hosts, and what kind of site they make."""

from __future__ import annotations

import typing as t

from .findings import Record, problem

GROUPS = {"hub": "one", "slurm_controller": "one", "slurm_login": "some", "slurm_compute": "some"}
OWN_CLUSTER = ("slurm_controller", "slurm_login", "slurm_compute")
CENTRES = "centre_login"


def has_own_cluster(groups: t.Mapping[str, t.Sequence[str]]) -> bool:
    """Say whether any host is in a group of the own cluster."""
    return any(groups.get(name) for name in OWN_CLUSTER)


def group_problems(groups: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    """Check that each group has the hosts it needs and that no host is left over. A site with centres needs no own cluster."""
    own = has_own_cluster(groups) or not groups.get(CENTRES)
    for name, wanted in GROUPS.items():
        hosts = list(groups.get(name, []))
        if name in OWN_CLUSTER and not own:
            continue
        if not hosts:
            yield problem(f"group {name}", hosts, "it has no host", f"Add a host to {name} in the inventory")
        elif wanted == "one" and len(hosts) > 1:
            yield problem(f"group {name}", hosts, "it has more than one host", "Keep exactly one")
    known = (*GROUPS, CENTRES)
    placed = {host for name in known for host in groups.get(name, [])}
    for host in groups.get("all", []):
        if host not in placed and host != "localhost":
            yield problem(
                f"host {host}",
                "no group",
                "no step would touch it",
                f"Put it into one of {', '.join(known)}, or remove it",
            )


def profile_shape_problems(site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    """Check that a site of one server has one server, and that one of a remote centre has a centre."""
    if site["site_profile"] == "remote-centre" and not site["site_centres"]:
        yield problem("site_profile", "remote-centre", "site_centres names no centre", "Describe one in site_centres")
    hosts = sorted({host for name in GROUPS for host in groups.get(name, [])})
    if site["site_profile"] == "single" and len(hosts) > 1:
        yield problem(
            "site_profile",
            "single",
            f"the groups hold {len(hosts)} hosts",
            "Put the one server into every group, or choose own-cluster",
        )
