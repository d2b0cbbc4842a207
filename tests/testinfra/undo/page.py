# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The page docs/undo.md, for tests that run its commands."""

from __future__ import annotations

import re
from pathlib import Path

PAGE = Path(__file__).parents[3] / "docs/undo.md"


def blocks(heading: str) -> str:
    """Return the commands below a heading of the page."""
    section = PAGE.read_text(encoding="utf-8").split(f"\n## {heading}\n")[1].split("\n## ")[0]
    return "\n".join(re.findall(r"^```\n(.*?)^```$", section, re.MULTILINE | re.DOTALL))
