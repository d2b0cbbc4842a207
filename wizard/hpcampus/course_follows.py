# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What follows from the record of a course: accounts and groups of the hub, pages, directories, database, link, dates. Pure."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING, Any

from hpcampus.collection_checks import image_of
from hpcampus.course_links import make_link
from hpcampus.records import course_directories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

ROLES = ("instructors", "graders", "students")
SQLITE = "sqlite"


def follows(
    record: Mapping[str, Any], main: Mapping[str, Any], groups: Mapping[str, Sequence[str]], url: str, collection: Path
) -> dict[str, Any]:
    """Give what the platform makes of a course.

    Args:
        record: With days and times as text.
        main: Variables that count, defaults included.
        groups: Hosts of each group of the inventory.
        url: Address of the hub, with a final slash.
        collection: Root of the collection.

    Returns:
        ``account``: the hub's user whose server is the course's own; ``groups``: people of each group of the hub, by its name;
        ``page`` and ``server``: addresses; ``directories``: places on clusters; ``gradebook``: what it is kept in; ``link``: one that
        starts a notebook of the course, with its repository if it has one; ``image``: the one that its servers start in.
    """
    slug = str(record["slug"])
    account = f"course-{slug}"
    sqlite = main.get("courses_gradebook") == SQLITE
    return {
        "account": account,
        "groups": {f"{account}-{role}": list(record.get(role) or []) for role in ROLES},
        "page": f"{url}services/courses/course/{slug}",
        "server": f"{url}hub/spawn/{account}",
        "directories": course_directories(slug, main, groups),
        "gradebook": "/course/gradebook.db" if sqlite else f"hpcampus_course_{slug.replace('-', '_')}",
        "link": make_link(collection, url, record),
        "image": image_of(collection, record, main["site_profiles"]),
    }


def phase(record: Mapping[str, Any], day: dt.date) -> str:
    """Say where in its time a course is: ``before``, ``now``, ``after`` or ``expired``."""

    def found(name: str) -> dt.date | None:
        try:
            return dt.date.fromisoformat(str(record.get(name) or ""))
        except ValueError:
            return None

    start, end, expires = found("start"), found("end"), found("expires")
    if expires is not None and day >= expires:
        return "expired"
    if start is not None and day < start:
        return "before"
    return "after" if end is not None and day > end else "now"
