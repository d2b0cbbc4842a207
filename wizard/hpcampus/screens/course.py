# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One course on the screen: its record, what follows from it, and the archive of its work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ruamel.yaml.comments import CommentedMap

from hpcampus.course_files import course_variable
from hpcampus.screens.progress import say
from hpcampus.texts import t
from hpcampus.yaml_files import dump_document, spelled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from rich.console import Console

COUNTED = ("submissions", "students", "releases", "feedback")


def print_course(console: Console, record: Mapping[str, Any], follows: Mapping[str, Any], place: Path) -> None:
    """Print a course.

    Args:
        console: Where.
        record: Of the course.
        follows: As `course_follows.follows` gives it, with its ``phase``.
        place: The file that the record stands in.
    """
    say(console, t("course.record", path=place), "bold")
    document = CommentedMap({course_variable(str(record["slug"])): spelled(dict(record))})
    for line in dump_document(document).removeprefix("---\n").splitlines():
        say(console, f"  {line}")
    say(console, t("course.follows"), "bold")
    for key in ("page", "server", "account", "gradebook", "link"):
        say(console, f"  {t(f'course.{key}')}: {follows[key]}")
    for name, people in follows["groups"].items():
        say(console, f"  {t('course.group', name=name)}: {', '.join(people) or '-'}")
    for place_there in follows["directories"]:
        say(console, f"  {t('course.directory')}: {place_there}")
    test = record.get("image_test")
    tested = f" ({t('course.image-test', notebook=test)})" if test else ""
    say(console, f"  {t('course.image')}: {follows['image']}{tested}")
    say(console, f"  {t('course.time')}: {_time(record, str(follows['phase']))}")


def print_archive(console: Console, manifest: Mapping[str, Any], file: Path) -> None:
    """Print what is in an archive that is whole, and what is not.

    Args:
        console: Where.
        manifest: Of the archive.
        file: The archive.
    """
    # The checker vouches for files, not for what somebody has written about them.
    counts, gradebook = (
        told if isinstance(told := manifest.get(name), dict) else {} for name in ("counts", "gradebook")
    )
    megabytes = file.stat().st_size / 2**20
    say(console, t("work.whole", path=file, title=manifest.get("title"), size=f"{megabytes:.1f}"), "bold")
    say(
        console,
        f"  {t('work.counts', files=len(manifest['files']), **{name: counts.get(name, '?') for name in COUNTED})}",
    )
    say(console, f"  {t('work.made', time=manifest.get('made'))}")
    say(console, f"  {t('work.gradebook', where=gradebook.get('where', '?'))}")
    for path in manifest["missing"]:
        say(console, f"  {t('work.missing', path=path)}", "bold red")


def _time(record: Mapping[str, Any], phase: str) -> str:
    """Say where in its time a course is."""
    days = {name: record.get(name) or "" for name in ("start", "end", "expires")}
    return t(f"course.phase.{phase}", **days)
