# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The inbound directory: who submitted is the directory's name, and nothing but plain files is copied out of it."""

from __future__ import annotations

import os
from datetime import datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

EARLY = "2026-01-01 10:00:00.000001 UTC"
LATE = "2026-01-03 10:00:00.000001 UTC"
DUE = datetime(2026, 1, 2)  # noqa: DTZ001 - nbgrader's naive UTC


def submit(inbound: Path, student: str, stamp: str, *, claim: str = "account", assignment: str = "ps1") -> Path:
    path = inbound / student / f"{claim}+{assignment}+{stamp}+Zm9vYmFy"
    path.mkdir(parents=True)
    (path / "problem.ipynb").write_text("{}", encoding="utf-8")
    return path


def keep_all(_directory: str, _names: list[str]) -> set[str]:
    return set()


def test_student_is_the_directory_whatever_the_submission_claims(inbox: ModuleType, tmp_path: Path) -> None:
    submit(tmp_path, "alice", EARLY, claim="bob")
    (found,) = inbox.submissions(tmp_path, assignment_id="ps1")
    assert found.student_id == "alice"


def test_submissions_are_filtered_by_student_and_assignment(inbox: ModuleType, tmp_path: Path) -> None:
    submit(tmp_path, "alice", EARLY)
    submit(tmp_path, "bob", EARLY)
    submit(tmp_path, "bob", LATE, assignment="ps2")
    assert [one.student_id for one in inbox.submissions(tmp_path, assignment_id="ps1")] == ["alice", "bob"]
    assert [one.assignment_id for one in inbox.submissions(tmp_path, "bob")] == ["ps1", "ps2"]
    assert list(inbox.submissions(tmp_path, "carol")) == []


def test_links_and_files_are_no_submissions(inbox: ModuleType, tmp_path: Path) -> None:
    elsewhere = submit(tmp_path / "elsewhere", "mallory", EARLY)
    inbound = tmp_path / "inbound"
    (inbound / "alice").mkdir(parents=True)
    (inbound / "alice" / f"x+ps1+{LATE}").symlink_to(elsewhere)
    (inbound / "bob").symlink_to(elsewhere.parent)
    (inbound / f"x+ps1+{EARLY}").write_text("", encoding="utf-8")
    assert list(inbox.submissions(inbound)) == []


def test_newest_counts_without_a_due_date(inbox: ModuleType, tmp_path: Path) -> None:
    submit(tmp_path, "alice", EARLY)
    newest = submit(tmp_path, "alice", LATE)
    (chosen,) = inbox.latest(inbox.submissions(tmp_path))
    assert chosen.path == newest


def test_newest_in_time_counts_with_a_due_date(inbox: ModuleType, tmp_path: Path) -> None:
    early = submit(tmp_path, "alice", EARLY)
    submit(tmp_path, "alice", LATE)
    late = submit(tmp_path, "bob", LATE)
    chosen = inbox.latest(inbox.submissions(tmp_path), DUE)
    assert [one.path for one in chosen] == [early, late]


@pytest.mark.parametrize(
    "name",
    ["", "ps1", "a+ps1", "a+ps1+yesterday UTC", f"a+ps1+{EARLY[:-4]}", "a+ps1+2026-13-01 10:00:00.0 UTC", "a+b+c+d+e"],
)
def test_names_that_are_no_submission(inbox: ModuleType, name: str) -> None:
    assert inbox.parse_name(name) is None


def test_user_names_may_hold_a_plus_sign(inbox: ModuleType) -> None:
    parsed = inbox.parse_name(f"a+b@example.org+ps1+{EARLY}+Zm9v")
    assert parsed is not None
    assert parsed[0] == "ps1"


@given(name=st.text(alphabet=st.characters(exclude_characters="/\0")))
def test_no_name_makes_the_parser_fail(inbox: ModuleType, name: str) -> None:
    parsed = inbox.parse_name(name)
    assert parsed is None or isinstance(parsed[1], datetime)


def test_copy_takes_plain_files_only(inbox: ModuleType, tmp_path: Path) -> None:
    secret = tmp_path / "hidden-tests"
    secret.mkdir()
    (secret / "answers").write_text("42", encoding="utf-8")
    source = submit(tmp_path / "inbound", "alice", EARLY)
    (source / "data").mkdir()
    (source / "data" / "table.csv").write_text("1", encoding="utf-8")
    (source / "peek").symlink_to(secret / "answers")
    (source / "data" / "all").symlink_to(secret)
    os.mkfifo(source / "wait-for-ever")
    refused: list[str] = []

    inbox.copy_plain(source, tmp_path / "copy", keep_all, lambda path: refused.append(path.name))

    copied = sorted(str(path.relative_to(tmp_path / "copy")) for path in (tmp_path / "copy").rglob("*"))
    assert copied == ["data", "data/table.csv", "problem.ipynb"]
    assert sorted(refused) == ["all", "peek", "wait-for-ever"]


def test_copy_leaves_out_what_is_ignored(inbox: ModuleType, tmp_path: Path) -> None:
    source = submit(tmp_path / "inbound", "alice", EARLY)
    (source / ".cache").mkdir()
    (source / ".cache" / "x").write_text("", encoding="utf-8")
    inbox.copy_plain(source, tmp_path / "copy", lambda _directory, names: {".cache"} & set(names), pytest.fail)
    assert [path.name for path in (tmp_path / "copy").iterdir()] == ["problem.ipynb"]


def test_copy_of_a_directory_that_nests_too_deep_leaves_nothing(inbox: ModuleType, tmp_path: Path) -> None:
    allowed = submit(tmp_path / "inbound", "alice", EARLY)
    allowed.joinpath(*["d"] * inbox.DEPTH_MAX).mkdir(parents=True)
    inbox.copy_plain(allowed, tmp_path / "alice", keep_all, pytest.fail)
    refused = submit(tmp_path / "inbound", "bob", EARLY)
    refused.joinpath(*["d"] * (inbox.DEPTH_MAX + 1)).mkdir(parents=True)
    with pytest.raises(OSError, match="deep"):
        inbox.copy_plain(refused, tmp_path / "bob", keep_all, pytest.fail)
    assert (tmp_path / "alice").exists()
    assert not (tmp_path / "bob").exists()


def test_directory_that_cannot_be_read_is_told_and_the_others_are_listed(
    inbox: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for student in ("alice", "bob", "carol"):
        submit(tmp_path, student, EARLY)
    listing = inbox._directories

    def closed_for_alice(path: Path) -> list[Path]:  # root reads everything, so that a mode would prove nothing
        if path.name == "alice":
            raise PermissionError(13, "Permission denied", str(path))
        return list(listing(path))

    monkeypatch.setattr(inbox, "_directories", closed_for_alice)
    told: list[str] = []
    found = inbox.submissions(tmp_path, unreadable=lambda student, error: told.append(f"{student}: {error.strerror}"))
    assert [one.student_id for one in found] == ["bob", "carol"]
    assert told == ["alice: Permission denied"]
