# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Variables that are called something else now: found on reading, renamed in place, told to the person."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from hpcampus.yaml_files import read_plain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ruamel.yaml.comments import CommentedMap

TABLE = Path(__file__).with_name("old_names.yml")


@dataclass(frozen=True)
class NewName:
    """What a variable is called now.

    Attributes:
        name: The new name.
        since: The version that had it first.
    """

    name: str
    since: str


@dataclass(frozen=True)
class Renamed:
    """A variable that was found under its old name.

    Attributes:
        path: The file.
        old: The old name.
        new: The new one.
        dropped: Whether the file had both, so that the value of the old name went.
    """

    path: Path
    old: str
    new: NewName
    dropped: bool

    def notice(self) -> tuple[str, dict[str, object]]:
        """Give the text that tells a person, by its key and the values in it."""
        key = "records.renamed-twice" if self.dropped else "records.renamed"
        return key, {"path": self.path, "old": self.old, "new": self.new.name, "since": self.new.since}


@functools.cache
def load_names(path: Path = TABLE) -> Mapping[str, NewName]:
    """Read the table of names."""
    return {old: NewName(str(new["name"]), str(new["since"])) for old, new in read_plain(path)["names"].items()}


def rename_old(document: CommentedMap, path: Path, names: Mapping[str, NewName]) -> list[Renamed]:
    """Give variables of a document their new names, each in its place and with its comment.

    Where the document has the new name as well, its value counts, as it does for the roles.
    """
    found = []
    for old in [name for name in document if name in names]:
        new = names[old]
        dropped = new.name in document
        if dropped:
            del document[old]
        else:
            rename(document, old, new.name)
        found.append(Renamed(path, old, new, dropped))
    return found


def rename(document: CommentedMap, old: str, new: str) -> None:
    """Rename a key of a mapping, which keeps its place and its comment."""
    position = list(document).index(old)
    comment = document.ca.items.get(old)
    value = document.pop(old)
    document.insert(position, new, value)
    if comment is not None:
        document.ca.items[new] = comment
