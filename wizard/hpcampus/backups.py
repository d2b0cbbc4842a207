# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Copies of what is replaced in an inventory, one directory for each time, the newest twenty."""

from __future__ import annotations

import re
import shutil
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from hpcampus.files import PRIVATE_FILE, make_private_directory, write_atomically

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

KEPT = 20
NAME = re.compile(r"\d{8}T\d{6}Z(-\d+)?")


def keep(directory: Path, contents: Mapping[Path, bytes]) -> Path:
    """Write copies into a new directory that is named for the time.

    Args:
        directory: Where the directories are.
        contents: By path relative to the inventory, what to keep; secrets are encrypted already.

    Returns:
        The new directory.

    Raises:
        OSError: It cannot be written; what was written of it is gone again.
    """
    make_private_directory(directory)
    place = make_private_directory(_free(directory, f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"))
    try:
        for path, data in contents.items():
            for parent in reversed(path.parents):
                make_private_directory(place / parent)
            write_atomically(place / path, data, PRIVATE_FILE)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    return place


def _free(directory: Path, time: str) -> Path:
    """Give a name that is newer than all that are there, also within one second."""
    numbers = [_age(path)[1] for path in _ours(directory) if _age(path)[0] == time]
    return directory / (f"{time}-{max(numbers) + 1}" if numbers else time)


def _ours(directory: Path) -> list[Path]:
    return [path for path in directory.iterdir() if NAME.fullmatch(path.name)]


def _age(path: Path) -> tuple[str, int]:
    time, _, number = path.name.partition("-")
    return time, int(number or 1)


def forget_old(directory: Path) -> None:
    """Remove all but the newest; what somebody else put there stays."""
    for path in sorted(_ours(directory), key=_age)[:-KEPT]:
        shutil.rmtree(path, ignore_errors=True)
