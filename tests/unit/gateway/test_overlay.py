# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person's own packages in one file: made, locked, repaired, put aside, and never somebody else's. With the real e2fsprogs."""

import errno
import fcntl
import os
import re
import shutil
import stat
import struct
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.loading import FILES, load

overlay = load("hpcampus_job.overlay")
storage = load("hpcampus_job.storage")

IMAGE = "notebook"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A base directory of alice and bob, with an Apptainer that can mount anything."""
    for user in ("alice", "bob"):
        (tmp_path / "base" / "users" / user / "home").mkdir(parents=True)
    (tmp_path / "private").mkdir()
    apptainer(tmp_path, "exit 0")
    return tmp_path / "base"


def apptainer(tmp_path: Path, script: str) -> None:
    path = tmp_path / "apptainer"
    path.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/called\n{script}\n')
    path.chmod(0o755)


def spawn(base: Path, user: str = "alice", server: str = "", size: int = 64) -> dict[str, Any]:
    return {
        "user_id": user,
        "server_id": server,
        "image": IMAGE,
        "overlay_mb": size,
        "apptainer": str(base.parent / "apptainer"),
    }


def path_of(base: Path, user: str = "alice", server: str = "") -> Path:
    return Path(overlay.overlay_path(str(base), spawn(base, user, server)))


def used_once(base: Path, **which: Any) -> str:
    """Open an overlay and let go of it; returns the notice."""
    opened = overlay.open_overlay(str(base), spawn(base, **which))
    os.close(opened.lock)
    return str(opened.notice)


def patch_superblock(path: Path, offset: int, data: bytes) -> None:
    with path.open("r+b") as stream:
        stream.seek(1024 + offset)
        stream.write(data)


def mark_in_use(path: Path) -> None:
    """What a killed job leaves: a file system that was not unmounted."""
    patch_superblock(path, 58, struct.pack("<H", 0))


def debugfs(path: Path, *commands: str) -> str:
    """Change or read the file system as its programs would."""
    script = "\n".join(commands)
    argv = ["debugfs", "-w", "-f", "-", str(path)]
    env = {"PATH": overlay.PATH}
    return subprocess.run(argv, input=script, capture_output=True, text=True, check=True, env=env).stdout


# --- made


def test_a_new_file_is_sparse_private_and_of_the_size_asked_for(base: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert used_once(base, size=512) == ""
    info = path_of(base).stat()
    assert info.st_size == 512 * 1024 * 1024
    assert info.st_blocks * 512 < 40 * 1024 * 1024
    assert stat.S_IMODE(info.st_mode) == 0o600
    assert f"User: {os.getuid()} " in re.sub(" +", " ", debugfs(path_of(base), "stat /own"))
    assert "overlay-made 512 MB" in capfd.readouterr().out
    bind = f"--bind {path_of(base)}:/opt/own:image-src=/own {base}/images/{IMAGE}.sif test -w /opt/own"
    assert bind in (base.parent / "called").read_text()


def test_what_lies_in_it_survives(base: Path) -> None:
    used_once(base)
    (base.parent / "package").write_text("a package")
    debugfs(path_of(base), f"write {base.parent}/package /own/package")
    used_once(base, size=128)
    assert "a package" in debugfs(path_of(base), "cat /own/package")
    assert path_of(base).stat().st_size == 64 * 1024 * 1024  # its size is that of its making


def test_servers_and_people_have_files_of_their_own(base: Path) -> None:
    files = {path_of(base), path_of(base, server="second"), path_of(base, user="bob")}
    for which in ({}, {"server": "second"}, {"user": "bob"}):
        used_once(base, **which)
    assert len(files) == 3
    assert all(path.is_file() for path in files)


def test_a_disk_without_room_leaves_no_half_file(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "run", lambda _argv, _seconds: (1, "Could not allocate block"))
    with pytest.raises(overlay.OverlayError, match="Could not allocate block"):
        used_once(base)
    assert [path.name for path in path_of(base).parent.iterdir()] == [f"{IMAGE}.lock"]


def test_what_a_killed_making_left_is_made_anew(base: Path) -> None:
    used_once(base, server="second")
    partial = path_of(base).with_name(path_of(base).name + ".part")
    partial.write_text("half")
    used_once(base)
    assert not partial.exists()


def test_nobody_collects_files_without_end(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "FILES_MAX", 2)
    for server in ("one", "two"):
        used_once(base, server=server)
    with pytest.raises(overlay.OverlayError, match="holds 2 files already"):
        used_once(base, server="three")
    used_once(base, server="one")


# --- locked


def test_a_second_job_does_not_get_it(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "LOCK_SECONDS", 0.3)
    held = overlay.open_overlay(str(base), spawn(base))
    with pytest.raises(overlay.OverlayError, match="in use"):
        used_once(base)
    used_once(base, server="second")
    os.close(held.lock)
    used_once(base)


def test_a_job_that_ends_meanwhile_is_waited_for(base: Path) -> None:
    code = (
        f"import sys, time; sys.path.insert(0, {str(FILES)!r}); from hpcampus_job.overlay import take_lock;"
        f"take_lock({str(base / 'lock')!r}); print('held', flush=True); time.sleep(1)"
    )
    argv = [sys.executable, "-I", "-c", code]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        os.close(overlay.take_lock(str(base / "lock")))


def test_where_there_are_no_locks_there_is_no_overlay(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_handle: int, _how: int) -> None:
        raise OSError(errno.ENOSYS, os.strerror(errno.ENOSYS))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(overlay.OverlayError, match=os.strerror(errno.ENOSYS)):
        used_once(base)


# --- repaired, or put aside


def test_a_file_of_a_killed_job_is_repaired(base: Path, capfd: pytest.CaptureFixture[str]) -> None:
    used_once(base)
    mark_in_use(path_of(base))
    patch_superblock(path_of(base), 16, struct.pack("<I", 12345))  # and a count of free inodes that is wrong
    used_once(base)
    assert "overlay-repaired" in capfd.readouterr().out
    check = [overlay.program("e2fsck"), "-fn", str(path_of(base))]
    assert subprocess.run(check, capture_output=True, check=False).returncode == 0
    used_once(base)
    assert "overlay-repaired" not in capfd.readouterr().out


def test_what_a_kill_left_in_the_air_is_repaired_and_told(base: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """A file without a name, as fuse2fs leaves it: e2fsck -p will not decide."""
    used_once(base)
    debugfs(path_of(base), "mkdir /own/a", "unlink /own/a")
    mark_in_use(path_of(base))
    notice = used_once(base)
    assert "force-reinstall" in notice
    said = capfd.readouterr().out
    assert "overlay-damaged" in said
    assert "overlay-repaired" in said
    assert not list(path_of(base).parent.glob("*.damaged-*"))
    assert used_once(base) == ""


def test_a_name_from_inside_forges_no_line_of_the_log() -> None:
    assert overlay.in_short("x\n'a\x1b[2J\rhpcampus 1 +1 job-end' \n") == "x; 'a\\x1b[2J; hpcampus 1 +1 job-end'"


def test_a_clean_file_is_not_examined_at_length(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used_once(base)
    monkeypatch.setattr(overlay, "repair", lambda _path: pytest.fail("repaired"))
    used_once(base)


def lose_the_root(path: Path) -> None:
    debugfs(path, "clri <2>")
    mark_in_use(path)


DAMAGES: dict[str, Callable[[Path], object]] = {
    "no-file-system": lambda path: patch_superblock(path, 56, b"\0\0"),
    "empty": lambda path: path.write_bytes(b""),
    "lost-root": lose_the_root,
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_file_is_kept_and_a_new_one_made(base: Path, damage: str, capfd: pytest.CaptureFixture[str]) -> None:
    used_once(base)
    DAMAGES[damage](path_of(base))
    damaged = path_of(base).stat().st_ino
    notice = used_once(base)
    (aside,) = path_of(base).parent.glob("*.damaged-*")
    assert aside.stat().st_ino == damaged
    assert aside.name in notice
    assert aside.name in capfd.readouterr().out
    assert used_once(base) == ""


def test_nothing_put_aside_is_overwritten(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay.time, "strftime", lambda _format: "now")
    for _ in range(3):
        used_once(base)
        path_of(base).write_bytes(b"")
    used_once(base)
    assert len(list(path_of(base).parent.glob("*.damaged-*"))) == 3


@pytest.mark.parametrize("status", [8, 16, 32, 128])
def test_a_check_that_failed_is_no_damage(base: Path, status: int, monkeypatch: pytest.MonkeyPatch) -> None:
    used_once(base)
    mark_in_use(path_of(base))
    monkeypatch.setattr(overlay, "run", lambda _argv, _seconds: (status, "no memory"))
    with pytest.raises(overlay.OverlayError, match=f"status {status}, no memory"):
        used_once(base)
    assert path_of(base).exists()


def test_no_program_runs_for_ever() -> None:
    with pytest.raises(overlay.OverlayError, match=r"sleep took more than 0.2 s"):
        overlay.run(["sleep", "10"], 0.2)


# --- never somebody else's


def replaced_by_a_link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def replaced_by_a_second_name(path: Path, other: Path) -> None:
    path.hardlink_to(other)


def replaced_by_a_move(path: Path, other: Path) -> None:
    other.rename(path)


def replaced_by_a_copy(path: Path, other: Path) -> None:
    shutil.copyfile(other, path)


def replaced_by_a_pipe(path: Path, _other: Path) -> None:
    os.mkfifo(path)


def replaced_by_a_directory(path: Path, _other: Path) -> None:
    path.mkdir()


@pytest.mark.parametrize(
    "replace",
    [
        replaced_by_a_link,
        replaced_by_a_second_name,
        replaced_by_a_move,
        replaced_by_a_copy,
        replaced_by_a_pipe,
        replaced_by_a_directory,
    ],
)
def test_what_is_not_ones_own_is_refused_and_left_alone(base: Path, replace: Any) -> None:
    used_once(base, user="bob")
    used_once(base)
    path_of(base).unlink()
    replace(path_of(base), path_of(base, user="bob"))
    before = os.lstat(path_of(base))
    with pytest.raises(overlay.OverlayError, match=str(path_of(base))):
        used_once(base)
    assert os.lstat(path_of(base)).st_ino == before.st_ino


def test_a_file_of_another_account_is_refused(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    used_once(base)
    monkeypatch.setattr(overlay.os, "getuid", lambda: 12345)
    with pytest.raises(overlay.OverlayError, match="of this account"):
        used_once(base)


def test_a_directory_of_overlays_that_is_a_link_is_refused(base: Path) -> None:
    used_once(base, user="bob")
    (base / "users" / "alice" / "overlays").symlink_to(base / "users" / "bob" / "overlays")
    with pytest.raises(overlay.OverlayError, match="not a directory of its own"):
        used_once(base)


def test_a_lock_that_is_a_link_is_refused(base: Path) -> None:
    used_once(base)
    path_of(base).with_suffix(".lock").unlink()
    path_of(base).with_suffix(".lock").symlink_to(base / "users" / "bob" / "made")
    with pytest.raises(overlay.OverlayError):
        used_once(base)
    assert not (base / "users" / "bob" / "made").exists()


# --- and the server starts in any case


@pytest.fixture
def kept(base: Path) -> Iterator[Any]:
    opened: list[Any] = []

    def make(**which: Any) -> Any:
        opened.append(storage.Storage(str(base.parent / "private"), "", "node1"))
        opened[-1].open_home(str(base), spawn(base, **which))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_the_container_mounts_it_and_packages_go_there(base: Path, kept: Any) -> None:
    place = kept()
    assert (str(path_of(base)), "/opt/own", "image-src=/own") in place.binds()
    assert place.env(spawn(base))["PYTHONUSERBASE"] == "/opt/own"
    assert place.env(spawn(base))["R_LIBS_USER"] == "/opt/own/R/%v"
    assert not list((base / "users" / "alice" / "home").iterdir())


def test_without_it_packages_go_home_and_the_person_is_told(
    base: Path, kept: Any, capfd: pytest.CaptureFixture[str]
) -> None:
    apptainer(base.parent, "echo 'FATAL: no fuse2fs here' >&2; exit 255")
    place = kept()
    assert len(place.binds()) == 1
    assert place.env(spawn(base))["PYTHONUSERBASE"] == f"/home/jovyan/.local/hpcampus/{IMAGE}"
    (note,) = (base / "users" / "alice" / "home").iterdir()
    assert "no fuse2fs here" in note.read_text()
    assert "no fuse2fs here" in capfd.readouterr().out


def test_the_person_is_told_of_lost_packages_in_the_home(base: Path, kept: Any) -> None:
    used_once(base)
    path_of(base).write_bytes(b"")
    assert len(kept().binds()) == 2
    (note,) = (base / "users" / "alice" / "home").iterdir()
    assert "install them again" in note.read_text()


def test_a_node_without_the_programs_is_named(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overlay, "PATH", str(base))
    with pytest.raises(overlay.OverlayError, match="install e2fsprogs"):
        used_once(base)
