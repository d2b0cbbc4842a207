# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Collecting: what is wrong with one submission is told, and keeps nobody else's from being collected."""

from __future__ import annotations

import logging
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from .conftest import ExchangeError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType

STAMP = "2026-01-01 10:00:00.000001 UTC"
ALLOWED_KB = 10


def hand_in(course: Path, student: str) -> Path:
    path = course / "exchange" / "physics" / "inbound" / student / f"x+ps1+{STAMP}+Zm9v"
    path.mkdir(parents=True)
    (path / "a.ipynb").write_text("{}", encoding="utf-8")
    return path


def too_big(path: Path) -> None:
    (path / "data").write_bytes(bytes(1000 * ALLOWED_KB))


def too_deep(path: Path) -> None:
    path.joinpath(*["d"] * 100).mkdir(parents=True)


def no_time(path: Path) -> None:
    (path / "timestamp.txt").write_text("yesterday", encoding="utf-8")


def collector(exchange: ModuleType, course: Path) -> Any:
    made = exchange.Collect()
    made.root = str(course / "exchange")
    made.log = logging.getLogger("collect")
    made.coursedir = SimpleNamespace(
        course_id="physics", assignment_id="ps1", student_id="", submitted=str(course / "submitted"),
        max_dir_size=ALLOWED_KB, max_file_size=ALLOWED_KB, ignore=[], include=[],
    )  # fmt: skip
    made.init_src()
    return made


def collected(course: Path) -> list[str]:
    return sorted(path.parent.parent.name for path in (course / "submitted").glob("*/ps1/a.ipynb"))


@pytest.mark.parametrize(("spoil", "reason"), [(too_big, "max_dir_size"), (too_deep, "deep")])
def test_one_that_cannot_be_collected_leaves_the_others(
    exchange: ModuleType,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    spoil: Callable[[Path], None],
    reason: str,
) -> None:
    for student in ("alice", "bob", "carol"):
        hand_in(tmp_path, student)
    spoil(hand_in(tmp_path, "anna"))
    spoil(hand_in(tmp_path, "bert"))
    with pytest.raises(ExchangeError, match=rf"Left out 2 .*anna \(.*{reason}.*bert \(.*{reason}"):
        collector(exchange, tmp_path).copy_files()
    assert collected(tmp_path) == ["alice", "bob", "carol"]
    assert not (tmp_path / "submitted" / "anna" / "ps1").exists(), "no half copy"
    assert [record.getMessage().split(":")[0] for record in caplog.records if record.levelno == logging.ERROR] == [
        "Left out anna",
        "Left out bert",
    ]


def test_one_that_cannot_be_listed_leaves_the_others(
    exchange: ModuleType, inbox: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("alice", "anna", "bob"):
        hand_in(tmp_path, student)
    listing = inbox._directories

    def closed_for_anna(path: Path) -> list[Path]:
        if path.name == "anna":
            raise PermissionError(13, "Permission denied", str(path))
        return list(listing(path))

    monkeypatch.setattr(inbox, "_directories", closed_for_anna)
    with pytest.raises(ExchangeError, match=r"Left out 1 .*anna \(Permission denied\)"):
        collector(exchange, tmp_path).copy_files()
    assert collected(tmp_path) == ["alice", "bob"]


def test_all_is_well_when_nothing_is_left_out(exchange: ModuleType, tmp_path: Path) -> None:
    for student in ("alice", "bob"):
        hand_in(tmp_path, student)
    collector(exchange, tmp_path).copy_files()
    assert collected(tmp_path) == ["alice", "bob"]


def test_the_time_is_that_of_the_submission_whatever_it_claims_inside(exchange: ModuleType, tmp_path: Path) -> None:
    no_time(hand_in(tmp_path, "alice"))
    (hand_in(tmp_path, "bob") / "timestamp.txt").mkdir()
    collector(exchange, tmp_path).copy_files()
    for student in ("alice", "bob"):
        text = (tmp_path / "submitted" / student / "ps1" / "timestamp.txt").read_text(encoding="utf-8")
        assert text == STAMP + "\n"
