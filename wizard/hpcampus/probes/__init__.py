# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Looks at the world in the background, so that a person is asked only what cannot be found out.

Whatever a probe finds is a proposal that a person may overrule, or a line that says what was seen. A probe that fails says what it saw
and never raises.
"""

from __future__ import annotations

from hpcampus.probes.finding import Finding, Level, Line, Option, Probe
from hpcampus.probes.prober import Prober
from hpcampus.probes.registry import ALL

__all__ = ["ALL", "Finding", "Level", "Line", "Option", "Probe", "Prober"]
