# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What probes say of what they saw."""

from __future__ import annotations

from typing import Final

TEXTS: Final[dict[str, str]] = {
    "probe.failed": "{probe}: the look failed: {problem}",
    "probe.too-long": "{probe}: took longer than {seconds} s",
}
