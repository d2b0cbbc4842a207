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
