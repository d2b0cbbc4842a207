# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command request."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpcampus.cli.common import inventory_option
from hpcampus.texts import t

if TYPE_CHECKING:
    from hpcampus.request import Facts


@click.command("request", help=t("help.request"))
@click.argument("cluster", required=False)
@inventory_option
@click.option("--answers", "answers_file", type=click.Path(path_type=Path), help=t("help.request.answers"))
@click.option("--contact", default="", help=t("help.request.contact"))
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown"]), default="text", help=t("help.request.format")
)
def request_command(cluster: str | None, inventory: Path, answers_file: Path | None, contact: str, form: str) -> None:
    """Print the page for the administrators of a centre."""
    from hpcampus.request import as_markdown, as_text, sections

    facts = _from_answers(answers_file) if answers_file else _from_inventory(inventory, cluster)
    write = as_markdown if form == "markdown" else as_text
    click.echo(write(t("request.title", hub=facts.hub_name), sections(facts, contact)), nl=False)


def _from_inventory(inventory: Path, cluster: str | None) -> Facts:
    from hpcampus.book import open_book
    from hpcampus.inventory_files import plain
    from hpcampus.places import existing_site, find_collection
    from hpcampus.render import host_variables
    from hpcampus.request import facts_of

    # Nothing of it is secret: the vault stays shut.
    book = open_book(existing_site(inventory), find_collection(), None)
    return facts_of(book.main, host_variables(plain(book.documents.hosts)), cluster)


def _from_answers(path: Path) -> Facts:
    from hpcampus.answers import Layer, resolve
    from hpcampus.defaults import role_defaults
    from hpcampus.errors import AnswersError
    from hpcampus.places import find_collection
    from hpcampus.questions import load_questions
    from hpcampus.request import facts_of_answers
    from hpcampus.setup.inputs import read_answers

    collection = find_collection()
    given = read_answers(path)
    resolved = resolve(load_questions(collection), [Layer("--answers", given)], {})
    wrong = [str(problem) for problem in resolved.problems if not problem.missing]
    if wrong:
        raise AnswersError("answers-wrong", problems="\n".join(wrong))
    # What nobody answered is not known yet, though setup has a default for it.
    known = {key: value for key, value in resolved.values.items() if key in given}
    return facts_of_answers(known, role_defaults(collection))
