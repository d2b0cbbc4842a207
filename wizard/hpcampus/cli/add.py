# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The commands that add to a platform later: clusters, courses, images."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import click

from hpcampus.cli.common import (
    become_option,
    console_here,
    has_person,
    inventory_option,
    json_option,
    options_again,
    plain_option,
    vault_option,
)
from hpcampus.cli.completion import course_slugs
from hpcampus.cli.spec_options import RecordCommand, given_fields
from hpcampus.errors import AnswersError, NoTerminalError, UsageProblemError
from hpcampus.record_kinds import CLUSTER, COURSE, IMAGE, KINDS, LOGIN, RecordKind
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from hpcampus.book import Book
    from hpcampus.places import Site
    from hpcampus.screens.console import Console
    from hpcampus.screens.dialogue import Dialogue

SSH_PORT = 22


def _changing(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command the options of all that change the inventory."""
    options = (
        inventory_option,
        click.option("--yes", "-y", is_flag=True, help=t("help.records.yes")),
        click.option("--no-run", is_flag=True, help=t("help.records.no-run")),
        vault_option,
        become_option,
        plain_option,
    )
    return functools.reduce(lambda done, option: option(done), reversed(options), command)


@dataclass
class _Change:
    """One change of an inventory, from the command line to the hosts.

    Attributes:
        inventory: The directory.
        vault_password_file: Key of the vault.
        yes: Whether to write without asking.
        no_run: Whether to leave the steps to the person.
        ask_become_pass: Whether the steps need a password for sudo.
        plain: Whether to print plain lines.
    """

    inventory: Path
    vault_password_file: Path | None
    yes: bool
    no_run: bool
    ask_become_pass: bool
    plain: bool
    console: Console = field(default_factory=console_here)

    def __post_init__(self) -> None:
        from hpcampus.places import existing_site, find_collection

        self.site: Site = existing_site(self.inventory)
        self.collection = find_collection()

    @functools.cached_property
    def dialogue(self) -> Dialogue | None:
        """Who asks a person, if there is one."""
        from hpcampus.screens.setup import make_asker

        return make_asker(self.console, plain=self.plain) if has_person() and not self.yes else None

    def open(self) -> Book:
        """Read the inventory."""
        from hpcampus.book import open_book
        from hpcampus.screens.progress import say
        from hpcampus.vault import find_key

        book = open_book(self.site, self.collection, find_key(self.site, self.vault_password_file))
        for renamed in book.documents.renamed:
            key, values = renamed.notice()
            say(self.console, t(key, **values))
        return book

    def refuse_wrong(self, kind: RecordKind, given: Mapping[str, Any]) -> None:
        """Refuse values that are wrong by themselves.

        Raises:
            AnswersError: One is.
        """
        from hpcampus.questions import load_questions
        from hpcampus.records import wrong_values

        problems = wrong_values(load_questions(self.collection), kind, given)
        if problems:
            raise AnswersError("answers-wrong", problems="\n".join(problems))

    def fields(self, book: Book, kind: RecordKind, given: Mapping[str, Any]) -> dict[str, Any]:
        """Give all fields of a new record; asks for what is missing, if there is somebody.

        Raises:
            AnswersError: One is wrong, or is missing and nobody can be asked.
        """
        from hpcampus.records import missing
        from hpcampus.screens.records import ask_fields

        self.refuse_wrong(kind, given)
        if self.dialogue is not None:
            offered = {
                "image": [str(record["name"]) for record in book.records(IMAGE)],
                "profile": [str(profile["name"]) for profile in book.main["site_profiles"]],
            }
            return ask_fields(self.dialogue, self.collection, kind, given, offered)
        names = missing(book.specs, kind, given)
        if names:
            flags = ", ".join(kind.key.upper() if name == kind.key else f"--{name.replace('_', '-')}" for name in names)
            raise AnswersError("record-incomplete", kind=kind.name, options=flags)
        return dict(given)

    def finish(self, book: Book, question: str) -> None:
        """Check, show, write and run.

        Raises:
            InventoryError: It would contradict itself, or cannot be written.
            NoTerminalError: Nobody is there to agree.
        """
        from hpcampus.screens.progress import say
        from hpcampus.screens.records import print_written
        from hpcampus.setup.changes import describe
        from hpcampus.vault import ensure_key

        book.check()
        for line in describe(book.changes()).splitlines():
            say(self.console, line)
        if not self.yes:
            if self.dialogue is None:
                raise NoTerminalError("record-unconfirmed")
            if not self.dialogue.confirm(question, default=True):
                say(self.console, t("records.left"))
                return
        written = book.write(ensure_key(self.site, self.vault_password_file))
        print_written(self.console, written, book.accounts)
        self._run(book)

    def _run(self, book: Book) -> None:
        from hpcampus.apply import load_steps
        from hpcampus.cli.common import make_installer, run_options
        from hpcampus.screens.failure import FailureMenu
        from hpcampus.screens.progress import say
        from hpcampus.screens.summary import conclude

        steps = tuple(step.name for step in load_steps(self.collection) if step.name in book.steps)
        again = options_again(self.inventory, self.vault_password_file, become=self.ask_become_pass)
        if self.no_run:
            flags = "".join(f" --step {name}" for name in steps)
            say(self.console, t("records.not-run", options=flags + again))
            return
        installer = make_installer(self.site, self.console, plain=self.plain)
        told = self.dialogue is not None
        if told:
            installer.advice = FailureMenu(self.console, plain=self.plain)
        options = run_options(self.site, self.vault_password_file, become=self.ask_become_pass, only=steps)
        conclude(self.console, installer.apply(options), options, again, told=told)


_COMMON = ("inventory", "vault_password_file", "yes", "no_run", "ask_become_pass", "plain")


def _change(parameters: Mapping[str, Any]) -> _Change:
    return _Change(**{name: parameters[name] for name in _COMMON})


def _named(kind: RecordKind, name: str | None, parameters: Mapping[str, Any]) -> dict[str, Any]:
    return {**({kind.key: name} if name else {}), **given_fields(parameters)}


def _add(kind: RecordKind, name: str | None, parameters: Mapping[str, Any]) -> None:
    """Add a record that needs nothing besides."""
    from hpcampus.records import make_record

    change = _change(parameters)
    with change.site.state.lock():
        book = change.open()
        values = change.fields(book, kind, _named(kind, name, parameters))
        book.add(kind, make_record(book.specs, kind, values))
        change.finish(book, t("records.confirm"))


def _list(kind: RecordKind, inventory: Path, vault_password_file: Path | None, *, as_json: bool) -> None:
    import json

    from hpcampus.book import open_book
    from hpcampus.inventory_files import plain
    from hpcampus.places import existing_site, find_collection
    from hpcampus.screens.records import print_records

    # Records are no secrets: the vault stays shut unless its key is named.
    book = open_book(existing_site(inventory), find_collection(), vault_password_file)
    records = book.records(kind)
    if as_json:
        click.echo(json.dumps(plain(records), indent=2))
    else:
        print_records(console_here(), kind, records, book.specs)


def _list_command(kind: RecordKind) -> click.Command:
    @click.command("list", help=t(f"help.{kind.name}.list"))
    @inventory_option
    @json_option
    @vault_option
    def command(inventory: Path, vault_password_file: Path | None, *, as_json: bool) -> None:
        _list(kind, inventory, vault_password_file, as_json=as_json)

    return command


def _group(kind: RecordKind) -> click.Group:
    group = click.Group(kind.name, help=t(f"help.{kind.name}"))
    group.add_command(_list_command(kind))
    return group


cluster_group, course_group, image_group = (_group(KINDS[name]) for name in ("cluster", "course", "image"))


@image_group.command("add", cls=RecordCommand, kind="image", help=t("help.image.add"))
@click.argument("name", required=False)
@_changing
def image_add(name: str | None, **parameters: Any) -> None:
    """Add an image."""
    _add(IMAGE, name, parameters)


@course_group.command("add", cls=RecordCommand, kind="course", help=t("help.course.add"))
@click.argument("slug", required=False)
@_changing
def course_add(slug: str | None, **parameters: Any) -> None:
    """Add a course."""
    _add(COURSE, slug, parameters)


@course_group.command("copy", cls=RecordCommand, kind="course", help=t("help.course.copy"))
@click.argument("old", shell_complete=course_slugs)
@click.argument("new")
@_changing
def course_copy(old: str, new: str, **parameters: Any) -> None:
    """Add a course like another."""
    from hpcampus.next_term import DATED, copied_course
    from hpcampus.screens.progress import say

    change = _change(parameters)
    with change.site.state.lock():
        book = change.open()
        record = book.course(old)
        given = given_fields(parameters)
        change.refuse_wrong(COURSE, {"slug": new, **given})
        book.add(COURSE, copied_course(record, new, given))
        if "start" not in given and any(record.get(name) for name in DATED):
            say(change.console, t("records.undated", slug=new))
        change.finish(book, t("records.confirm"))


@course_group.command("archive", help=t("help.course.archive"))
@click.argument("slug", shell_complete=course_slugs)
@_changing
def course_archive(slug: str, **parameters: Any) -> None:
    """Take a course off the platform; its files stay."""
    from hpcampus.records import course_directories
    from hpcampus.screens.progress import say

    change = _change(parameters)
    with change.site.state.lock():
        book = change.open()
        say(change.console, t("records.archive", slug=slug))
        for place in course_directories(slug, book.main, book.groups):
            say(change.console, t("records.archive-place", place=place))
        say(change.console, t("records.archive-hub", slug=slug))
        book.archive(slug, datetime.now(UTC).astimezone().date())
        change.finish(book, t("records.confirm-archive", slug=slug))


@cluster_group.command("add", cls=RecordCommand, kind="cluster", help=t("help.cluster.add"))
@click.argument("name", required=False)
@click.option("--no-profile", is_flag=True, help=t("help.cluster.no-profile"))
@click.option("--accept-new-host-keys", "accept_new", is_flag=True, help=t("help.setup.accept-new"))
@click.option("--skip-host-keys", is_flag=True, help=t("help.cluster.skip-host-keys"))
@_changing
def cluster_add(name: str | None, **parameters: Any) -> None:
    """Add a cluster of somebody else."""
    from hpcampus.records import make_record

    change = _change(parameters)
    given = _named(CLUSTER, name, parameters)
    change.refuse_wrong(CLUSTER, given)
    with change.site.state.lock():
        book = change.open()
        first = _login(change, given)
        known_hosts = _pin(change, book, first, parameters)
        values = change.fields(book, CLUSTER, first)
        # The account is the one that Ansible logs in as, so that it stands once.
        account = values.pop("account", "")
        record = make_record(book.specs, CLUSTER, values)
        book.add(CLUSTER, record)
        book.add_login(str(record["login"]), str(account), known_hosts)
        if not parameters["no_profile"]:
            _offer_profile(change, book, record)
        change.finish(book, t("records.confirm"))


def _login(change: _Change, given: Mapping[str, Any]) -> dict[str, Any]:
    """Ask where the cluster is, before anything else: its host key has to be fetched."""
    from hpcampus.screens.records import ask_fields

    if change.dialogue is None:
        return dict(given)
    return ask_fields(change.dialogue, change.collection, LOGIN, given, {})


def _pin(change: _Change, book: Book, values: dict[str, Any], parameters: Mapping[str, Any]) -> str:
    """Fetch the host key, have it confirmed, put it into the record; give the text of the known_hosts file.

    Raises:
        HostKeyError: There is none, it was not confirmed, or it is another one than was given.
    """
    from hpcampus import host_keys
    from hpcampus.setup.hosts import Hosts
    from hpcampus.setup.model import Request

    pinned = book.documents.known_hosts
    if "login" not in values:
        return pinned
    login = str(values["login"])
    if parameters["skip_host_keys"]:
        told = host_keys.parse_keys(f"{login} {values.get('host_key', '')}")
        return host_keys.pin(
            pinned, [host_keys.Comparison(login, tuple(told), changed=False, new=True)] if told else []
        )
    if values.get("port", SSH_PORT) != SSH_PORT:
        raise UsageProblemError("cluster-port", port=values["port"])
    hosts = Hosts(Request(accept_new=parameters["accept_new"]), change.dialogue, host_keys.fetch, pinned)
    answers = {
        "profile": "remote-centre",
        "centre_login": login,
        # Whoever it is: without one the host would not be met.
        "centre_account": values.get("account", ""),
        "centre_host_key": values.get("host_key"),
    }
    met = hosts.meet(answers)
    for error in hosts.silent(answers):
        raise error
    values.setdefault("host_key", met[login].public)
    return hosts.pinned


def _offer_profile(change: _Change, book: Book, record: Mapping[str, Any]) -> None:
    profile = book.propose_profile(record)
    question = t("records.profile", name=profile["name"], label=profile["label"], partition=profile["partition"])
    if change.dialogue is None or change.dialogue.confirm(question, default=True):
        book.add_profile(profile)
