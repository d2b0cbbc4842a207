# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands that tell of a course: its record and what follows from it, the record alone, and links to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from hpcampus.cli.add import course_group
from hpcampus.cli.common import inventory_option, json_option
from hpcampus.cli.completion import course_slugs
from hpcampus.texts import t

__all__ = ["course_group"]

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hpcampus.book import Book

_slug = click.argument("slug", shell_complete=course_slugs)


def _open(inventory: Path) -> Book:
    from hpcampus.book import open_book
    from hpcampus.places import existing_site, find_collection

    # Nothing of a course is secret: the vault stays shut.
    return open_book(existing_site(inventory), find_collection(), None)


@course_group.command("show", help=t("help.course.show"))
@_slug
@inventory_option
@json_option
def course_show(slug: str, inventory: Path, *, as_json: bool) -> None:
    """Tell what a course is, and what follows from it."""
    import json
    from datetime import UTC, datetime

    from hpcampus.cli.common import console_here
    from hpcampus.course_follows import follows, phase
    from hpcampus.screens.course import print_course

    book = _open(inventory)
    record = book.course(slug)
    found = follows(record, book.main, book.groups, book.url, book.collection)
    found["phase"] = phase(record, datetime.now(UTC).astimezone().date())
    if as_json:
        click.echo(json.dumps({"record": record, **found}, indent=2))
    else:
        print_course(console_here(), record, found, book.place_of(slug))


@course_group.command("export", help=t("help.course.export"))
@_slug
@inventory_option
@json_option
def course_export(slug: str, inventory: Path, *, as_json: bool) -> None:
    """Print the record of a course as it stands in a file of its own."""
    import json

    from ruamel.yaml.comments import CommentedMap

    from hpcampus.course_files import course_variable
    from hpcampus.yaml_files import dump_document, spelled

    record = _open(inventory).course(slug)
    if as_json:
        click.echo(json.dumps(record, indent=2))
    else:
        click.echo(dump_document(CommentedMap({course_variable(slug): spelled(record)})), nl=False)


@course_group.command("link", help=t("help.course.link"))
@_slug
@click.option("--repo", metavar="URL", help=t("help.course.link.repo"))
@click.option("--branch", help=t("help.course.link.branch"))
@click.option("--path", help=t("help.course.link.path"))
@click.option("--profile", help=t("help.course.link.profile"))
@click.option("--image", help=t("help.course.link.image"))
@inventory_option
def course_link(slug: str, inventory: Path, **chosen: str | None) -> None:
    """Print a link that starts a notebook of a course and brings files."""
    from hpcampus.course_links import make_link

    book = _open(inventory)
    record = book.course(slug)
    given = {name: value for name, value in chosen.items() if value}
    _refuse_unknown(book, record, given)
    click.echo(make_link(book.collection, book.url, record, given))


def _refuse_unknown(book: Book, record: Mapping[str, Any], given: Mapping[str, str]) -> None:
    """Refuse a size or an image that nobody could start.

    Raises:
        UsageProblemError: There is none of that name.
    """
    from hpcampus.errors import UsageProblemError
    from hpcampus.record_kinds import IMAGE, PROFILES

    offered = {
        "profile": record.get("profiles") or [str(profile["name"]) for profile in book.main[PROFILES]],
        "image": [str(image["name"]) for image in book.records(IMAGE)],
    }
    for name, names in offered.items():
        if name in given and given[name] not in names:
            raise UsageProblemError("course-choice", option=name, value=given[name], names=", ".join(names))
