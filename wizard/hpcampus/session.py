# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person's sitting with one site: what every run in it shares."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from hpcampus.apply import Options

if TYPE_CHECKING:
    from pathlib import Path

    from hpcampus.places import Site


@dataclass(frozen=True)
class Session:
    """What every run of a sitting shares.

    Attributes:
        site: The site.
        collection: Root of the collection.
        options: Key of the vault and password for sudo; nothing else is chosen in it.
        again: Options of the command line that lead to the same site, each with a space before it.
        plain: Whether to print plain lines and numbered choices, as for a screen reader.
    """

    site: Site
    collection: Path
    options: Options = field(default_factory=Options)
    again: str = ""
    plain: bool = False
