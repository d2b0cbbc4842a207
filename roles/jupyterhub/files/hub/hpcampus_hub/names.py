# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Safe ids for the names of the hub: what may become a directory, a Slurm comment or a path in a container.

A name that is a plain slug already stays as it is, so an administrator recognises it. Every other name becomes
``<what is left of it>--<digest>``. Plain names never contain ``--``, so the two kinds cannot meet, and a name is never
shortened without a digest of the whole.
"""

import hashlib
import re

SLUG = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")
COURSE_PREFIX = "course-"

_DIGEST_LENGTH = 24
_READABLE_LENGTH = 36


def is_slug(text: str) -> bool:
    """Say whether a text is a slug: 1 to 64 of a-z, 0-9 and hyphen, no hyphen at either end."""
    return SLUG.fullmatch(text) is not None


def slug_of(name: str) -> str:
    """Map any name to a slug of at most 64 characters; different names get different slugs.

    Args:
        name: the name as the hub knows it, any text, not empty.

    Returns:
        The name itself when it is a slug without a double hyphen; else a readable rest, two hyphens and 96 bits of the
        name's SHA-256.

    Raises:
        ValueError: the name is empty.
    """
    if not name:
        raise ValueError("an empty name has no id")
    if is_slug(name) and "--" not in name:
        return name
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:_DIGEST_LENGTH]
    readable = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:_READABLE_LENGTH].strip("-")
    return f"{readable or 'x'}--{digest}"


def course_user(slug: str) -> str:
    """Name of the hub user whose server is the course's own (formgrader runs there)."""
    return COURSE_PREFIX + slug


def gradebook_of(slug: str) -> str:
    """Name of the database of a course's gradebook, and of the role of PostgreSQL that owns it."""
    return "hpcampus_course_" + slug.replace("-", "_")


def course_of(user_name: str) -> str | None:
    """Slug of the course whose own user this is, or None for a person."""
    return user_name.removeprefix(COURSE_PREFIX) if user_name.startswith(COURSE_PREFIX) else None
