# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files are replaced in one move: old or new, never half."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any, Never

import pytest

from hpcampus import files


def test_mode_and_content(tmp_path: Path) -> None:
    path = tmp_path / "f"
    assert files.write_atomically(path, "one", 0o600)
    assert not files.write_atomically(path, "one", 0o600)
    assert files.write_atomically(path, b"two", 0o644)
    assert path.read_text() == "two"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_failed_write_leaves_the_old_content_and_no_litter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "f"
    path.write_text("old")

    def full(_handle: Any) -> Never:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("hpcampus.files.os.fsync", full)
    with pytest.raises(OSError, match="No space"):
        files.write_atomically(path, "new", 0o600)
    assert path.read_text() == "old"
    assert [entry.name for entry in tmp_path.iterdir()] == ["f"]


def test_a_private_directory_is_private(tmp_path: Path) -> None:
    made = files.make_private_directory(tmp_path / "a" / "b")
    assert stat.S_IMODE(made.stat().st_mode) == 0o700


def test_a_move_that_fails_puts_the_others_back(tmp_path: Path) -> None:
    old, new, blocked, never = (tmp_path / name for name in ("old", "new", "blocked", "never"))
    old.write_text("as it was")
    (blocked / "full").mkdir(parents=True)
    wanted = [files.NewFile(path, b"other", 0o600) for path in (old, new, blocked, never)]
    with pytest.raises(OSError, match="blocked"):
        files.write_together(wanted)
    assert old.read_text() == "as it was"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["blocked", "old"]
    blocked.joinpath("full").rmdir()
    blocked.rmdir()
    files.write_together(wanted)
    assert {entry.name: entry.read_text() for entry in tmp_path.iterdir()} == dict.fromkeys(
        ("old", "new", "blocked", "never"), "other"
    )
    assert stat.S_IMODE(old.stat().st_mode) == 0o600


def test_ctrl_c_between_two_moves_puts_the_others_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("one")
    real = Path.replace

    def stopped(path: Path, target: Path) -> Path:
        if target == second:
            raise KeyboardInterrupt
        return real(path, target)

    monkeypatch.setattr(Path, "replace", stopped)
    with pytest.raises(KeyboardInterrupt):
        files.write_together([files.NewFile(path, b"new", 0o644) for path in (first, second)])
    assert first.read_text() == "one"
    assert [entry.name for entry in tmp_path.iterdir()] == ["1"]
