# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands that tell of a course: its record and what follows from it, the record alone, its work, and links to it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpcampus.cli.add import course_group
from hpcampus.cli.common import (
    become_option,
    console_here,
    flag,
    inventory_option,
    json_option,
    make_installer,
    options_again,
    plain_option,
    run_options,
    vault_option,
)
from hpcampus.cli.completion import course_slugs
from hpcampus.texts import t

__all__ = ["course_group"]

if TYPE_CHECKING:
    from collections.abc import Mapping

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
@click.option("--work", type=click.Path(path_type=Path, dir_okay=False), help=t("help.course.export.work"))
@inventory_option
@json_option
@vault_option
@become_option
@plain_option
def course_export(
    slug: str, work: Path | None, inventory: Path, vault_password_file: Path | None, **flags: bool
) -> None:
    """Print the record of a course as it stands in a file of its own, or bring its work from the hub."""
    import json

    from ruamel.yaml.comments import CommentedMap

    from hpcampus.course_files import course_variable
    from hpcampus.yaml_files import dump_document, spelled

    if work is not None:
        _export_work(slug, work, inventory, vault_password_file, **flags)
        return
    record = _open(inventory).course(slug)
    if flags["as_json"]:
        click.echo(json.dumps(record, indent=2))
    else:
        click.echo(dump_document(CommentedMap({course_variable(slug): spelled(record)})), nl=False)


def _export_work(slug: str, work: Path, inventory: Path, vault_password_file: Path | None, **flags: bool) -> None:
    """Bring the archive of a course, which may have left the inventory, and check it."""
    from hpcampus.course_work import bring, check_archive, keep, room_for
    from hpcampus.errors import InterruptedRunError, StepFailedError
    from hpcampus.places import existing_site, find_collection
    from hpcampus.runner import Outcome
    from hpcampus.screens.console import make_console
    from hpcampus.screens.summary import print_failures

    site, become, as_json = existing_site(inventory), flags["ask_become_pass"], flags["as_json"]
    console = make_console(stderr=as_json)
    with room_for(work) as file, site.state.lock():
        installer = make_installer(site, console, plain=flags["plain"])
        report = bring(installer, run_options(site, vault_password_file, become=become), slug, file)
        if report.result.outcome is Outcome.STOPPED:
            raise InterruptedRunError("stopped")
        if report.result.outcome is not Outcome.SUCCESSFUL:
            again = options_again(inventory, vault_password_file, become=become)
            print_failures(console, report, t("work.retry", slug=slug, options=flag("--work", work) + again))
            raise StepFailedError("work-not-brought")
        manifest = check_archive(find_collection(), file, slug, work)
        keep(file, work)
    _tell_of(manifest, work, as_json=as_json)


@course_group.command("check-archive", help=t("help.course.check-archive"))
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
def course_check_archive(file: Path, *, as_json: bool) -> None:
    """Hold an archive against its manifest."""
    from hpcampus.course_work import check_archive
    from hpcampus.places import find_collection

    _tell_of(check_archive(find_collection(), file), file, as_json=as_json)


def _tell_of(manifest: Mapping[str, Any], file: Path, *, as_json: bool) -> None:
    import json

    from hpcampus.screens.course import print_archive

    if as_json:
        click.echo(json.dumps({**manifest, "path": str(file)}, indent=2))
    else:
        print_archive(console_here(), manifest, file)


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
