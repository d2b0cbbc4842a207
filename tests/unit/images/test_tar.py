# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Tars of the exchange: the same files give the same bytes, and no tar does harm."""

from __future__ import annotations

import io
import os
import tarfile
from typing import TYPE_CHECKING

import pytest

from .classroom import plain, special, tar_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from types import ModuleType


@pytest.fixture
def tar(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("exchange.tar")


def unpack(tar: ModuleType, directory: Path, content: bytes, **rules: object) -> tuple[list[str], list[str]]:
    """Names that came out, and names that were left out."""
    left: list[str] = []
    target = directory / "out"
    with tar.unpacked(io.BytesIO(content), target, tar.Rules(**rules), lambda name, _why: left.append(name)) as made:
        tar.put(made, target)
    return sorted(str(path.relative_to(target)) for path in target.rglob("*")), left


def test_the_same_files_give_the_same_bytes(tar: ModuleType, tmp_path: Path) -> None:
    digests = set()
    for number in (1, 2):
        path = tmp_path / str(number)
        (path / "data").mkdir(parents=True)
        for name in ("b.ipynb", "a.ipynb", "data/x")[:: 1 if number == 1 else -1]:
            (path / name).write_text("same", encoding="utf-8")
            (path / name).chmod(0o600 + number)
            os.utime(path / name, (number, number))
        with tar.packed(path, tar.Rules(), print) as packed:
            digests.add(packed.sha256)
            assert packed.notebooks == ("a", "b")
            assert len(packed.content.read()) == packed.size
    assert len(digests) == 1


def test_what_nbgrader_ignores_is_left_out(tar: ModuleType, tmp_path: Path) -> None:
    path = tmp_path / "in"
    (path / ".ipynb_checkpoints").mkdir(parents=True)
    (path / ".ipynb_checkpoints/a.ipynb").write_text("x", encoding="utf-8")
    for name, size in (("a.ipynb", 1), ("a.pyc", 1), ("big.csv", 3000), ("note.txt", 1)):
        (path / name).write_bytes(bytes(size))
    (path / "link").symlink_to("/etc/passwd")
    os.mkfifo(path / "pipe")
    left: list[str] = []
    rules = tar.Rules(ignore=(".ipynb_checkpoints", "*.pyc"), include=("*.ipynb", "*.csv"), file_kb_max=2)
    with (
        tar.packed(path, rules, lambda name, _why: left.append(name)) as packed,
        tarfile.open(fileobj=packed.content) as archive,
    ):
        assert archive.getnames() == ["a.ipynb"]
    assert left == ["big.csv", "link", "pipe"]


@pytest.mark.parametrize(
    "entry",
    [
        special("x", tarfile.SYMTYPE, "/etc/passwd"),
        special("x", tarfile.LNKTYPE, "/etc/passwd"),
        special("x", tarfile.CHRTYPE),
        special("x", tarfile.BLKTYPE),
        special("x", tarfile.FIFOTYPE),
    ],
)
def test_only_plain_files_and_directories_come_out(
    tar: ModuleType, tmp_path: Path, entry: tuple[tarfile.TarInfo, bytes]
) -> None:
    assert unpack(tar, tmp_path, tar_of(plain("a"), entry, plain("b"))) == (["a", "b"], ["x"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (tar_of(plain("/tmp/x")), "outside"),
        (tar_of(plain("../x")), "outside"),
        (tar_of(plain("a/../../x")), "outside"),
        (tar_of(plain("/".join(["d"] * 40))), "levels deep"),
        (tar_of(plain("a"), plain("a")), "one file for each name"),
        (tar_of(plain("a"), plain("a/b")), "one file for each name"),
        (tar_of(special("l", tarfile.DIRTYPE), plain("l")), "one file for each name"),
        (tar_of(plain("a", bytes(100_000)))[:60_000], "not a tar|middle"),
        (b"PK\x03\x04 some other kind of file" * 100, "not a tar"),
        (b"", "not a tar"),
        (tar_of(*[plain(str(number), b"") for number in range(20)]), "more than 10 files"),
        (tar_of(*[plain(str(number), bytes(900)) for number in range(9)]), "0.005 MB"),
    ],
)
def test_a_tar_that_is_not_fit_leaves_nothing(
    tar: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes, reason: str
) -> None:
    monkeypatch.setattr(tar, "ENTRIES_MAX", 10)
    with pytest.raises(tar.TarError, match=reason):
        unpack(tar, tmp_path / "course", content, total_kb_max=5 if "MB" in reason else 1000)
    assert list(tmp_path.rglob("*")) == [tmp_path / "course"]


def test_a_link_that_was_left_out_leads_nowhere(tar: ModuleType, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    content = tar_of(special("d", tarfile.SYMTYPE, str(outside)), plain("d/x", b"found"))
    assert unpack(tar, tmp_path, content) == (["d", "d/x"], ["d"])
    assert list(outside.iterdir()) == []


def test_what_was_there_is_replaced_as_a_whole(tar: ModuleType, tmp_path: Path) -> None:
    unpack(tar, tmp_path, tar_of(plain("old")))
    assert unpack(tar, tmp_path, tar_of(plain("new"))) == (["new"], [])
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_rights_and_owners_of_the_tar_do_not_count(tar: ModuleType, tmp_path: Path) -> None:
    entry, content = plain("run.sh", b"x")
    entry.mode, entry.uid = 0o6777, 12345
    unpack(tar, tmp_path, tar_of((entry, content)))
    status = (tmp_path / "out/run.sh").stat()
    assert (status.st_mode & 0o7777, status.st_uid) == (0o644, os.getuid())


def test_a_directory_that_is_too_deep_or_too_big_is_refused(tar: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "deep").joinpath(*["d"] * 40).mkdir(parents=True)
    with pytest.raises(tar.TarError, match="levels deep"), tar.packed(tmp_path / "deep", tar.Rules(), print):
        pass
    (tmp_path / "big").mkdir()
    (tmp_path / "big/x").write_bytes(bytes(20_000))
    rules = tar.Rules(total_kb_max=10)
    with pytest.raises(tar.TarError, match="max_dir_size"), tar.packed(tmp_path / "big", rules, print):
        pass
