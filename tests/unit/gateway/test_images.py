# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Images that the hub sends: what is taken, what is refused, and that the old one stays until the new one is whole."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateway.loading import FILES, load

images, errors = load("hpcampus_gateway.images"), load("hpcampus_gateway.errors")


def sif(filling: bytes = b"one") -> bytes:
    return b"#!/usr/bin/env run-singularity\n".ljust(32, b"\x00") + b"SIF_MAGIC\x00" + filling * 1000


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def send(base: Path, data: bytes, *, name: str = "notebook", digest: str = "", size: int = 0) -> list[str]:
    said: list[str] = []
    images.receive(str(base), name, digest or sha256(data), size or len(data), io.BytesIO(data), said.append)
    return said


def files(base: Path) -> list[str]:
    return sorted(str(path.relative_to(base)) for path in base.rglob("*") if path.is_symlink() or path.is_file())


def test_an_image_is_published_and_listed(tmp_path: Path) -> None:
    data = sif()
    assert [line.split(": ")[1].split(" ")[0] for line in send(tmp_path, data)] == ["receiving", "received"]
    assert (tmp_path / "images/notebook.sif").read_bytes() == data
    assert str((tmp_path / "images/notebook.sif").readlink()) == f"notebook/{sha256(data)}.sif"
    assert images.listed(str(tmp_path)) == [
        {"name": "notebook", "sha256": sha256(data), "size_bytes": len(data)},
    ]


def test_a_new_version_takes_the_name_and_the_old_file_stays(tmp_path: Path) -> None:
    old, new = sif(b"old"), sif(b"new")
    send(tmp_path, old)
    with (tmp_path / "images/notebook.sif").open("rb") as running:
        send(tmp_path, new)
        assert running.read() == old
    assert (tmp_path / "images/notebook.sif").read_bytes() == new
    assert len(files(tmp_path)) == 3
    # Back to the old one: it is here already, and nothing of it is read.
    assert send(tmp_path, old) == ["notebook: this version is here already"]
    assert (tmp_path / "images/notebook.sif").read_bytes() == old


@pytest.mark.parametrize(
    ("data", "announced", "words"),
    [
        (sif(), {"size": len(sif()) + 1}, "ended 1 bytes too early"),
        (sif(), {"size": len(sif()) - 1}, "goes on after"),
        (sif(), {"digest": "0" * 64}, "does not have the hash"),
        (b"#!/bin/sh\n" + b"x" * 100, {}, "not an image"),
        (b"x", {}, "not an image"),
    ],
)
def test_what_is_not_as_announced_changes_nothing(
    tmp_path: Path, data: bytes, announced: dict[str, Any], words: str
) -> None:
    send(tmp_path, sif(b"old"))
    before = files(tmp_path)
    with pytest.raises(images.ImageError, match=words):
        send(tmp_path, data, **announced)
    assert files(tmp_path) == before
    assert (tmp_path / "images/notebook.sif").read_bytes() == sif(b"old")


def test_a_size_beyond_every_image_is_refused_before_a_byte_is_read(tmp_path: Path) -> None:
    with pytest.raises(errors.BadRequestError, match="bytes at most"):
        images.receive(str(tmp_path), "big", "0" * 64, images.IMAGE_MAX_BYTES + 1, None, print)
    assert files(tmp_path) == []


def test_a_full_quota_is_told_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_handle: int) -> None:
        raise OSError(122, "Disk quota exceeded")

    monkeypatch.setattr(images.os, "fsync", full)
    with pytest.raises(images.ImageError, match=r"Disk quota exceeded.*quota is used up"):
        send(tmp_path, sif())
    assert files(tmp_path) == []


@pytest.mark.parametrize("place", ["images", "images/notebook"])
def test_no_link_leads_out(tmp_path: Path, place: str) -> None:
    base, outside = tmp_path / "base", tmp_path / "outside"
    outside.mkdir()
    (base / place).parent.mkdir(parents=True)
    (base / place).symlink_to(outside)
    with pytest.raises(images.ImageError, match="is a link"):
        send(base, sif())
    assert files(outside) == []


