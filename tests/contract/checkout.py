# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the contract tests read: the files of the checkout, its roles, playbooks and pages."""

from __future__ import annotations

import functools
import subprocess
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
ROLES = sorted(path.parent.parent.name for path in ROOT.glob("roles/*/tasks/main.yml"))
Options = dict[str, dict[str, Any]]


@functools.cache
def tracked() -> tuple[str, ...]:
    """Return the paths of all files that belong to the repository, new ones included."""
    argv = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    names = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\0")
    return tuple(sorted(name for name in set(names) if name and (ROOT / name).is_file()))


def copy_tracked(top: Path) -> None:
    """Copy all files that belong to the repository below a directory."""
    for name in tracked():
        target = top / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes((ROOT / name).read_bytes())


@functools.cache
def text(name: str) -> str | None:
    """Return the text of a file, or None when it is not text."""
    try:
        return (ROOT / name).read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return None


def load(name: str) -> Any:
    """Return the data of a YAML file."""
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


def specs(role: str) -> dict[str, Any]:
    """Return the argument specs of a role, by entry point."""
    data: dict[str, Any] = load(f"roles/{role}/meta/argument_specs.yml")["argument_specs"]
    return data


def options(role: str) -> Options:
    """Return every public variable of a role with its options, whatever its entry point."""
    found: Options = {}
    for spec in specs(role).values():
        found.update(spec.get("options") or {})
    return found


def tasks_of(role: str) -> dict[str, list[dict[str, Any]]]:
    """Return the tasks and handlers of a role as flat lists, by file; blocks are opened."""
    found = {}
    for path in sorted((ROOT / "roles" / role).glob("tasks/*.yml")) + sorted(
        (ROOT / "roles" / role).glob("handlers/*.yml")
    ):
        found[str(path.relative_to(ROOT))] = flat(yaml.safe_load(path.read_text(encoding="utf-8")) or [])
    return found


def flat(tasks: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return tasks with those inside of blocks, each block before its tasks."""
    found = []
    for task in tasks:
        found.append(task)
        for key in ("block", "rescue", "always"):
            found += flat(task.get(key) or [])
    return found
