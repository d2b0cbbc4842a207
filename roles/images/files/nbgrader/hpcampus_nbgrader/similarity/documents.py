# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What students have typed, out of the notebooks that were collected; these may hold anything, and be of any size."""

from __future__ import annotations

import json
import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTEBOOK_BYTES_MAX = 20 << 20
CODE_MAX = 30_000
"""Characters of a student's code in one notebook; what is behind them is not compared."""


class UnreadableError(Exception):
    """A notebook cannot be compared; the text says why."""


@dataclass(frozen=True)
class Released:
    """A notebook as it was handed out.

    Attributes:
        name: Of the notebook, without its ending.
        language: Of its code, by the name that pygments has for it.
        code: All its code, which nobody has typed.
        sources: The text of each of its code cells.
        locked: Names of the cells that a student may not change.
    """

    name: str
    language: str
    code: str
    sources: frozenset[str]
    locked: frozenset[str]


@dataclass(frozen=True)
class Document:
    """What a student has typed into a notebook; ``is_cut`` when there was more than is compared."""

    student: str
    notebook: str
    code: str
    is_cut: bool = False


@dataclass(frozen=True)
class Unread:
    """A submitted notebook that is not compared, and why."""

    student: str
    notebook: str
    reason: str


def released_notebooks(root: Path, assignment: str) -> list[Released]:
    """The notebooks of an assignment, in the version for students.

    Raises:
        UnreadableError: There is none, or one of them cannot be read.
    """
    folder = root / "release" / assignment
    found = [_released(path) for path in sorted(folder.glob("*.ipynb"))]
    if not found:
        raise UnreadableError(f"{folder} has no notebook: generate the assignment first.")
    return found


def _released(path: Path) -> Released:
    try:
        notebook = read_notebook(path)
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from error
    cells = list(code_cells(notebook))
    metadata = _mapping(notebook.get("metadata"))
    names = (
        _mapping(metadata.get("kernelspec")).get("language"),
        _mapping(metadata.get("language_info")).get("name"),
    )
    language = next((name for name in names if isinstance(name, str) and name), "python")
    locked = {
        name for name, own, _ in cells if name and not own.get("solution") and (own.get("locked") or own.get("grade"))
    }
    sources = frozenset(source.strip() for _, _, source in cells)
    return Released(path.stem, language, "\n".join(source for *_, source in cells), sources, frozenset(locked))


def submitted(root: Path, assignment: str, notebooks: list[Released]) -> Iterator[Document | Unread]:
    """What each student has typed into each notebook of the newest collected submission; nothing for one that is not there."""
    for folder in sorted((root / "submitted").glob("*/")):
        place = folder / assignment
        if folder.is_symlink() or place.is_symlink() or not place.is_dir():
            continue
        for released in notebooks:
            path = place / f"{released.name}.ipynb"
            if not os.path.lexists(path):
                continue
            try:
                yield typed(folder.name, released, read_notebook(path))
            except UnreadableError as error:
                yield Unread(folder.name, released.name, str(error))


def typed(student: str, released: Released, notebook: dict[str, Any]) -> Document:
    """What a student has typed: all code but cells that are locked, or as they were handed out."""
    sources = [
        source
        for name, _, source in code_cells(notebook)
        if name not in released.locked and source.strip() not in released.sources
    ]
    code = "\n".join(sources)
    return Document(student, released.name, code[:CODE_MAX], len(code) > CODE_MAX)


def read_notebook(path: Path) -> dict[str, Any]:
    """Read a notebook that may be anything.

    Raises:
        UnreadableError: It is no plain file of a moderate size, or no notebook.
    """
    try:
        opened = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        with os.fdopen(opened, "rb") as file:
            about = os.fstat(opened)
            if not stat.S_ISREG(about.st_mode):
                raise UnreadableError("It is no ordinary file.")
            if about.st_size > NOTEBOOK_BYTES_MAX:
                raise UnreadableError(f"It has more than {NOTEBOOK_BYTES_MAX >> 20} MB.")
            found = json.loads(file.read(NOTEBOOK_BYTES_MAX + 1))
    except OSError as error:
        raise UnreadableError(f"It cannot be opened: {error.strerror}.") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError("It is no notebook: it is not JSON.") from error
    if not isinstance(found, dict) or not isinstance(found.get("cells"), list):
        raise UnreadableError("It is no notebook of format 4: it has no list of cells.")
    return found


def code_cells(notebook: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Name, nbgrader's part of the metadata, and source of each code cell; a cell that is none is passed over."""
    for cell in notebook["cells"]:
        if not isinstance(cell, dict) or cell.get("cell_type") != "code":
            continue
        source = cell.get("source", "")
        if isinstance(source, list):
            source = "".join(line for line in source if isinstance(line, str))
        own = _mapping(_mapping(cell.get("metadata")).get("nbgrader"))
        name = own.get("grade_id")
        if isinstance(source, str):
            yield name if isinstance(name, str) else "", own, source


def _mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
