# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a job keeps and what it throws away: home, scratch, and where a person's own packages go."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.loading import FILES, load

files = load("hpcampus_job.files")
home = load("hpcampus_job.home")
log = load("hpcampus_job.log")
scratch = load("hpcampus_job.scratch")
storage = load("hpcampus_job.storage")

SPAWN = {"user_id": "alice", "server_id": "", "image": "base", "overlay_mb": 0}


def base_dir(tmp_path: Path) -> Path:
    (tmp_path / "base" / "users" / "alice" / "home").mkdir(parents=True)
    (tmp_path / "private").mkdir()
    return tmp_path / "base"


def make_old(path: Path) -> None:
    os.utime(path, (1, 1))


# --- the environment


def test_packages_of_one_image_do_not_reach_another() -> None:
    bases = {storage.storage_env("", storage.own_dir(image), full=False)["PYTHONUSERBASE"] for image in ("a", "b")}
    assert bases == {"/home/jovyan/.local/hpcampus/a", "/home/jovyan/.local/hpcampus/b"}


def test_two_servers_of_a_person_have_the_same_packages_and_other_windows() -> None:
    usual, second = (storage.storage_env(server, storage.own_dir("base"), full=False) for server in ("", "second"))
    assert usual["PYTHONUSERBASE"] == second["PYTHONUSERBASE"]
    assert "JUPYTERLAB_WORKSPACES_DIR" not in usual  # JupyterLab's own place
    assert second["JUPYTERLAB_WORKSPACES_DIR"] == "/home/jovyan/.jupyter/lab/servers/second/workspaces"
    assert second["HPCAMPUS_SERVER_ID"] == "second"


def test_a_full_home_is_not_written_to_when_the_server_starts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    base = base_dir(tmp_path)
    monkeypatch.setattr(storage, "has_room", lambda _home: False)
    kept = storage.Storage(str(tmp_path / "private"), "", "node1")
    kept.open_home(str(base), SPAWN)
    env = kept.env(SPAWN)
    assert {env["IPYTHONDIR"], env["JUPYTERLAB_WORKSPACES_DIR"]} == {"/tmp/ipython", "/tmp/jupyter-workspaces"}
    assert "home-full nothing can be saved" in capfd.readouterr().out


# --- the home


def test_room_is_found_out_by_writing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert home.has_room(str(tmp_path))
    assert not list(tmp_path.iterdir())

    def fail(number: int) -> Any:
        def fsync(_handle: int) -> None:
            raise OSError(number, os.strerror(number))

        return fsync

    for number, room in ((errno.ENOSPC, False), (errno.EDQUOT, False), (errno.EINVAL, True)):
        monkeypatch.setattr(home.os, "fsync", fail(number))
        assert home.has_room(str(tmp_path)) is room


def test_a_home_that_cannot_be_made_is_told_with_a_cure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_path: str, **_more: object) -> None:
        raise OSError(errno.EDQUOT, os.strerror(errno.EDQUOT))

    monkeypatch.setattr(home.os, "makedirs", fail)
    with pytest.raises(log.JobError, match=r"quota exceeded.*ask the administrator for space"):
        home.prepare_home(str(tmp_path), "alice")


def test_a_note_replaces_a_link_and_does_not_follow_it(tmp_path: Path) -> None:
    mine, other = tmp_path / "home", tmp_path / "other"
    mine.mkdir()
    other.write_text("of somebody else")
    (mine / home.NOTE).symlink_to(other)
    home.leave_note(str(mine), "Look.")
    assert other.read_text() == "of somebody else"
    assert (mine / home.NOTE).read_text() == "Look.\n"
    assert not (mine / home.NOTE).is_symlink()
    (mine / home.NOTE).unlink()
    (mine / home.NOTE).mkdir()
    home.leave_note(str(mine), "Look.")
    assert [path.name for path in mine.iterdir()] == [home.NOTE]


# --- scratch


def test_scratch_is_in_the_private_directory_or_where_the_site_says(tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    kept = storage.Storage(str(private), "", "node1")
    assert kept.binds() == [(f"{private}/scratch", "/scratch", "rw")]
    assert kept.env(SPAWN)["HPCAMPUS_SCRATCH"] == "/scratch"
    kept.close()

    fast = tmp_path / "fast"
    fast.mkdir()
    kept = storage.Storage(str(private), str(fast), "node1")
    ((source, *_),) = kept.binds()
    assert source.startswith(f"{fast}/hpcampus-node1-")
    assert stat.S_IMODE(Path(source).parent.stat().st_mode) == 0o700
    (Path(source) / "big").write_text("x")
    kept.close()
    assert not list(fast.iterdir())


def test_a_missing_scratch_directory_is_told_and_replaced(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    made = scratch.make_scratch(str(tmp_path), str(tmp_path / "gone"), "node1")
    assert made.path == f"{tmp_path}/scratch"
    assert "scratch-elsewhere" in capfd.readouterr().out


def test_a_node_sweeps_its_own_leftovers_only(tmp_path: Path) -> None:
    held = scratch.make_scratch("", str(tmp_path), "n1")
    killed = scratch.make_scratch("", str(tmp_path), "n1")
    os.close(killed.lock)
    (Path(killed.path) / "big").write_text("x")
    half = tmp_path / "hpcampus-n1-half"
    half.mkdir()
    others = [Path(scratch.make_scratch("", str(tmp_path), node).top) for node in ("n2", "n1-b")]
    for path in (Path(held.top), Path(killed.top), half, *others):
        make_old(path)
    young = tmp_path / "hpcampus-n1-young"
    young.mkdir()
    (tmp_path / "hpcampus-n1-link").symlink_to(others[0])
    scratch.sweep_scratch(str(tmp_path), "n1")
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {Path(held.top).name, young.name, "hpcampus-n1-link", *(path.name for path in others)}
    assert (others[0] / "data").is_dir()
    scratch.sweep_scratch(str(tmp_path / "gone"), "n1")


def test_scratch_of_a_killed_job_is_unlocked(tmp_path: Path) -> None:
    code = (
        f"import os, signal, sys; sys.path.insert(0, {str(FILES)!r}); from hpcampus_job.scratch import make_scratch;"
        f"print(make_scratch('', {str(tmp_path)!r}, 'n1').top, flush=True); os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=False)
    top = Path(done.stdout.strip())
    assert top.is_dir()
    scratch.sweep_scratch(str(tmp_path), "n1")
    assert top.is_dir()  # it is young
    make_old(top)
    scratch.sweep_scratch(str(tmp_path), "n1")
    assert not top.exists()


def test_a_full_disk_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """On a disk that a person filled, no directory can be made any more."""
    made = scratch.make_scratch("", str(tmp_path), "n1")
    (Path(made.path) / "deep" / "deeper").mkdir(parents=True)
    (Path(made.path) / "deep" / "deeper" / "big").write_text("x")

    def fail(**_more: object) -> str:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(tempfile, "mkdtemp", fail)
    scratch.remove_scratch(made)
    assert not list(tmp_path.iterdir())


# --- the log


def test_a_log_that_cannot_be_written_ends_nothing() -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(FILES)!r}); from hpcampus_job.log import log;"
        "log('one'); log('two'); sys.exit(7)"
    )
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, "-I", "-c", code], stdout=full, stderr=subprocess.PIPE, check=False)
    assert (done.returncode, done.stderr) == (7, b"")
