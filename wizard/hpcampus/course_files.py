# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Courses as an inventory holds them: one by one in variables and files of their own, or together in a list. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIST = "site_courses"
PREFIX = "site_course_"
_VARIABLE = re.compile(r"site_course_[A-Za-z0-9_]+")
DIRECTORY = Path("group_vars/all/courses")
# The dot keeps Ansible from reading what lies there.
ARCHIVE = DIRECTORY / ".archive"


def is_course_variable(name: str) -> bool:
    """Say whether a variable is the record of one course."""
    return _VARIABLE.fullmatch(name) is not None


def course_variable(slug: str) -> str:
    """Name the variable of a course; a variable has no hyphens, a slug no underscores."""
    return PREFIX + slug.replace("-", "_")


def course_records(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the records of all courses, those of the list first, with days and times as text.

    Args:
        variables: Variables of the site, as plain objects.
    """
    return [as_written(record) for record in [*listed(variables), *own(variables).values()]]


def listed(variables: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Give the records of the list, as they stand there."""
    value = variables.get(LIST)
    return [dict(record) for record in value if isinstance(record, Mapping)] if isinstance(value, list) else []


def own(variables: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Give the records that have variables of their own, by the name of the variable, as they stand there."""
    return {
        name: dict(variables[name])
        for name in sorted(variables)
        if is_course_variable(name) and isinstance(variables[name], Mapping)
    }


def as_written(value: Any) -> Any:
    """Give a record with days and times, which YAML reads by itself, as text."""
    if isinstance(value, dt.date):  # a time is one as well
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): as_written(part) for key, part in value.items()}
    return [as_written(part) for part in value] if isinstance(value, list) else value


def course_file(slug: str) -> Path:
    """Give the file of a course, below the inventory."""
    return DIRECTORY / f"{slug}.yml"


def archive_file(slug: str, day: dt.date, number: int = 1) -> Path:
    """Give the file that a course is kept in when it has left the platform, below the inventory; `number` counts those of a day."""
    end = "" if number == 1 else f"-{number}"
    return ARCHIVE / f"{slug}-{day}{end}.yml"
