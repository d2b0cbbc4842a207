# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The list of attempts: what was tried, what was expected, what was seen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

ELSEWHERE = {
    "The hub's API": [
        (
            "every route that JupyterHub has, with every method, about others and the hub, with the notebook's token and an own one",
            "test_hub_attempts.py",
        ),
        (
            "own rights, groups, roles and state; tokens with more scopes or roles; every attribute of the spawner as an option",
            "test_hub_attempts.py",
        ),
        ("OAuth: other clients, other addresses to return to", "test_hub_attempts.py"),
        (
            "options out of range and hostile texts by form, link and API",
            "test_hub_options.py, test_options.py (hypothesis)",
        ),
        ("the API that batchspawner brings", "test_hub_pages.py, test_isolation.py"),
    ],
    "Names": [
        (
            "every sign of a shell, Unicode, dots, lengths, names of courses and standbys; no two people share a place",
            "test_hub_names.py, test_names.py (hypothesis)",
        ),
    ],
    "The browser": [
        (
            "a script of a notebook's page reads the hub's pages, from the hub, the cache, elements, frames, workers; makes a token",
            "test_hub_origin.py",
        ),
        ("a window that it opens on the hub", "test_browser.py"),
    ],
    "The tunnel": [("31 requests that a job's certificate does not allow", "tests/unit/tunnel/refusals.py")],
    "The next job": [
        ("symbolic links where a later job mounts; trees that cannot be removed; a log without end", "test_job.py"),
        ("a standby that is handed over with a wrong secret, twice, to nobody", "test_standby.py"),
    ],
}
"""What other tests try, by area: what, and where."""


@dataclass(frozen=True)
class Row:
    """One attempt and how it ended."""

    area: str
    what: str
    expected: str
    seen: str
    good: bool


@dataclass
class Ledger:
    """All attempts of a run."""

    rows: list[Row] = field(default_factory=list)

    def write(self, path: Path) -> None:
        """Write the list as a table."""
        path.parent.mkdir(parents=True, exist_ok=True)
        bad = [row for row in self.rows if not row.good]
        lines = [
            "# What a hostile student tried",
            "",
            f"{len(self.rows)} attempts from a cell beside another student's job; {len(bad) or 'none'} went otherwise than expected.",
            "",
            "| Area | Tried | Expected | Seen | |",
            "|---|---|---|---|---|",
            *(
                _line((row.area, row.what, row.expected, row.seen, "ok" if row.good else "**NOT AS EXPECTED**"))
                for row in self.rows
            ),
            "",
            "Tried by other tests:",
            "",
            "| Area | Tried | Where |",
            "|---|---|---|",
            *(_line((area, what, where)) for area, listed in ELSEWHERE.items() for what, where in listed),
            "",
        ]
        path.write_text("\n".join(lines))


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"
