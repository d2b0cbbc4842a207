# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The profiles that students choose from."""

from __future__ import annotations

import re
import typing as t

from .course_files import courses
from .environment import environment_problems
from .findings import SLUG, SLUG_WORDS, Record, known, line, matches, problem, records, unique
from .memory import MEMORY, memory, memory_kb
from .partitions import PARTITION_MEMORY, cluster_partitions

_GRES_ITEM = r"[A-Za-z][A-Za-z0-9_]{0,31}(?::[A-Za-z0-9_.-]{1,32})?(?::[0-9]{1,4})?"
GRES = re.compile(rf"(?:{_GRES_ITEM}(?:,{_GRES_ITEM}){{0,3}})?")
SLURM_NAME = re.compile(r"(?:[A-Za-z0-9][A-Za-z0-9_.-]{0,63})?")
SMALLEST_JOB_KB = 64 * 1024
OVERLAY_MB_MIN, OVERLAY_MB_MAX = 64, 1024 * 1024


def profile_problems(site: Record, groups: t.Mapping[str, t.Sequence[str]]) -> t.Iterator[str]:
    """Check the profiles against clusters, partitions, images and courses."""
    clusters = cluster_partitions(site, groups)
    images = [record["name"] for record in site["site_images"]]
    slugs = [record["slug"] for _, record in courses(site)]
    yield from unique(site, "site_profiles", "name")
    for where, record in records(site, "site_profiles"):
        yield from matches(f"{where}.name", record["name"], SLUG, SLUG_WORDS)
        yield from line(f"{where}.label", record["label"])
        if record.get("description"):
            yield from line(f"{where}.description", record["description"], 500)
        yield from _cluster_problems(f"{where}.cluster", record, list(clusters))
        cluster = record.get("cluster") or next(iter(clusters))
        partitions = clusters.get(cluster, {record["partition"]: {}})
        listed_in = "site_partitions" if cluster == site["site_cluster_name"] else f"site_centres, {cluster},"
        yield from known(f"{where}.partition", record["partition"], list(partitions), listed_in)
        yield from known(f"{where}.image", record["image"], images, "site_images")
        yield from memory(f"{where}.memory", record["memory"])
        yield from _overlay_problems(where, record)
        yield from _limit_problems(where, record, partitions.get(record["partition"], {}))
        for name in ("account", "qos", "reservation"):
            yield from matches(f"{where}.{name}", record.get(name) or "", SLURM_NAME, "a name that Slurm uses")
        yield from matches(f"{where}.gres", record.get("gres") or "", GRES, "a GRES request such as gpu:1")
        yield from _choice_problems(where, record, images)
        yield from _range_problems(where, record, partitions.get(record["partition"], {}))
        yield from environment_problems(f"{where}.environment", record.get("environment") or {})
        for slug in record.get("courses") or []:
            yield from known(f"{where}.courses", slug, slugs, "site_courses")
        for name in ("images", "courses", "groups"):
            yield from _some_or_unset(f"{where}.{name}", record.get(name))
    if not site["site_profiles"]:
        yield problem("site_profiles", [], "there is nothing to choose from", "Add a profile")


def _overlay_problems(where: str, record: Record) -> t.Iterator[str]:
    """Check the size of the file that keeps a person's own packages."""
    size = int(record.get("overlay_mb") or 0)
    if size != 0 and not OVERLAY_MB_MIN <= size <= OVERLAY_MB_MAX:
        yield problem(
            f"{where}.overlay_mb",
            size,
            f"a file for packages has {OVERLAY_MB_MIN} to {OVERLAY_MB_MAX} megabytes",
            "Write such a number, or 0 to keep packages in the home",
        )
    if size != 0 and record.get("standby"):
        yield problem(
            f"{where}.overlay_mb",
            size,
            "jobs that wait warm cannot mount the file of who comes later",
            "Set overlay_mb or standby to 0",
        )


