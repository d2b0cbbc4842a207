# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One run for one course: what is due comes to whoever has not got it."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from hpcampus_hub.settings import Course, Site

from .delivery import DeliveryError, Doors
from .plan import Places, due, has_ended, known_names, members_of, missing, places_of
from .record import Material, Order
from .repository import Pack, Repositories, RepositoryError
from .state import CourseState, OrderState, save, text_of


@dataclass(frozen=True)
class Job:
    """What a run works with.

    Args:
        site: clusters, profiles and courses.
        directory: of the states.
        repositories: fetches them.
        doors: the clusters' gateways.
        now: the time of the run, with its zone.
        again: bring every order, due or not, also to those who have got it.
        dry: bring nothing, write nothing.
    """

    site: Site
    directory: Path
    repositories: Repositories
    doors: Doors
    now: datetime
    again: bool = False
    dry: bool = False

    @property
    def day(self) -> str:
        """The day for the names of new versions, by the hub's own zone."""
        return self.now.astimezone().strftime("%Y%m%d")


@dataclass(frozen=True)
class Intention:
    """What a dry run would bring: how many files and bytes, and the ids by cluster."""

    files: int
    bytes: int
    homes: Mapping[str, list[str]]


@dataclass
class Outcome:
    """What a run did for a course: the state, and the orders that it worked on."""

    state: CourseState
    worked_on: list[OrderState] = field(default_factory=list)
    intended: list[tuple[OrderState, Intention]] = field(default_factory=list)


async def run_course(job: Job, course: Course, material: Material, state: CourseState) -> Outcome:
    """Bring what is due to the homes of a course.

    Args:
        job: what to work with.
        course: who takes part, and in which sizes.
        material: repository and orders.
        state: what is known; it is changed, and written after every cluster.

    Raises:
        StateError: the state cannot be written; what was brought stays.
    """
    outcome = Outcome(state)
    for order in material.orders:
        state.of(order)  # so that it is seen before its time
    orders = due(material, job.now)
    if job.again:
        orders = material.orders
    elif has_ended(course):
        orders = ()
    if orders:
        homes = await _Homes.find(job, course, places_of(job.site, course))
        for order in orders:
            await _run_order(job, homes, material, order, outcome)
    return outcome


@dataclass(frozen=True)
class _Homes:
    """Who has a home where, and why other clusters cannot be asked."""

    course: Course
    present: Mapping[str, set[str]]
    trouble: Mapping[str, str]

    @classmethod
    async def find(cls, job: Job, course: Course, places: Places) -> "_Homes":
        members = members_of(course)
        present, trouble = {}, dict(places.refused)
        for cluster in places.clusters:
            try:
                present[cluster] = await job.doors.homes(cluster, members, job.day)
            except DeliveryError as error:
                trouble[cluster] = str(error)
        return cls(course, present, trouble)

    def missing(self) -> list[str]:
        """Names of the members who have a home nowhere; when a cluster cannot be asked nobody knows."""
        found = set().union(*self.present.values()) if self.present else set()
        return missing(members_of(self.course), found) if self.present else []


async def _run_order(job: Job, homes: _Homes, material: Material, order: Order, outcome: Outcome) -> None:
    entry = outcome.state.of(order)
    if job.again:  # for this once; what is due counts as before
        entry = OrderState(entry.at, entry.path) if order.at > job.now else entry
    elif entry.rests(job.now):
        return
    targets = {
        cluster: sorted(key for key in found if job.again or entry.open_for(cluster, key, job.now))
        for cluster, found in homes.present.items()
    }
    to_bring = job.again or not entry.tried or bool(entry.error) or any(targets.values())
    news = entry.clusters != homes.trouble or entry.missing != homes.missing()
    entry.clusters, entry.missing = dict(homes.trouble), homes.missing()
    if to_bring:
        await _bring(job, homes, material, entry, targets, outcome)
    elif news:
        outcome.worked_on.append(entry)


async def _bring(
    job: Job,
    homes: _Homes,
    material: Material,
    entry: OrderState,
    targets: Mapping[str, list[str]],
    outcome: Outcome,
) -> None:
    """Fetch, pack and send one order."""
    outcome.worked_on.append(entry)
    try:
        pack = await asyncio.to_thread(job.repositories.pack, material.repository, entry.path)
    except RepositoryError as error:
        entry.fail(str(error), job.now)
        return
    entry.tried, entry.error, entry.failures, entry.retry = text_of(job.now) or "", "", 0, None
    entry.commit, entry.files, entry.bytes = pack.commit, len(pack.paths), pack.content_bytes
    entry.left_out = list(pack.left_out)
    if job.dry:
        outcome.intended.append((entry, Intention(entry.files, entry.bytes, targets)))
        return
    for cluster, keys in targets.items():
        if keys:
            await _deliver(job, homes, entry, pack, cluster, keys)
            save(job.directory, outcome.state, job.now)


async def _deliver(job: Job, homes: _Homes, entry: OrderState, pack: Pack, cluster: str, keys: list[str]) -> None:
    names = known_names(homes.course)
    try:
        async for person in job.doors.send(cluster, homes.course.slug, pack, keys, job.day):
            person.name = names.get(person.id, person.id)
            entry.note(person, job.now)
    except DeliveryError as error:
        entry.clusters[cluster] = str(error)