def test_what_was_cut_off_long_ago_is_removed(tmp_path: Path) -> None:
    (tmp_path / "images/notebook").mkdir(parents=True)
    old, young = tmp_path / "images/notebook/a.sif.1.part", tmp_path / "images/notebook/b.sif.2.part"
    for path in (old, young):
        path.write_bytes(b"x")
    os.utime(old, (1, 1))
    send(tmp_path, sif())
    assert not old.exists()
    assert young.exists()


def test_images_of_another_making_are_listed_without_a_hash(tmp_path: Path) -> None:
    (tmp_path / "images/r").mkdir(parents=True)
    (tmp_path / "images/r/0123456789abcdef.sif").write_bytes(sif())
    (tmp_path / "images/r.sif").symlink_to("r/0123456789abcdef.sif")
    (tmp_path / "images/gone.sif").symlink_to("gone/x.sif")
    (tmp_path / "images/plain.sif").write_bytes(b"1")
    assert [(entry["name"], entry["sha256"]) for entry in images.listed(str(tmp_path))] == [("plain", ""), ("r", "")]


def test_the_word_is_read() -> None:
    assert images.parse_word(f"image a-1 {'0' * 64} 17") == ("a-1", "0" * 64, 17)


@given(
    st.one_of(
        st.sampled_from(
            [
                "image",
                f"image ../x {'0' * 64} 1",
                f"image a/b {'0' * 64} 1",
                f"image a {'0' * 63} 1",
                f"image a {'G' * 64} 1",
                f"image a {'0' * 64} 0",
                f"image a {'0' * 64} -1",
                f"image a {'0' * 64} 1\n",
                f"image a {'0' * 64} 1; id",
                f" image a {'0' * 64} 1",
                f"image  a {'0' * 64} 1",
                f"image $(id) {'0' * 64} 1",
            ]
        ),
        st.text(),
    )
)
def test_every_other_word_is_none(command: str) -> None:
    assert images.parse_word(command) is None


@pytest.fixture
def config_file(tmp_path: Path) -> Path:
    """A configuration whose base directory is inside the test's own."""
    assert re.fullmatch(r"(/[A-Za-z0-9_][A-Za-z0-9._-]{0,63}){1,8}", str(tmp_path))
    path = tmp_path / "gateway.json"
    path.write_text(
        json.dumps(
            {
                "hub_id": "hub",
                "base_dir": str(tmp_path),
                "partitions": [],
                "apptainer": "apptainer",
                "take_images": True,
            }
        )
    )
    return path


def door(config_file: Path, word: str, data: bytes) -> subprocess.CompletedProcess[bytes]:
    """The forced command as sshd starts it."""
    argv = [sys.executable, "-I", str(FILES / "gateway.py"), "--config", str(config_file)]
    env = {"SSH_ORIGINAL_COMMAND": word}
    return subprocess.run(argv, input=data, env=env, capture_output=True, check=False)


def test_the_forced_command_takes_an_image(config_file: Path) -> None:
    data = sif()
    word = f"image notebook {sha256(data)} {len(data)}"
    done = door(config_file, word, data)
    assert (done.returncode, done.stderr) == (0, b"")
    assert b"receiving 0 MB" in done.stdout
    assert (config_file.parent / "images/notebook.sif").read_bytes() == data
    cut = door(config_file, f"image notebook {'1' * 64} {len(data)}", data[:100])
    assert cut.returncode == 1
    assert cut.stderr.startswith(b"gateway: what was sent ended")
    assert (config_file.parent / "images/notebook.sif").read_bytes() == data


def test_where_images_are_built_none_is_taken(config_file: Path) -> None:
    data = json.loads(config_file.read_text())
    config_file.write_text(json.dumps({**data, "take_images": False}))
    done = door(config_file, f"image notebook {sha256(sif())} {len(sif())}", sif())
    assert (done.returncode, done.stderr[:7]) == (77, b"refused")
    assert not (config_file.parent / "images").exists()


def test_the_probe_lists_images_whatever_slurm_says(config_file: Path) -> None:
    send(config_file.parent, sif())
    done = door(config_file, "probe", b"")
    report = json.loads(done.stdout)
    assert report["images"][0]["sha256"] == sha256(sif())
    assert (done.returncode == 0) is report["ok"]


def test_a_missing_configuration_is_told(tmp_path: Path) -> None:
    done = door(tmp_path / "none.json", "probe", b"")
    assert done.returncode == 78
    assert b"none.json" in done.stderr
