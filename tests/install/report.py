# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the installs measured, for people: artifacts/install.md."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.contract.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

ARTIFACTS = ROOT / "artifacts"
SCREENS = ARTIFACTS / "screens"
FACTS = ARTIFACTS / "install"
HEAD = """\
# Sites that the command installed on bare test hosts

Wall time runs from the start of `hpcampus setup` to the end of `hpcampus verify`. Screens are in `artifacts/screens`.

| Measured | %s |
|---|%s
"""


def write(site: str, facts: Mapping[str, object]) -> None:
    """Keep what was measured of a site, and write the page of all sites that were measured."""
    FACTS.mkdir(parents=True, exist_ok=True)
    (FACTS / f"{site}.json").write_text(json.dumps(facts, indent=1), encoding="utf-8")
    sites = {path.stem: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FACTS.glob("*.json"))}
    rows = dict.fromkeys(name for found in sites.values() for name in found)
    page = HEAD % (" | ".join(sites), "---|" * len(sites))
    for row in rows:
        page += f"| {row} | {' | '.join(str(found.get(row, '')) for found in sites.values())} |\n"
    (ARTIFACTS / "install.md").write_text(page, encoding="utf-8")
