# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What `--check` on the bare hosts promised, held against what the real run did."""

from __future__ import annotations

from typing import Any

Rows = list[dict[str, str]]


def _is_part_of_a_role(row: dict[str, str]) -> bool:
    return row["kind"] == "task"


def _changed(rows: Rows) -> set[tuple[str, str]]:
    """Return host and place of every task that changed something; handlers follow from those."""
    return {(r["host"], r["where"]) for r in rows if r["outcome"] == "changed" and _is_part_of_a_role(r)}


def _describe(rows: Rows, found: set[tuple[str, str]]) -> list[str]:
    return sorted({f"{r['host']}: {r['role']}: {r['task']}" for r in rows if (r["host"], r["where"]) in found})


def test_check_mode_writes_nothing(read_proof: Any) -> None:
    before, after = read_proof("files-before-check"), read_proof("files-after-check")
    assert before.keys() == after.keys()
    for host, seen in before.items():
        assert len(seen) > 500, f"hardly a file was seen on {host}"
        differences = sorted(p for p in seen.keys() | after[host].keys() if seen.get(p) != after[host].get(p))
        assert differences == [], host


def test_check_mode_tells_no_lie(read_proof: Any) -> None:
    """A task that says "ok" with --check must not change anything in the real run."""
    check, real = read_proof("changes-check"), read_proof("changes-converge")
    promised_nothing = {(r["host"], r["where"]) for r in check if r["outcome"] == "ok"} - _changed(check)
    assert _describe(real, promised_nothing & _changed(real)) == []


def test_check_mode_announces_what_the_real_run_changes(read_proof: Any) -> None:
    """Whatever part of a role changes a host has said so beforehand: by the task itself or by one that announces it."""
    check, real = read_proof("changes-check"), read_proof("changes-converge")
    announced = {(r["host"], _part(r)) for r in check if r["outcome"] == "changed"}
    changed = {(r["host"], _part(r)) for r in real if r["outcome"] == "changed" and _is_part_of_a_role(r)}
    assert changed
    assert sorted(changed - announced) == []


def _part(row: dict[str, str]) -> str:
    """Return the file of tasks that a task stands in, such as `roles/apache/tasks/install.yml`."""
    return row["where"].rpartition(":")[0].rpartition("/platform/")[2]
