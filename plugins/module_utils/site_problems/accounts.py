# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The people of the hub: their names, and their local accounts."""

from __future__ import annotations

import difflib
import re
import typing as t

from .course_files import courses
from .findings import Record, matches, problem, records, unique

USER = re.compile(r"[a-z0-9](?:[a-z0-9._@+-]{0,62}[a-z0-9])?")
BCRYPT = re.compile(r"\$2[aby]\$[0-9]{2}\$[./A-Za-z0-9]{53}")
COURSE_PREFIX = "course-"
USER_WORDS = "a user name of lower case letters, digits and . _ @ + -, with a letter or digit at both ends"


def person(variable: str, name: object) -> t.Iterator[str]:
    """Check that a value can be the name of a person on the hub."""
    yield from matches(variable, name, USER, USER_WORDS)
    if str(name).startswith(COURSE_PREFIX):
        yield problem(
            variable, name, f"names that begin with {COURSE_PREFIX!r} belong to the courses", "Choose another name"
        )


def account_problems(site: Record) -> t.Iterator[str]:
    """Check the local accounts. A password is never repeated in a message."""
    yield from unique(site, "site_accounts", "name")
    for where, record in records(site, "site_accounts"):
        yield from person(f"{where}.name", record["name"])
        if not BCRYPT.fullmatch(str(record["password_hash"])):
            yield problem(
                f"{where}.password_hash",
                "(hidden)",
                "this is not a bcrypt hash",
                "Make one with: mkpasswd -m bcrypt -R 12",
            )
    for name in site["site_admins"]:
        yield from person("site_admins", name)


def login_problems(site: Record, authenticator: str) -> t.Iterator[str]:
    """Find people who are named and could not log in.

    Args:
        site: The ``site_`` variables.
        authenticator: ``local`` or ``native``; where people sign up, only administrators cannot.
    """
    known = [record["name"] for record in site["site_accounts"]]
    named = [("site_admins", name) for name in site["site_admins"]]
    cure = "Add the account"
    if authenticator == "local":
        cure += ", or set jupyterhub_authenticator to native, where people sign up themselves"
        for where, record in courses(site):
            named += [
                (f"{where}.{role}", name)
                for role in ("instructors", "graders", "students")
                for name in record.get(role, [])
            ]
    for variable, name in named:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            hint = f"; perhaps {near[0]!r} is meant" if near else ""
            yield problem(
                variable, name, f"site_accounts has no such account, so this person could not log in{hint}", cure
            )
