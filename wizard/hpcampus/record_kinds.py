# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The kinds of records that can be added to a platform later. Imports nothing of weight: the command line needs them at once."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RecordKind:
    """A kind of record.

    Attributes:
        name: What the command calls it.
        variable: The list.
        key: The field that names a record.
        steps: The steps that bring a new one to the hosts.
        asked: Fields that a person is asked for besides those that must be there.
        shown: Fields of the list that a person reads.
        needed: Fields that must be there; None takes what the specs say.
    """

    name: str
    variable: str
    key: str
    steps: tuple[str, ...]
    asked: tuple[str, ...]
    shown: tuple[str, ...]
    needed: tuple[str, ...] | None = None


CLUSTER = RecordKind(
    "cluster",
    "site_centres",
    "name",
    # The hub builds images for centres, knows the clusters, and lets their networks in.
    ("apptainer", "tunnel", "hub", "gateway", "images", "courses"),
    ("data_path", "apptainer", "module"),
    ("name", "login", "base_dir", "partitions", "data_path"),
)
# The part of a cluster's record that has to be known before its host key can be fetched.
LOGIN = RecordKind("cluster", "site_centres", "name", (), (), (), ("name", "login", "account"))
COURSE = RecordKind(
    "course",
    "site_courses",
    "slug",
    ("courses",),
    ("open", "students", "image", "profile"),
    ("slug", "title", "instructors", "students", "image", "profile"),
)
IMAGE = RecordKind("image", "site_images", "name", ("images",), ("label",), ("name", "label", "suite", "apt_packages"))
KINDS = {kind.name: kind for kind in (CLUSTER, COURSE, IMAGE)}
PROFILES = "site_profiles"
# Accounts of the hub are written by the step of the hub.
ACCOUNT_STEP = "hub"
# The test of a course runs in the image where that is published.
IMAGE_STEP = "images"
