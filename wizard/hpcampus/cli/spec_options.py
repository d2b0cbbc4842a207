# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Options of the command line that follow from the argument_specs: one for each field of a record.

They are read when the command itself is parsed, or its help is shown, so that no other command pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hpcampus.record_kinds import KINDS, RecordKind
from hpcampus.specs import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

PREFIX = "field_"
# Between a field and a value in it: click takes no dots.
INSIDE = "__"


class RecordCommand(click.Command):
    """A command that takes the fields of a record as options.

    Args:
        kind: Name of the kind of record.
        without: Fields that have no option, besides the one that names the record.
    """

    def __init__(self, *args: Any, kind: str, without: tuple[str, ...] = (), **settings: Any) -> None:
        super().__init__(*args, **settings)
        self.kind = KINDS[kind]
        self.without = {self.kind.key, *without}
        self._options: list[click.Parameter] | None = None

    def get_params(self, ctx: click.Context) -> list[click.Parameter]:
        """Give the options, those of the fields after those that the command has itself."""
        if self._options is None:
            self._options = options_of(self.kind, self.without)
        *own, last = super().get_params(ctx)
        return [*own, *self._options, last]


def options_of(kind: RecordKind, without: set[str]) -> list[click.Parameter]:
    """Make the options.

    Raises:
        CollectionError: There is no collection, or its specs cannot be read.
    """
    from hpcampus.places import find_collection
    from hpcampus.records import fields
    from hpcampus.specs import load_specs

    known = fields(load_specs(find_collection()), kind)
    return [
        _option(part, option)
        for name, field in known.items()
        if name not in without
        for part, option in _flat(name, field)
    ]


def _flat(name: str, field: Variable) -> Iterator[tuple[str, Variable]]:
    """Give what of a field can be said in an option: itself, or the single values in it. Lists of records are for the file."""
    if field.type == "dict":
        for key, option in (field.option.get("options") or {}).items():
            if option["type"] not in {"dict", "list"}:
                yield f"{name}{INSIDE}{key}", Variable(f"{field.path}.{key}", option, option.get("default"))
    elif field.option.get("elements") != "dict":
        yield name, field


def _option(name: str, field: Variable) -> click.Option:
    flag = f"--{name.replace(INSIDE, '-').replace('_', '-')}"
    settings: dict[str, Any] = {"help": field.help, "default": None}
    match field.type:
        case "bool":
            return click.Option([f"{flag}/--no-{flag[2:]}", PREFIX + name], **settings)
        case "int":
            settings["type"] = click.IntRange(min=0)
        case "list":
            settings |= {"multiple": True, "metavar": "NAME[,NAME]", "default": ()}
        case _ if field.choices:
            settings["type"] = click.Choice(field.choices)
    return click.Option([flag, PREFIX + name], **settings)


def given_fields(parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Take the fields out of the parameters of a command; lists may be given with commas, and what was not given is left out."""
    from hpcampus.records import split

    given: dict[str, Any] = {}
    for parameter, value in parameters.items():
        name = parameter.removeprefix(PREFIX)
        if name == parameter or value is None or value == ():
            continue
        outer, _, inner = name.partition(INSIDE)
        place = given.setdefault(outer, {}) if inner else given
        place[inner or name] = split(",".join(value)) if isinstance(value, tuple) else value
    return given
