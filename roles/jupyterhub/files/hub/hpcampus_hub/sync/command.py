# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""``hpcampus-course-sync``, and what the timer runs: brings files of the courses' repositories to homes, and tells what came of it."""

import argparse
import asyncio
import json
import os
import sys
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from hpcampus_hub.doctor.site import ConfigurationError, load_hub
from hpcampus_hub.hub_account import NotTheHubError, become, find_account
from hpcampus_hub.settings import Site

from .delivery import Doors
from .record import Material, RecordError, read_material, read_records
from .repository import MEGABYTE, Repositories
from .run import Job, Outcome, run_course
from .state import COUNTS, DIRECTORY, CourseState, OrderState, StateError, alone, as_json, load, save

ETC = Path("/etc/jupyterhub")
PROGRAM = "hpcampus-course-sync"
Say = Callable[[str], None]


class CommandError(Exception):
    """The command cannot do what it was asked for; the text says why and what to do."""


def parser() -> argparse.ArgumentParser:
    """The command line."""
    made = argparse.ArgumentParser(
        prog=PROGRAM,
        description="Bring files of a course's repository to the homes of its members, as sync in its record says. Nothing that is"
        " in a home is changed.",
        allow_abbrev=False,
    )
    made.add_argument(
        "course", nargs="?", default="", metavar="SLUG", help="the course; without it, what is due in all"
    )
    made.add_argument("--now", action="store_true", help="bring everything of its record once more, due or not")
    made.add_argument("--dry-run", action="store_true", help="fetch and look, and say what would be brought")
    made.add_argument("--json", action="store_true", help="print the report as JSON")
    return made


def main(argv: Sequence[str] | None = None, etc: Path = ETC, directory: Path = DIRECTORY) -> int:
    """Run the command as the hub's account; gives its exit status."""
    arguments = parser().parse_args(argv)
    try:
        become(find_account(PROGRAM))
        os.umask(0o027)
        outcomes = asyncio.run(run(arguments, load_hub(etc).site, etc / "courses.json", directory))
    except (NotTheHubError, ConfigurationError, CommandError, RecordError, StateError) as error:
        print(f"{PROGRAM}: {error}", file=sys.stderr)
        return 1
    if arguments.json:
        print(json.dumps([outcome_json(outcome) for outcome in outcomes], indent=1, sort_keys=True))
    else:
        for outcome in outcomes:
            tell(outcome, print)
    # The timer's run has done its part when it has told; an administrator wants to know in the exit status as well.
    return int(bool(arguments.course) and any(is_trouble(outcome) for outcome in outcomes))


async def run(arguments: argparse.Namespace, site: Site, records: Path, directory: Path) -> list[Outcome]:
    """Carry out a parsed command line; gives what was done, course by course.

    Raises:
        CommandError, RecordError, StateError: it cannot be done.
    """
    slugs = chosen(arguments, site)
    found = read_records(records)
    doors = Doors(site.clusters)
    outcomes = []
    with tempfile.TemporaryDirectory(prefix="hpcampus-sync-") as scratch:
        job = Job(
            site=site,
            directory=directory,
            repositories=Repositories(Path(scratch)),
            doors=doors,
            now=datetime.now(UTC),
            again=arguments.now,
            dry=arguments.dry_run,
        )
        try:
            for slug in slugs:
                outcome = await _one(job, slug, found.get(slug, {}), named=bool(arguments.course))
                if outcome is not None:
                    outcomes.append(outcome)
        finally:
            await doors.close()
    return outcomes


def chosen(arguments: argparse.Namespace, site: Site) -> list[str]:
    """The slugs that a command line is about.

    Raises:
        CommandError: there is no such course.
    """
    if not arguments.course:
        if arguments.now:
            raise CommandError("--now needs a course")
        return list(site.courses)
    if arguments.course not in site.courses:
        raise CommandError(f"there is no course {arguments.course!r}; there are: {', '.join(site.courses) or 'none'}")
    return [arguments.course]


