# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Partitions, and the clusters they belong to."""

from __future__ import annotations

import re
import typing as t

from .findings import Record, matches, problem, records, unique
from .groups import has_own_cluster

PARTITION = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,31}")
PARTITION_MEMORY = re.compile(r"[1-9][0-9]*[MGT]")


def partition_problems(site: Record) -> t.Iterator[str]:
    """Check the partitions."""
    yield from unique(site, "site_partitions", "name")
    for where, record in records(site, "site_partitions"):
        yield from matches(
            f"{where}.name", record["name"], PARTITION, "a partition name of letters, digits, '_' and '-'"
        )
        longest, usual = int(record.get("max_time_minutes", 720)), int(record.get("default_time_minutes", 120))
        if not 1 <= usual <= longest:
            yield problem(
                f"{where}.default_time_minutes",
                usual,
                f"it must lie between 1 and max_time_minutes ({longest})",
                "Lower it, or raise max_time_minutes",
            )
        if record.get("max_memory_per_node") is not None:
            yield from matches(
                f"{where}.max_memory_per_node",
                record["max_memory_per_node"],
                PARTITION_MEMORY,
                "an amount of memory with the unit M, G or T, for example '64G'",
            )
        if record.get("max_cpus_per_node") is not None and int(record["max_cpus_per_node"]) < 1:
            yield problem(
                f"{where}.max_cpus_per_node", record["max_cpus_per_node"], "no job could run", "Write 1 or more"
            )
    defaults = [record["name"] for _, record in records(site, "site_partitions") if record.get("default")]
    if len(defaults) > 1:
        yield problem(
            "site_partitions", defaults, "more than one is the default", "Keep 'default: true' in one of them"
        )
    if not site["site_partitions"]:
        yield problem("site_partitions", [], "there is no partition", "Add one; notebooks are Slurm jobs")


def cluster_partitions(site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> dict[str, dict[str, Record]]:
    """Name the clusters that jobs can go to, the one of profiles that name none first, each with its partitions.

    Of somebody else's partitions nothing but the names is known here.
    """
    clusters: dict[str, dict[str, Record]]
    clusters = {centre["name"]: {name: {} for name in centre["partitions"]} for centre in site["site_centres"]}
    if clusters and not has_own_cluster(groups):
        return clusters
    return {site["site_cluster_name"]: {record["name"]: record for record in site["site_partitions"]}, **clusters}


def runs_on_own_cluster(profile: Record, site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> bool:
    """Say whether a profile's jobs go to the own cluster; a profile that names none has the first there is."""
    return bool((profile.get("cluster") or next(iter(cluster_partitions(site, groups)))) == site["site_cluster_name"])
