# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""All probes, in the order in which their proposals count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from hpcampus.probes.finding import Probe

ALL: Final[tuple[Probe, ...]] = ()
