# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What is due, for whom, and where: decisions from the records alone."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from hpcampus_hub.names import slug_of
from hpcampus_hub.settings import Course, Site, today

from .record import Material, Order

RETRY_LEAST = timedelta(minutes=5)
RETRY_MOST = timedelta(hours=6)


@dataclass(frozen=True)
class Places:
    """Clusters on which the members of a course may work; of those whose homes cannot be filled, the reason by name."""

    clusters: tuple[str, ...]
    refused: Mapping[str, str]


def places_of(site: Site, course: Course) -> Places:
    """The clusters of the sizes that a course's members may choose."""
    names = course.profiles or tuple(site.profiles)
    profiles = [site.profiles[name] for name in names]
    usable = [
        profile for profile in profiles if profile.groups or not profile.courses or course.slug in profile.courses
    ]
    clusters = {profile.cluster: site.clusters[profile.cluster].accounts.mode for profile in usable}
    return Places(
        clusters=tuple(name for name, mode in clusters.items() if mode == "one"),
        refused={
            name: f"has accounts.mode {mode!r}: homes lie in accounts of their own, to which nothing can be brought"
            for name, mode in clusters.items()
            if mode != "one"
        },
    )


def members_of(course: Course) -> dict[str, str] | None:
    """Names of the members by id, None when everybody on the hub takes part."""
    if course.open:
        return None
    return {slug_of(name): name for name in (*course.students, *course.graders, *course.instructors)}


def known_names(course: Course) -> dict[str, str]:
    """Names by id of those whom the record names; of others only the id is known."""
    return {slug_of(name): name for name in (*course.students, *course.graders, *course.instructors)}


def has_ended(course: Course) -> bool:
    """Whether nothing comes any more by itself."""
    day = today()
    return course.has_expired(day) or (course.end is not None and day > course.end)


def due(material: Material, now: datetime) -> tuple[Order, ...]:
    """The orders whose time has come."""
    return tuple(order for order in material.orders if order.at <= now)


def retry_at(now: datetime, failures: int) -> datetime:
    """When something that failed so often in a row is tried again."""
    return now + min(RETRY_MOST, RETRY_LEAST * 2.0 ** min(failures - 1, 16))


def missing(members: Mapping[str, str] | None, present: Collection[str]) -> list[str]:
    """Names of the members who have a home nowhere; nobody can say it of an open course."""
    return [] if members is None else [name for key, name in members.items() if key not in present]
