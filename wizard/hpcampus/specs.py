# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The variables of the collection as its argument_specs describe them: the one source of types, defaults, choices and help."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import yaml

from hpcampus.errors import CollectionError

if TYPE_CHECKING:
    from pathlib import Path

# Of libyaml, which reads the specs in a twentieth of the time; PyYAML has it wherever it was built with it.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_MARKUP = re.compile(r"\b[A-Z]\(([^()]*)\)")
_STEPS = re.compile(r"[^.\[\]]+|\[\]")


@dataclass(frozen=True)
class Variable:
    """A variable, or a place in one.

    Attributes:
        path: `site_hub_name`, or a place such as `site_courses[].slug`.
        option: The option of the argument_specs.
        default: Its default; None when there is none, or one that only Ansible can work out.
    """

    path: str
    option: Mapping[str, Any]
    default: Any = None

    @property
    def type(self) -> str:
        """Type by Ansible's name."""
        return str(self.option.get("type", "str"))

    @property
    def choices(self) -> tuple[str, ...]:
        """Values to choose from; empty when there is no choice."""
        return tuple(str(choice) for choice in self.option.get("choices") or ())

    @property
    def help(self) -> str:
        """Description in plain words."""
        text = self.option.get("description") or ""
        return plain_words(text if isinstance(text, str) else " ".join(str(part) for part in text))


def plain_words(text: str) -> str:
    """Take Ansible's markup out of a description: C(x) and O(x) become x."""
    return " ".join(_MARKUP.sub(r"\1", text).split())


@dataclass(frozen=True)
class Specs:
    """All public variables.

    Attributes:
        options: By name, the option of the role that has it.
        derived: Names that the playbooks set themselves, so that nobody sets them in an inventory.
    """

    options: Mapping[str, Mapping[str, Any]]
    derived: frozenset[str] = field(default_factory=frozenset)

    def variable(self, path: str) -> Variable:
        """Find a variable, or a place in one.

        Args:
            path: Name, then `.name` into a record and `[]` into a list.

        Raises:
            KeyError: There is none.
        """
        name, *steps = _STEPS.findall(path)
        option = self.options[name]
        default = _static(option.get("default"))
        for step in steps:
            if step == "[]":
                option = {**option, "type": option["elements"], "description": option.get("description")}
                default = default[0] if isinstance(default, list) and default else None
            else:
                parent, option = default, option["options"][step]
                default = parent.get(step) if isinstance(parent, Mapping) else None
                default = _static(option.get("default")) if default is None else default
        return Variable(path, option, default)

    def settable(self) -> Iterator[Variable]:
        """Give the variables that an inventory may set, by name."""
        for name in sorted(self.options):
            if name not in self.derived:
                yield self.variable(name)


def _static(value: Any) -> Any:
    return None if isinstance(value, str) and "{{" in value else value


@functools.cache
def load_specs(collection: Path) -> Specs:
    """Read the argument_specs of all roles.

    Raises:
        CollectionError: There are none, or one cannot be read.
    """
    options: dict[str, Mapping[str, Any]] = {}
    paths = sorted(collection.glob("roles/*/meta/argument_specs.yml"))
    if not paths:
        raise CollectionError("collection-missing", searched=collection / "roles")
    for path in paths:
        for entry in _read(path)["argument_specs"].values():
            for name, option in (entry.get("options") or {}).items():
                options.setdefault(name, option)
    derived: set[str] = set()
    for path in sorted(collection.glob("playbooks/**/*.yml")):
        derived |= set(_variables_set(_read(path)))
    return Specs(options, frozenset(derived))


def _read(path: Path) -> Any:
    try:
        return yaml.load(path.read_text(encoding="utf-8"), _LOADER)  # noqa: S506 -- both are safe
    except (OSError, yaml.YAMLError) as error:
        raise CollectionError("catalogue-shape", source=path, problem=error) from error


def _variables_set(node: object) -> Iterator[str]:
    """Give the names below every `vars` of a playbook."""
    if isinstance(node, Mapping):
        variables = node.get("vars")
        if isinstance(variables, Mapping):
            yield from (str(name) for name in variables)
        for part in node.values():
            yield from _variables_set(part)
    elif isinstance(node, list):
        for part in node:
            yield from _variables_set(part)
