# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The step catalogue of the collection: which steps there are, in which order, on which hosts. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from hpcampus.errors import CollectionError, UsageProblemError

FIELDS = ("name", "title", "playbook", "description")


@dataclass(frozen=True)
class Step:
    """One step of the installation.

    Attributes:
        name: Short name, given on the command line.
        title: What a person reads.
        playbook: Playbook by its full collection name.
        hosts: Inventory groups that the step touches.
        description: One sentence.
    """

    name: str
    title: str
    playbook: str
    hosts: tuple[str, ...]
    description: str


def parse_catalogue(data: object, source: str) -> tuple[Step, ...]:
    """Read the catalogue from parsed YAML.

    Args:
        data: A mapping with a list under `steps`.
        source: Where it came from, for messages.

    Raises:
        CollectionError: The shape is wrong, or a name comes twice.
    """
    records = data.get("steps") if isinstance(data, Mapping) else None
    if not isinstance(records, list) or not records:
        raise CollectionError("catalogue-shape", source=source, problem="there is no list under 'steps'")
    steps = tuple(_parse_step(record, number, source) for number, record in enumerate(records, start=1))
    names = [step.name for step in steps]
    for name in names:
        if names.count(name) > 1:
            raise CollectionError("catalogue-shape", source=source, problem=f"the step '{name}' is listed twice")
    return steps


def _parse_step(record: object, number: int, source: str) -> Step:
    if not isinstance(record, Mapping):
        raise CollectionError("catalogue-shape", source=source, problem=f"entry {number} is not a mapping")
    for field in FIELDS:
        value = record.get(field)
        if not isinstance(value, str) or not value.strip():
            raise CollectionError("catalogue-shape", source=source, problem=f"entry {number} has no text in '{field}'")
    hosts = record.get("hosts")
    if not isinstance(hosts, list) or not hosts or not all(isinstance(group, str) for group in hosts):
        raise CollectionError(
            "catalogue-shape", source=source, problem=f"entry {number} has no list of groups in 'hosts'"
        )
    return Step(
        name=record["name"],
        title=record["title"],
        playbook=record["playbook"],
        hosts=tuple(hosts),
        description=record["description"],
    )


def select_steps(steps: Sequence[Step], only: str | None = None, start: str | None = None) -> tuple[Step, ...]:
    """Choose what to run: all, one, or everything from one on.

    Raises:
        UsageProblemError: There is no step of that name, or both choices were given.
    """
    if only and start:
        raise UsageProblemError("step-and-from")
    if only:
        return (find_step(steps, only),)
    if start:
        return tuple(steps[steps.index(find_step(steps, start)) :])
    return tuple(steps)


def find_step(steps: Sequence[Step], name: str) -> Step:
    """Give the step called `name`.

    Raises:
        UsageProblemError: There is none; the message names the nearest.
    """
    for step in steps:
        if step.name == name:
            return step
    names = [step.name for step in steps]
    near = difflib.get_close_matches(name, names, n=1)
    hint = f" Did you mean '{near[0]}'?" if near else ""
    raise UsageProblemError("unknown-step", name=name, names=", ".join(names), hint=hint)
