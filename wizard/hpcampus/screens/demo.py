# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the demo prints: how to get in, what runs, how to undo it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.screens.progress import say
from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console

    from hpcampus.demo import Account
    from hpcampus.lab import HostStatus


def print_access(console: Console, url: str, accounts: Sequence[Account], inventory: Path) -> None:
    """Print address, accounts, how to go on and how to undo."""
    say(console, "")
    say(console, t("demo.open", url=url), "bold")
    say(console, t("demo.accounts"))
    for account in accounts:
        role, _, course = account.role.partition(" ")
        text = t(f"demo.role.{role}", course=course)
        say(console, t("demo.account", name=account.name, password=account.password, role=text))
    say(console, t("demo.go-on", inventory=inventory))
    say(console, t("demo.undo"))


def print_status(console: Console, statuses: Sequence[HostStatus], url: str) -> None:
    """Print each container with its state."""
    if all(status.state == "missing" for status in statuses):
        say(console, t("demo.status-none"))
        say(console, t("demo.status-start"))
        return
    say(console, t("demo.status-title"))
    for status in statuses:
        say(
            console,
            t("demo.status-row", name=status.name, state=t(f"demo.state.{status.state}"), address=status.address),
        )
    say(console, t("demo.open", url=url))
