# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""From the request to the ready notebook, with the seconds of each leg. Needs the demo: `make demo`."""

from __future__ import annotations

import asyncio
import statistics

from hpcampus_hub.probe import run_cell
from tests.e2e.conftest import find_platform


def measure(runs: int) -> None:
    """Start a notebook again and again, one at a time."""
    platform = find_platform()
    user = "student1"
    rows = []
    for _ in range(runs):
        found = asyncio.run(run_cell(platform.url, user, platform.passwords[user], ssl_context=platform.context))
        rows.append(
            {"ready": found.ready_s, **found.legs, "kernel": found.kernel_s, "cell": found.cell_s, "stop": found.stop_s}
        )
        print("  ".join(f"{name} {seconds:5.2f}" for name, seconds in rows[-1].items()), flush=True)
    print("median of", runs)
    print("  ".join(f"{name} {statistics.median(row[name] for row in rows):5.2f}" for name in rows[0]), flush=True)
