# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Links that start a notebook of a course and bring its files: made by the collection, as the page of the course makes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpcampus.course_modules import course_module
from hpcampus.errors import UsageProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path


def make_link(collection: Path, url: str, record: Mapping[str, Any], chosen: Mapping[str, str] | None = None) -> str:
    """Make a link to a notebook of a course.

    Args:
        collection: Root of the collection.
        url: Address of the hub.
        record: Of the course; its repository is taken unless another one is chosen.
        chosen: Some of ``repo``, ``branch``, ``path``, ``profile`` and ``image``.

    Raises:
        CollectionError: The collection has no such builder.
        UsageProblemError: It cannot be made of this.
    """
    chosen = chosen or {}
    own = record.get("repository") or {}
    repository = chosen.get("repo") or own.get("url") or ""
    # Branch and path of the record belong to its own repository.
    usual = own if repository == own.get("url") else {}
    builder = course_module(collection, "links")
    try:
        return str(
            builder.course_link(
                url,
                str(record["slug"]),
                repository,
                branch=chosen.get("branch") or usual.get("branch") or "",
                path=chosen.get("path") or usual.get("path") or "",
                profile=chosen.get("profile") or "",
                image=chosen.get("image") or "",
            )
        )
    except builder.LinkError as error:
        raise UsageProblemError("course-link", problem=error) from error
