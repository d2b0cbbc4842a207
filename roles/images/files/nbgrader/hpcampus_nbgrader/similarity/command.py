# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Compares the submissions of an assignment in the server of its course, prints what is alike, and writes the report."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from hpcampus_nbgrader.grading.cluster import Cluster, ClusterError
from hpcampus_nbgrader.settings import COURSE_ROOT, Settings

from .compare import Comparer
from .documents import Released, UnreadableError, released_notebooks, submitted
from .places import has_submissions, report_path
from .report import page, table

THRESHOLD = 0.6
OFF = "This course's record does not say that submissions are compared: grading: {similarity: true}."
NOTHING = "Nothing of {assignment} has been collected."


class CommandError(Exception):
    """It cannot be done; the text says why."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; gives its exit status."""
    options = _options(arguments)
    try:
        root = Path(options.course)
        _see_that_it_can_be(root, options.assignment)
        print(write_report(root, options.assignment, released_notebooks(root, options.assignment), options.threshold))
    except (CommandError, ClusterError, UnreadableError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def write_report(root: Path, assignment: str, notebooks: list[Released], threshold: float) -> str:
    """Compare, write the report, and give what a terminal shows.

    Raises:
        CommandError: The report cannot be written.
    """
    comparer = Comparer(notebooks)
    for document in submitted(root, assignment, notebooks):
        comparer.add(document)
    found = comparer.compared(threshold)
    when = f"{datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
    report = report_path(root, assignment)
    try:
        write_whole(report, page(assignment, found, threshold, comparer.side_by_side, when))
    except OSError as error:
        raise CommandError(f"{report} cannot be written: {error.strerror}.") from error
    return f"{table(found, threshold)}\nThe report is {report}."


def write_whole(path: Path, content: str) -> None:
    """Write a file that is there as a whole or not at all."""
    path.parent.mkdir(mode=0o700, exist_ok=True)
    number, partial = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(number, "w", encoding="utf-8", errors="replace") as file:
            file.write(content)
        Path(partial).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(partial).unlink()
        raise


def _see_that_it_can_be(root: Path, assignment: str) -> None:
    """See that the course wants it, and that there is something to compare."""
    cluster = Cluster.from_environment(os.environ, Settings.from_environment(os.environ).course)
    if not cluster.terms().similarity:
        raise CommandError(OFF)
    if not has_submissions(root, assignment):
        raise CommandError(NOTHING.format(assignment=assignment))


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m hpcampus_nbgrader.similarity",
        description="Find submissions of an assignment that have code in common. That is no proof of anything.",
    )
    parser.add_argument("assignment", help="the assignment, whose submissions have been collected")
    parser.add_argument(
        "--threshold",
        type=_share,
        default=THRESHOLD,
        metavar="SHARE",
        help="from which share of one's code on, 0.1 to 1, a pair is shown (default: %(default)s)",
    )
    parser.add_argument("--course", default=COURSE_ROOT, help=argparse.SUPPRESS)
    return parser.parse_args(arguments)


def _share(value: str) -> float:
    share = float(value)
    if not 0.1 <= share <= 1:
        raise argparse.ArgumentTypeError("must be from 0.1 to 1")
    return share