def _limit_problems(where: str, record: Record, partition: Record) -> t.Iterator[str]:
    """Hold what a profile asks for against what its partition allows."""
    most_cpus = int(partition.get("max_cpus_per_node") or 4096)
    if not 1 <= int(record["cpus"]) <= most_cpus:
        yield problem(
            f"{where}.cpus",
            record["cpus"],
            f"a job needs a core, and partition {record['partition']!r} allows 1 to {most_cpus}",
            "Change it, or max_cpus_per_node of the partition",
        )
    # Of somebody else's partition no limit is known here; 366 days are the most that a job can ask for.
    longest = int(partition.get("max_time_minutes", 720 if partition else 366 * 24 * 60))
    if not 1 <= int(record["time_limit_minutes"]) <= longest:
        yield problem(
            f"{where}.time_limit_minutes",
            record["time_limit_minutes"],
            f"partition {record['partition']!r} allows 1 to {longest} minutes",
            "Lower it, or raise max_time_minutes of the partition",
        )
    if not MEMORY.fullmatch(str(record["memory"])):
        return
    most = str(partition.get("max_memory_per_node") or "")
    if memory_kb(record["memory"]) < SMALLEST_JOB_KB:
        yield problem(f"{where}.memory", record["memory"], "no notebook runs in less than 64M", "Write more")
    if PARTITION_MEMORY.fullmatch(most) and memory_kb(record["memory"]) > memory_kb(most):
        yield problem(
            f"{where}.memory",
            record["memory"],
            f"partition {record['partition']!r} allows {most}",
            "Lower it, or raise max_memory_per_node",
        )


def _cluster_problems(variable: str, record: Record, names: t.Sequence[str]) -> t.Iterator[str]:
    if record.get("cluster") is not None and record["cluster"] not in names:
        yield problem(
            variable,
            record["cluster"],
            f"there is no such cluster; known are: {', '.join(names)}",
            f"Name one of them, or leave it out for {names[0]}",
        )


def _some_or_unset(variable: str, entries: t.Sequence[object] | None) -> t.Iterator[str]:
    """An empty list could mean everything as well as nothing."""
    if entries is not None and not entries:
        yield problem(variable, entries, "nothing is named", "Name at least one, or remove the line")
    for entry in {entry for entry in entries or [] if list(entries or []).count(entry) > 1}:
        yield problem(variable, entry, "it is named twice", "Name it once")


def _choice_problems(where: str, record: Record, images: t.Sequence[str]) -> t.Iterator[str]:
    """Check lists to choose from; what there is without a choice has to be among them."""
    for name in record.get("images") or []:
        yield from known(f"{where}.images", name, images, "site_images")
    if record.get("images") and record["image"] not in record["images"]:
        yield problem(
            f"{where}.images", record["images"], f"the usual image, {record['image']!r}, is missing", "Add it"
        )
    offered = (record.get("ranges") or {}).get("gres")
    yield from _some_or_unset(f"{where}.ranges.gres", offered)
    for entry in offered or []:
        yield from matches(f"{where}.ranges.gres", entry, GRES, "a GRES request such as gpu:1, or none")
    usual = record.get("gres") or "none"
    if offered and usual not in [entry or "none" for entry in offered]:
        yield problem(f"{where}.ranges.gres", offered, f"the usual one, {usual!r}, is missing", "Add it")


def _range_problems(where: str, record: Record, partition: Record) -> t.Iterator[str]:
    """Check what a student may ask for: it holds what the profile has, and the partition allows it all."""
    ranges = record.get("ranges") or {}
    for key, unit in (("cpus", int), ("memory", memory_kb), ("time_limit_minutes", int)):
        found = ranges.get(key)
        if found is None:
            continue
        if key == "memory":
            wrong = [text for end in ("min", "max") for text in memory(f"{where}.ranges.memory.{end}", found[end])]
            yield from wrong
            if wrong or not MEMORY.fullmatch(str(record["memory"])):
                continue
        if not unit(found["min"]) <= unit(record[key]) <= unit(found["max"]):
            yield problem(
                f"{where}.ranges.{key}",
                f"{found['min']} to {found['max']}",
                f"the usual value, {record[key]}, does not lie in it",
                f"Widen it, or change {key} of the profile",
            )
        for end in ("min", "max"):
            asked = {**record, key: found[end]}
            yield from (text for text in _limit_problems(f"{where}.ranges", asked, partition) if f".{key} = " in text)
