# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What writing the inventory would change on disk, as text. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from hpcampus.texts import t

if TYPE_CHECKING:
    from collections.abc import Sequence

    from hpcampus.inventory_files import Difference


def describe(found: Sequence[Difference]) -> str:
    """Give the differences as a person reads them: unified diffs, and of files with secrets the names alone."""
    return "\n".join(_one(difference) for difference in found)


def _one(difference: Difference) -> str:
    if difference.text:
        return difference.text
    rows = [
        (t("changes.added"), difference.added),
        (t("changes.changed"), difference.changed),
        (t("changes.removed"), difference.removed),
    ]
    parts = [t("changes.names", what=what, names=", ".join(names)) for what, names in rows if names]
    return t("changes.secrets", path=difference.path, changes="; ".join(parts))
