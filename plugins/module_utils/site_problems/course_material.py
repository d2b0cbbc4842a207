# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The repository of a course, its licence, and the limits of what is handed in and graded."""

from __future__ import annotations

import re
import typing as t

from .findings import Record, matches, problem
from .memory import memory

REPOSITORY = re.compile(
    r"https://[A-Za-z0-9](?:[A-Za-z0-9.-]{0,252}[A-Za-z0-9])?(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~+-]+)+/?"
)
BRANCH = re.compile(r"(?!.*(?:\.\.|//|/\.|@\{|\.lock(?:/|\Z)))[A-Za-z0-9_][A-Za-z0-9._/+-]{0,199}(?<![./])")
INSIDE = re.compile(r"(?!(?:.*/)?\.\.?(?:/|\Z))[^/\x00-\x1f\x7f\\][^\x00-\x1f\x7f\\]{0,499}(?<!/)")
LICENCE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+-]{0,63}")
LEAST = {"slots": (1, 10_000), "minutes": (1, 366 * 24 * 60)}


def material_problems(where: str, record: Record) -> t.Iterator[str]:
    """Check where the material of a course is, under which licence, and how much is taken and how long it may run."""
    yield from _repository_problems(where, record)
    if record.get("licence"):
        known = "an id of https://spdx.org/licenses/, such as CC-BY-4.0"
        yield from matches(f"{where}.licence", record["licence"], LICENCE, known)
    if record.get("quota_mb", 0) < 0:
        yield problem(f"{where}.quota_mb", record["quota_mb"], "this is less than nothing", "Write megabytes, or 0")
    grading = record.get("grading", {})
    for name, (least, most) in LEAST.items():
        if not least <= grading.get(name, least) <= most:
            yield problem(f"{where}.grading.{name}", grading[name], "this is out of bounds", f"Write {least} to {most}")
    if "memory" in grading:
        yield from memory(f"{where}.grading.memory", grading["memory"])


def _repository_problems(where: str, record: Record) -> t.Iterator[str]:
    repository = record.get("repository", {})
    url, branch, path = (repository.get(name, "") for name in ("url", "branch", "path"))
    if url:
        yield from matches(
            f"{where}.repository.url",
            url,
            REPOSITORY,
            "an address such as https://git.example.org/physics/exercises, without a name or password in it",
        )
    if branch:
        yield from matches(f"{where}.repository.branch", branch, BRANCH, "the name of a branch")
    paths = {"repository.path": path}
    paths |= {f"sync[{index}].path": entry.get("path", "") for index, entry in enumerate(record.get("sync", []))}
    for name, value in paths.items():
        if value:
            yield from matches(f"{where}.{name}", value, INSIDE, "a path inside the repository, without '..'")
            if not url:
                yield problem(
                    f"{where}.{name}", value, "the course has no repository", "Add repository.url, or remove it"
                )
    if branch and not url:
        yield problem(
            f"{where}.repository.branch", branch, "the course has no repository", "Add repository.url, or remove it"
        )
