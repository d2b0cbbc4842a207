# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Was die Proben sahen."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "probe.failed": "{probe}: war nicht anzusehen: {problem}",
    "probe.too-long": "{probe}: dauerte länger als {seconds} s",
}
