# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a person should look at in a submission, kept beside the gradebook in the course's directory; students never see it.

``.hpcampus/flags/ASSIGNMENT/STUDENT.json`` is an object with ``flags``, a list of objects with ``notebook``, ``kind`` and ``text``.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

FOLDER = Path(".hpcampus", "flags")
NOT_RUN, STRUCTURE, TESTS, CODE, LEAK = "not-run", "structure", "tests", "code", "leak"
"""Kinds: it did not run to its end; its cells were changed; its tests did not work; its code is suspicious; it shows hidden tests."""


@dataclass(frozen=True)
class Flag:
    """One thing to look at; ``notebook`` is "" when it is not about a single one."""

    notebook: str
    kind: str
    text: str


def path_of(root: str | Path, assignment: str, student: str) -> Path:
    """Where the flags of a submission are kept; names are nbgrader's, which have no slash."""
    return Path(root, FOLDER, assignment, f"{student}.json")


def write_flags(root: str | Path, assignment: str, student: str, flags: Sequence[Flag]) -> None:
    """Keep the flags of a submission, in place of those of an earlier run."""
    path = path_of(root, assignment, student)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    partial.write_text(json.dumps({"flags": [asdict(one) for one in flags]}, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


def read_flags(root: str | Path, assignment: str, student: str) -> list[Flag]:
    """The flags of a submission; none when it was never run, or has none."""
    try:
        found = json.loads(path_of(root, assignment, student).read_text(encoding="utf-8"))
        return [Flag(str(one["notebook"]), str(one["kind"]), str(one["text"])) for one in found["flags"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