async def _one(job: Job, slug: str, record: object, *, named: bool) -> Outcome | None:
    """Run one course; None when there is nothing to say of it."""
    try:
        material = read_material(record if isinstance(record, dict) else {})
    except RecordError as error:
        return _wrong_record(job, slug, str(error))
    if material is None:
        if named:
            raise CommandError(
                f"course {slug} has no sync in its record: add times and paths, then run the step courses"
            )
        return None
    with alone(job.directory, slug) as mine:
        if not mine:
            if named:
                raise CommandError(f"course {slug} is being worked on at this moment; try again later")
            return None
        return await _run_material(job, slug, material, named=named)


async def _run_material(job: Job, slug: str, material: Material, *, named: bool) -> Outcome | None:
    state = load(job.directory, slug)
    before, state.error = as_json(state), ""
    outcome = await run_course(job, job.site.courses[slug], material, state)
    if not job.dry and as_json(state) != before:
        save(job.directory, state, job.now)
    return outcome if named or outcome.worked_on else None


def _wrong_record(job: Job, slug: str, error: str) -> Outcome | None:
    """Keep what is wrong with a record where people look, and tell it once."""
    state = load(job.directory, slug)
    known, state.error = state.error, error
    if not job.dry:
        save(job.directory, state, job.now)
    return None if known == error and not job.again else Outcome(state)


def is_trouble(outcome: Outcome) -> bool:
    """Whether something could not be brought."""
    return bool(outcome.state.error) or any(order.state in ("failed", "partly") for order in outcome.worked_on)


def outcome_json(outcome: Outcome) -> dict[str, object]:
    """The report for programs: the state, which a dry run has not written, and what such a run would bring."""
    intended = [{"at": order.at, "path": order.path, **asdict(intention)} for order, intention in outcome.intended]
    return {**as_json(outcome.state), "would_bring": intended}


def tell(outcome: Outcome, say: Say) -> None:
    """The report for people."""
    state: CourseState = outcome.state
    say(f"{state.course}:")
    if state.error:
        say(f"  its record cannot be followed: {state.error}")
    intended = {id(order): intention for order, intention in outcome.intended}
    for order in outcome.worked_on or state.orders:
        say(f"  {order.at[:16].replace('T', ' ')} UTC  {order.path or '(everything)'}: {order.state}")
        if id(order) in intended:
            intention = intended[id(order)]
            for cluster, keys in intention.homes.items():
                say(f"    would bring {_files(intention.files, intention.bytes)} to {_homes(len(keys))} on {cluster}")
        tell_order(order, say)


def tell_order(order: OrderState, say: Say) -> None:
    """What came of one order, and everything that a person may have to look at."""
    if order.error:
        say(f"    {order.error}")
    if order.people:
        totals = {name: sum(getattr(person, name) for person in order.people) for name in COUNTS}
        say(f"    {_files(order.files, order.bytes)} of {order.commit[:12]} for {_homes(len(order.people))}:")
        say(
            f"    {totals['new']} new, {totals['same']} there already, {totals['kept']} kept as people have them,"
            f" {totals['beside']} new versions laid beside"
        )
    for cluster, error in order.clusters.items():
        say(f"    cluster {cluster}: {error}")
    if order.missing:
        say(f"    no home yet: {', '.join(order.missing)}")
    for why in order.left_out:
        say(f"    left out: {why}")
    for person in order.people:
        reasons = [*([person.error] if person.error else []), *(f"skipped {reason}" for reason in person.skipped)]
        reasons += [f"skipped {person.skipped_more} more"] if person.skipped_more else []
        for reason in reasons:
            say(f"    {person.name} on {person.cluster}: {reason}")


def _files(count: int, size: int) -> str:
    return f"{count} file{'' if count == 1 else 's'} ({size / MEGABYTE:.1f} MB)"


def _homes(count: int) -> str:
    return f"{count} home{'' if count == 1 else 's'}"
