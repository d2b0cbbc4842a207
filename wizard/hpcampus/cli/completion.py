# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The command completion, and what the options of other commands complete to."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click
from click.shell_completion import CompletionItem, get_completion_class

from hpcampus.texts import t

SHELLS = ("bash", "zsh", "fish")
VARIABLE = "_HPCAMPUS_COMPLETE"


@click.command("completion", help=t("help.completion"))
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion_command(ctx: click.Context, shell: str) -> None:
    """Print the script for a shell."""
    kind = get_completion_class(shell)
    if kind is not None:
        # Only the text of the script: click's own way to it asks which bash is there, and here it may be none.
        made = kind(ctx.find_root().command, {}, "hpcampus", VARIABLE)
        click.echo(made.source_template % made.source_vars())


def step_names(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete the name of a step; nothing where the collection is not found."""
    from hpcampus.catalogue import parse_catalogue
    from hpcampus.errors import HpcampusError
    from hpcampus.places import CATALOGUE, find_collection
    from hpcampus.yaml_files import read_plain

    # Whoever presses Tab wants no report of an error.
    with contextlib.suppress(HpcampusError, OSError, ValueError):
        path = find_collection() / CATALOGUE
        steps = parse_catalogue(read_plain(path), str(path))
        return [CompletionItem(step.name, help=step.title) for step in steps if step.name.startswith(typed)]
    return []


def demo_hosts(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete the name of a host of the demo."""
    from hpcampus.demo import HOSTS

    return [CompletionItem(host.name) for host in HOSTS if host.name.startswith(typed)]


def inventories(_ctx: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete directories that are inventories; where there is none, any directory on the way to one."""
    before, slash, begun = typed.rpartition("/")
    names: list[str] = []
    with contextlib.suppress(OSError, RuntimeError):
        beside = Path(before + slash).expanduser()
        names = sorted(path.parent.name for path in beside.glob("*/hosts.yml") if path.parent.name.startswith(begun))
    return [CompletionItem(f"{before}{slash}{name}") for name in names] or [CompletionItem(typed, type="dir")]


def course_slugs(ctx: click.Context, _option: click.Parameter, typed: str) -> list[CompletionItem]:
    """Complete the short name of a course of the inventory; nothing where there is none."""
    from hpcampus.book import open_book
    from hpcampus.errors import HpcampusError
    from hpcampus.places import existing_site, find_collection
    from hpcampus.record_kinds import COURSE

    with contextlib.suppress(HpcampusError, OSError, ValueError):
        book = open_book(existing_site(Path(ctx.params.get("inventory") or "inventory")), find_collection(), None)
        found = {str(record.get("slug")): str(record.get("title", "")) for record in book.records(COURSE)}
        return [CompletionItem(slug, help=title) for slug, title in found.items() if slug.startswith(typed)]
    return []
