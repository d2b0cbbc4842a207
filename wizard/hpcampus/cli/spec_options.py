# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Options of the command line that follow from the argument_specs: one for each field of a record.

They are read when the command itself is parsed, or its help is shown, so that no other command pays for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hpcampus.record_kinds import KINDS, RecordKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpcampus.specs import Variable

PREFIX = "field_"


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
    return [_option(name, field) for name, field in known.items() if name not in without]


def _option(name: str, field: Variable) -> click.Option:
    flag = f"--{name.replace('_', '-')}"
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

    given = {}
    for parameter, value in parameters.items():
        name = parameter.removeprefix(PREFIX)
        if name == parameter or value is None or value == ():
            continue
        given[name] = split(",".join(value)) if isinstance(value, tuple) else value
    return given
