# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The second run changes nothing and restarts nothing."""

from __future__ import annotations

from typing import Any


def test_second_run_changes_nothing(read_proof: Any) -> None:
    rows = read_proof("changes-second-run")
    assert rows
    assert [row for row in rows if row["outcome"] == "changed"] == []


def test_second_run_keeps_every_process(read_proof: Any) -> None:
    before, after = read_proof("units-after-converge"), read_proof("units-after-second-run")
    assert before == after
    assert all("ssh.service" in seen for seen in before.values())


def test_no_unit_has_failed(read_proof: Any) -> None:
    units = read_proof("units-after-second-run")
    failed = [
        (host, name) for host, seen in units.items() for name, state in seen.items() if state.startswith("failed")
    ]
    assert failed == []
