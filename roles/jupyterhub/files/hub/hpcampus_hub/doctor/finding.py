# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the doctor finds, as frozen data."""

import enum
from dataclasses import dataclass


class Verdict(enum.StrEnum):
    """How a leg is."""

    OK = "ok"
    WARNING = "warning"
    BROKEN = "broken"
    NOT_TRIED = "not tried"

    @property
    def carries(self) -> bool:
        """Whether what lies behind the leg can be tried."""
        return self in {Verdict.OK, Verdict.WARNING}


@dataclass(frozen=True)
class Said:
    """What one leg has to say: its verdict, what was seen, and the cure (empty when there is nothing to cure)."""

    verdict: Verdict
    seen: str
    cure: str = ""


@dataclass(frozen=True)
class Finding:
    """A leg of the walk with what it said.

    Args:
        leg: the leg's name in the catalogue.
        cluster: the cluster's name, or "" for a leg of the hub.
        verdict: how it is.
        seen: what was seen, one line.
        cure: what to do, one line; empty when there is nothing to do.
        seconds: how long it took.
    """

    leg: str
    cluster: str
    verdict: Verdict
    seen: str
    cure: str
    seconds: float
