# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the roles take by themselves: an inventory holds only what differs from it."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

from hpcampus.errors import CollectionError
from hpcampus.yaml_files import read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


@functools.cache
def role_defaults(collection: Path) -> dict[str, Any]:
    """Read the defaults of all roles of the collection.

    Raises:
        CollectionError: There are none.
    """
    defaults: dict[str, Any] = {}
    for path in sorted((collection / "roles").glob("*/defaults/main.yml")):
        defaults.update(read_plain(path) or {})
    if not defaults:
        raise CollectionError("collection-missing", searched=collection / "roles")
    return defaults


def without_defaults(
    values: Mapping[str, Any], existing: Mapping[str, Any], defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Leave out what the roles take by themselves, unless the inventory says it already.

    Args:
        values: What shall be.
        existing: Variables that the inventory sets, in whatever file.
        defaults: As `role_defaults` gives them.
    """
    return {
        name: value
        for name, value in values.items()
        if name in existing or name not in defaults or not _same(value, defaults[name])
    }


def _same(one: object, other: object) -> bool:
    """Compare as YAML does: true is not 1, and no text is a number."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(value, other[key]) for key, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return type(one) is type(other) and one == other
