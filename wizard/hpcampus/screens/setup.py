# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What setup prints at its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.screens.progress import say
from hpcampus.texts import t

if TYPE_CHECKING:
    from rich.console import Console

    from hpcampus.setup import Outcome


def print_outcome(console: Console, outcome: Outcome, inventory: str) -> None:
    """Print which files were written and what comes next."""
    if not outcome.written:
        say(console, t("setup.left"))
        return
    if outcome.node is not None:
        say(console, t("setup.probe-sizes", cpus=outcome.node.cpus, memory=outcome.node.memory_mb))
    if outcome.probe_problem:
        say(console, t("setup.probe-failed", problem=outcome.probe_problem), "yellow")
    for path, changed in outcome.written.items():
        say(console, t("setup.written" if changed else "setup.unchanged", path=path))
    if outcome.accounts:
        say(console, t("setup.accounts"), "bold")
    for account in outcome.accounts:
        say(console, t("setup.account", name=account.name, password=account.password, course=account.course))
    say(console, t("setup.vault-key", path=outcome.vault_key), "bold")
    say(console, t("setup.next", inventory=inventory))
