# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Courses as an inventory holds them: in the list ``site_courses``, and one by one in variables of their own.

A file of its own for each course, ``group_vars/all/courses/physics101.yml``, holds ``site_course_physics101``: Ansible reads
every file there, but a list can stand in one file only.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t

Record = t.Mapping[str, t.Any]

LIST = "site_courses"
PREFIX = "site_course_"
_VARIABLE = re.compile(r"site_course_[A-Za-z0-9_]+")


def is_course_variable(name: str) -> bool:
    """Say whether a variable is the record of one course."""
    return _VARIABLE.fullmatch(name) is not None


def course_variable(slug: str) -> str:
    """Name the variable of a course; a variable has no hyphens, a slug no underscores."""
    return PREFIX + slug.replace("-", "_")


def course_records(variables: Record) -> list[tuple[str, t.Any]]:
    """Give the records of all courses, each with the name to call it by in a message.

    Args:
        variables: Variables of the site; the list may be missing.

    Returns:
        Those of the list first, then those of the variables by their name. What does not have the shape of a record is there too.
    """
    listed = [(f"{LIST}[{index}]", record) for index, record in enumerate(variables.get(LIST) or [])]
    return listed + [(name, variables[name]) for name in sorted(variables) if is_course_variable(name)]


def as_written(value: t.Any) -> t.Any:
    """Give a record as plain objects: days and times, which YAML reads by itself, as text, and without what is empty.

    ``2026-10-12`` without quotes is a day for YAML, with quotes a text; both mean the same here.
    """
    if isinstance(value, dt.date):  # a time is one as well
        return value.isoformat()
    if isinstance(value, t.Mapping):
        return {str(key): as_written(part) for key, part in value.items() if part is not None}
    if isinstance(value, (list, tuple)):
        return [as_written(part) for part in value]
    return value


def courses(variables: Record) -> list[tuple[str, dict[str, t.Any]]]:
    """Give the records that can be told apart and read further: mappings with a slug, as :func:`as_written` gives them."""
    return [
        (where, as_written(record))
        for where, record in course_records(variables)
        if isinstance(record, t.Mapping) and record.get("slug") is not None
    ]
