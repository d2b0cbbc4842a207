# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Values in bodies, checked."""

import math
from collections.abc import Mapping
from typing import Any

from .base import RefusalError

TEXT_MAX = 20_000


def refused(place: str, what: str) -> RefusalError:
    """The refusal of a value."""
    return RefusalError(400, "bad-value", f"{place} must be {what}.")


def text(values: Mapping[str, Any], name: str, longest: int = TEXT_MAX) -> str:
    """A text, "" when it is not there; without what cannot be stored."""
    value = values.get(name, "")
    if not isinstance(value, str) or len(value) > longest:
        raise refused(name, f"a text of at most {longest} characters")
    return value.encode("utf-8", "replace").decode().replace("\0", "\N{REPLACEMENT CHARACTER}")


def number(values: Mapping[str, Any], name: str, default: float | None = None) -> float:
    """A finite number."""
    value = values.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or abs(value) > 1e9:
        raise refused(name, "a number")
    return float(value)


def count(values: Mapping[str, Any], name: str) -> int:
    """A whole number from 0."""
    value = values.get(name, 0)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 10**9:
        raise refused(name, "a whole number from 0")
    return value


def flag(values: Mapping[str, Any], name: str) -> bool:
    """True or false, false when it is not there."""
    value = values.get(name, False)
    if not isinstance(value, bool):
        raise refused(name, "true or false")
    return value


def mappings(values: Mapping[str, Any], name: str, most: int) -> list[Mapping[str, Any]]:
    """A list of objects, empty when it is not there."""
    value = values.get(name, [])
    if not isinstance(value, list) or len(value) > most or not all(isinstance(one, dict) for one in value):
        raise refused(name, f"a list of at most {most} objects")
    return value


def texts(values: Mapping[str, Any], name: str, most: int) -> tuple[str, ...]:
    """A list of texts, empty when it is not there."""
    value = values.get(name, [])
    if not isinstance(value, list) or len(value) > most:
        raise refused(name, f"a list of at most {most} texts")
    return tuple(text({name: one}, name) for one in value)


def student(values: Mapping[str, Any]) -> str:
    """The id of a student: a slug, or whatever else an instructor has entered into the gradebook."""
    value = text(values, "student", 200)
    if not value:
        raise refused("student", "the id of a student")
    return value
