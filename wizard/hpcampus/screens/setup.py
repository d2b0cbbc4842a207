# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What setup prints at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.screens.progress import say
from hpcampus.texts import t

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

    from hpcampus.screens.dialogue import Dialogue
    from hpcampus.setup import Outcome


def make_asker(console: Console, *, plain: bool) -> Dialogue:
    """Choose how to ask: with the arrow keys, or in plain lines."""
    if plain or console.is_dumb_terminal:
        from hpcampus.screens.plain import Plain  # noqa: PLC0415 -- one of the two is needed

        return Plain(console)
    from hpcampus.screens.prompts import Terminal  # noqa: PLC0415

    return Terminal(console)


def print_outcome(console: Console, outcome: Outcome, options: str, record: Path | None = None) -> None:
    """Print which files were written and what comes next.

    Args:
        console: Where to.
        outcome: What setup did.
        options: What the next command needs to reach the same site.
        record: Where the answers were recorded.
    """
    if record is not None and outcome.answers:
        say(console, t("setup.recorded", path=record))
    if not outcome.written:
        for line in outcome.changes.splitlines():
            say(console, line)
        say(console, t("setup.dry-run" if outcome.answers else "setup.left"))
        return
    if outcome.node is not None:
        say(console, t("setup.probe-sizes", cpus=outcome.node.cpus, memory=outcome.node.memory_mb))
    if outcome.probe_problem:
        say(console, t("setup.probe-failed", problem=outcome.probe_problem), "yellow")
    for path, changed in outcome.written.items():
        say(console, t("setup.written" if changed else "setup.unchanged", path=path))
    if outcome.backup is not None:
        say(console, t("setup.backup", files=", ".join(str(path) for path in outcome.kept), path=outcome.backup))
    if outcome.accounts:
        say(console, t("setup.accounts"), "bold")
    for account in outcome.accounts:
        say(console, t("setup.account", name=account.name, password=account.password, course=account.course))
    say(console, t("setup.vault-key", path=outcome.vault_key), "bold")
    say(console, t("setup.next", inventory=options))


def print_addresses(console: Console, outcome: Outcome, options: str) -> None:
    """Print where the platform is, who may log in first, and what comes after the installation."""
    answers = outcome.answers
    say(console, t("setup.address", name=answers["hub_name"]), "bold")
    say(console, t("setup.first-login", admin=answers["admin_name"]))
    say(console, t("setup.later", inventory=options))
