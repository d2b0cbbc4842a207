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
        needs: Names of earlier steps without which it cannot work.
    """

    name: str
    title: str
    playbook: str
    hosts: tuple[str, ...]
    description: str
    needs: tuple[str, ...] = ()


def parse_catalogue(data: object, source: str) -> tuple[Step, ...]:
    """Read the catalogue from parsed YAML.

    Args:
        data: A mapping with a list under `steps`.
        source: Where it came from, for messages.

    Raises:
        CollectionError: The shape is wrong, a name comes twice, or a step needs one that does not come before it.
    """
    records = data.get("steps") if isinstance(data, Mapping) else None
    if not isinstance(records, list) or not records:
        raise CollectionError("catalogue-shape", source=source, problem="there is no list under 'steps'")
    steps = tuple(_parse_step(record, number, source) for number, record in enumerate(records, start=1))
    names = [step.name for step in steps]
    for name in names:
        if names.count(name) > 1:
            raise CollectionError("catalogue-shape", source=source, problem=f"the step '{name}' is listed twice")
    for number, step in enumerate(steps):
        for name in step.needs:
            if name not in names[:number]:
                problem = f"the step '{step.name}' needs '{name}', which does not come before it"
                raise CollectionError("catalogue-shape", source=source, problem=problem)
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
    needs = record.get("needs", [])
    if not isinstance(needs, list) or not all(isinstance(name, str) for name in needs):
        raise CollectionError("catalogue-shape", source=source, problem=f"entry {number} has no list in 'needs'")
    return Step(
        name=record["name"],
        title=record["title"],
        playbook=record["playbook"],
        hosts=tuple(hosts),
        description=record["description"],
        needs=tuple(needs),
    )


def select_steps(steps: Sequence[Step], only: Sequence[str] = (), start: str | None = None) -> tuple[Step, ...]:
    """Choose what to run: all, some in the order of the catalogue, or everything from one on.

    Raises:
        UsageProblemError: There is no step of that name, or both choices were given.
    """
    if only and start:
        raise UsageProblemError("step-and-from")
    if only:
        wanted = [find_step(steps, name) for name in only]
        return tuple(step for step in steps if step in wanted)
    if start:
        return tuple(steps[steps.index(find_step(steps, start)) :])
    return tuple(steps)


def needing(steps: Sequence[Step], name: str) -> tuple[Step, ...]:
    """Give the steps that need the step called `name`, also by way of others."""
    without = {name}
    found = []
    for step in steps:
        if without & set(step.needs):
            without.add(step.name)
            found.append(step)
    return tuple(found)


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
