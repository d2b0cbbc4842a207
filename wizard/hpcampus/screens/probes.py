# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a probe found, as lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.probes.finding import Level
from hpcampus.screens.progress import say
from hpcampus.texts import t

if TYPE_CHECKING:
    from rich.console import Console

    from hpcampus.probes import Finding

STYLES = {Level.OK: "", Level.NOTE: "yellow", Level.PROBLEM: "bold red"}
FEW = 20


def print_finding(console: Console, finding: Finding) -> None:
    """Print what was seen, what it proposes, and what there is to choose from."""
    for line in finding.lines:
        say(console, t(f"probes.level.{line.level}", text=line.text), STYLES[line.level])
    if finding.proposals:
        say(console, t("probes.proposals"))
    for key, value in finding.proposals.items():
        say(console, f"  {key} = {value}")
    for key, options in finding.options.items():
        if len(options) < 2:
            continue
        say(console, t("probes.options", name=key))
        for option in options[:FEW]:
            say(console, f"  {option.text}")
        if len(options) > FEW:
            say(console, t("probes.more", count=len(options) - FEW))
