# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Asking for the fields of a record, and the table of records."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from hpcampus.questions import load_questions
from hpcampus.records import fields, missing, parsers, rows, split
from hpcampus.screens.progress import say
from hpcampus.setup.asker import Back
from hpcampus.texts import t
from hpcampus.validators import wrong

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from rich.console import Console

    from hpcampus.inventory_files import Written
    from hpcampus.record_kinds import RecordKind
    from hpcampus.screens.dialogue import Dialogue
    from hpcampus.setup.model import NewAccount
    from hpcampus.specs import Specs, Variable


def ask_fields(
    dialogue: Dialogue,
    collection: Path,
    kind: RecordKind,
    given: Mapping[str, Any],
    offered: Mapping[str, Sequence[str]],
) -> dict[str, Any]:
    """Ask for the fields that are missing, and for those that are usually decided.

    Args:
        dialogue: Who asks.
        collection: Root of the collection; what an answer has to look like stands in its questions.
        kind: Of the record.
        given: Fields that need no question.
        offered: For some fields, what there is to choose from.

    Returns:
        All fields. What a person leaves as it usually is has its usual value.
    """
    questions = load_questions(collection)
    known, taking = fields(questions.specs, kind), parsers(questions, kind)
    values = dict(given)
    asked: list[str] = []
    open_fields = [name for name in [*missing(questions.specs, kind, given), *kind.asked] if name not in given]
    while True:
        wanted = [name for name in open_fields if name not in asked and not (name == "students" and values.get("open"))]
        if not wanted:
            return values
        name = wanted[0]
        try:
            values[name] = _ask(dialogue, name, known[name], taking[name], offered.get(name, ()))
        except Back:
            if asked:
                values.pop(asked.pop())
        else:
            asked.append(name)


def _ask(dialogue: Dialogue, name: str, field: Variable, take: Callable[[object], Any], offered: Sequence[str]) -> Any:
    prompt = t("records.ask", field=name, help=field.help)
    if field.type == "bool":
        return dialogue.confirm(prompt, default=bool(field.default))
    choices = field.choices or offered
    if choices:
        usual = field.default if field.default in choices else choices[0]
        return dialogue.select(prompt, [(choice, choice) for choice in choices], usual, field.help)
    many, needed = field.type == "list", bool(field.option.get("required"))

    def parse(raw: str) -> Any:
        if not raw.strip() and needed:
            raise wrong("required")
        if many:
            return [take(part) for part in split(raw)]
        return take(raw) if raw.strip() else field.default or ""

    def complaint(raw: str) -> str:
        try:
            parse(raw)
        except ValueError as error:
            return str(error)
        return ""

    return parse(dialogue.type(prompt, complaint, "" if many else str(field.default or ""), field.help))


def print_records(console: Console, kind: RecordKind, records: Sequence[Mapping[str, Any]], specs: Specs) -> None:
    """Print the table of the records."""
    if not records:
        say(console, t("records.none", variable=kind.variable))
        return
    table = rows(kind, records, specs)
    widths = [max(len(row[number]) for row in table) for number in range(len(table[0]))]
    for number, row in enumerate(table):
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        say(console, line, "" if number else "bold")


def print_written(console: Console, written: Written, accounts: Sequence[NewAccount]) -> None:
    """Print which files changed, where their copies are, and the passwords of new accounts."""
    for path, changed in written.files.items():
        if changed:
            say(console, t("setup.written", path=path))
    for path in written.removed:
        say(console, t("records.removed", path=path))
    if written.backup is not None:
        say(console, t("setup.backup", files=", ".join(map(str, written.kept)), path=written.backup))
    if accounts:
        say(console, t("setup.accounts"), "bold")
    for account in accounts:
        say(console, t("setup.account", name=account.name, password=account.password, course=account.course))
