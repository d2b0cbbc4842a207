# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The answers of a setup that was stopped, kept without secrets."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from hpcampus.answers import without_secrets
from hpcampus.files import PRIVATE_FILE, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from hpcampus.questions import Questions


def load_draft(questions: Questions, path: Path) -> dict[str, object]:
    """Read a draft; anything unreadable counts as none."""
    try:
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return without_secrets(questions, data) if isinstance(data, dict) else {}


def save_draft(questions: Questions, path: Path, values: Mapping[str, object]) -> None:
    """Keep the answers so far."""
    write_atomically(path, json.dumps(without_secrets(questions, values), indent=2) + "\n", PRIVATE_FILE)
