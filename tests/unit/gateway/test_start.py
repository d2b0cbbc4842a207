# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The shortened start: stand-ins while the server is imported, real modules afterwards."""

import os
import signal
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.unit.gateway.loading import FILES, load

start = load("start")


@pytest.fixture
def small_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put off a module of the standard library that nothing here has imported."""
    monkeypatch.setattr(start, "PUT_OFF", {"this_is_no_module": ("NeededError",), "colorsys": ()})
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)


@pytest.mark.usefixtures("small_list")
def test_stand_ins_serve_the_import_and_leave() -> None:
    with start.imports_put_off():
        held = sys.modules["colorsys"]
        needed = sys.modules["this_is_no_module"].NeededError
        assert isinstance(held, start.PutOff)
    assert issubclass(needed, Exception)
    assert "this_is_no_module" not in sys.modules
    assert "colorsys" not in sys.modules
    assert held.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)  # who kept the stand-in reaches the real module


@pytest.mark.usefixtures("small_list")
def test_stand_ins_leave_after_a_failure() -> None:
    with pytest.raises(RuntimeError), start.imports_put_off():
        raise RuntimeError
    assert "colorsys" not in sys.modules


def test_the_import_systems_questions_import_nothing() -> None:
    with pytest.raises(AttributeError):
        _ = start.PutOff("this_is_no_module").__path__


def test_a_module_that_is_there_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "PUT_OFF", {"json": ()})
    real = sys.modules["json"]
    with start.imports_put_off():
        assert sys.modules["json"] is real
    assert sys.modules["json"] is real


def test_own_packages_are_found_from_the_first_kernel_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path / "own"))
    monkeypatch.setenv("PATH", "/usr/local/bin:/usr/bin")
    start.offer_own_packages()
    assert os.environ["PATH"] == f"/usr/local/bin:/usr/bin:{tmp_path}/own/bin"
    (lib,) = (tmp_path / "own" / "lib").iterdir()
    assert f"{lib}/site-packages" == sysconfig.get_path("purelib", "posix_user", {"userbase": f"{tmp_path}/own"})
    assert (lib / "site-packages").is_dir()


def test_a_full_home_or_no_place_for_packages_is_no_obstacle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("PYTHONUSERBASE", str(tmp_path / "file"))
    start.offer_own_packages()
    monkeypatch.delenv("PYTHONUSERBASE")
    monkeypatch.setenv("PATH", "/usr/bin")
    start.offer_own_packages()
    assert os.environ["PATH"] == "/usr/bin"


# As the container's first process; the server is a piece of code.
FIRST = """
import ctypes, os, signal, subprocess, sys, time
sys.path.insert(0, {files!r})
import start
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)  # orphans come to it, as to the first process of a name space
def run():
    {server}
start.run = run
sys.exit(start.run_below())
"""


@pytest.mark.parametrize(
    ("server", "status"),
    [
        ("return 0", 0),
        ("return 3", 3),
        ("os.kill(os.getpid(), signal.SIGKILL)", 128 + signal.SIGKILL),
        ("os.kill(os.getppid(), signal.SIGTERM); time.sleep(20)", 128 + signal.SIGTERM),
        (
            "signal.signal(signal.SIGINT, lambda *_: sys.exit(5)); os.kill(os.getppid(), signal.SIGINT); time.sleep(20)",
            5,
        ),
    ],
)
def test_the_first_process_ends_as_the_server_does_and_hands_signals_on(server: str, status: int) -> None:
    code = FIRST.format(files=str(FILES), server=server)
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=15).returncode == status


def test_the_first_process_reaps_what_loses_its_parent() -> None:
    server = """orphan = int(subprocess.check_output(["sh", "-c", "sleep 0.2 >/dev/null & echo $!"]))
    for _ in range(100):
        if not os.path.exists(f"/proc/{orphan}"):
            return 0
        time.sleep(0.05)
    return 1"""
    code = FIRST.format(files=str(FILES), server=server)
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=15).returncode == 0
