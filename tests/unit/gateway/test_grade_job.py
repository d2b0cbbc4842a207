# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A task of a run: what a course's server can put into the run's directory, and what becomes of it."""

import ast
import json
import os
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.loading import FILES, load

grade = load("hpcampus_job.grade")
log = load("hpcampus_job.log")

RUN = "0123456789abcdef0123456789abcdef"
ECHO = "import sys; sys.stdout.write('got ' + sys.stdin.read())"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    (tmp_path / "courses" / "py1" / "runs" / RUN).mkdir(parents=True)
    told = {
        "course": "py1",
        "image": "base",
        "seconds": 5,
        "images_dir": "/images",
        "lib_dir": "/lib",
        "apptainer": "/usr/bin/apptainer",
        "module": "",
    }
    (tmp_path / "jobs" / f"grade-{RUN}.json").write_text(json.dumps(told))
    return tmp_path


@pytest.fixture
def folder(base: Path) -> Path:
    return base / "courses" / "py1" / "runs" / RUN


def program(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Have a Python program where the container would be."""
    monkeypatch.setattr(grade, "grade_argv", lambda _spec: [sys.executable, "-I", "-c", text])


def task(base: Path, monkeypatch: pytest.MonkeyPatch, index: str = "0") -> int:
    monkeypatch.setenv("SLURM_ARRAY_TASK_ID", index)
    return int(grade.main(str(base), RUN))


def result(folder: Path, index: int = 0) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / f"{index}.json").read_text())
    return found


def test_the_container_gets_nothing_and_reaches_nothing() -> None:
    spec = {"apptainer": "/usr/bin/apptainer", "images_dir": "/images", "image": "base", "module": ""}
    argv = grade.grade_argv(spec)
    assert {"--containall", "--cleanenv", "--no-privs", "--pid", "--no-init", "--ipc", "--net", "--no-eval"} <= set(
        argv
    )
    assert argv[argv.index("--network") + 1] == "none"
    assert not {"--bind", "--home", "--workdir", "--env-file"} & set(argv)
    assert argv[-5:] == ["/images/base.sif", "python3", "-I", "-m", "hpcampus_nbgrader.sandbox"]


def test_a_submission_goes_in_and_a_result_comes_out(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, ECHO)
    (folder / "0.tar").write_text("a tar")
    assert task(base, monkeypatch) == 0
    assert (result(folder)["output"], result(folder)["status"], result(folder)["reason"]) == ("got a tar", 0, "")
    assert sorted(path.name for path in folder.iterdir()) == ["0.json", "0.tar"]


def test_a_result_that_is_there_is_not_made_again(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, ECHO)
    (folder / "0.tar").write_text("a tar")
    (folder / "0.json").write_text('{"kept": true}')
    assert task(base, monkeypatch) == 0
    assert result(folder) == {"kept": True}


@pytest.mark.parametrize("kind", ["link", "directory", "pipe", "large"])
def test_what_is_no_plain_file_is_not_read(
    base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    program(monkeypatch, ECHO)
    secret = base / "secret"
    secret.write_text("canary-31")
    place = folder / "0.tar"
    if kind == "link":
        place.symlink_to(secret)
    elif kind == "directory":
        place.mkdir()
    elif kind == "pipe":
        os.mkfifo(place)
    else:
        monkeypatch.setattr(grade, "SUBMISSION_MAX_BYTES", 3)
        place.write_text("four")
    assert task(base, monkeypatch) == 0
    assert "the submission" in result(folder)["reason"]
    assert "canary" not in (folder / "0.json").read_text()


def test_a_result_takes_the_place_of_a_link_and_does_not_follow_it(
    base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(monkeypatch, ECHO)
    (folder / "0.tar").write_text("a tar")
    handle = grade.open_run(str(base), "py1", RUN)
    victim = base / "victim"
    victim.write_text("as it was")
    (folder / "0.json").symlink_to(victim)
    grade.write_result(handle, "0", {"status": 0})
    assert victim.read_text() == "as it was"
    assert result(folder) == {"status": 0}
    assert not (folder / "0.json").is_symlink()


@pytest.mark.parametrize("where", ["runs", RUN, "py1"])
def test_a_directory_that_is_a_link_is_not_entered(
    base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, where: str
) -> None:
    elsewhere = base / "elsewhere"
    (elsewhere / "runs" / RUN).mkdir(parents=True)
    (elsewhere / RUN).mkdir()
    places = {"py1": base / "courses" / "py1", "runs": base / "courses" / "py1" / "runs", RUN: folder}
    place = places[where]
    place.rename(base / "moved")
    place.symlink_to(elsewhere)
    program(monkeypatch, ECHO)
    assert task(base, monkeypatch) == grade.EXIT_SETUP
    assert not list(elsewhere.rglob("*.json"))


def test_a_program_that_never_ends_is_ended(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "import os, time\nif os.fork() == 0: time.sleep(60)\ntime.sleep(60)")
    monkeypatch.setattr(grade, "MARGIN_SECONDS", -4)
    (folder / "0.tar").write_text("a tar")
    began = time.monotonic()
    assert task(base, monkeypatch) == 0
    assert time.monotonic() - began < 10
    assert result(folder)["reason"] == "it took too long"


def test_a_gigabyte_of_output_is_cut_and_ended(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grade, "RESULT_MAX_BYTES", 100_000)
    program(monkeypatch, "while True: print('x' * 10000)")
    (folder / "0.tar").write_text("a tar")
    assert task(base, monkeypatch) == 0
    assert result(folder)["reason"] == "it put out too much"
    assert len(result(folder)["output"]) <= 100_000


def test_what_the_container_complains_about_is_told(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, "import sys; sys.exit('FATAL: no such image')")
    (folder / "0.tar").write_text("a tar")
    task(base, monkeypatch)
    assert (result(folder)["status"], "no such image" in result(folder)["errors"]) == (1, True)


def test_a_task_waits_for_its_submission(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(monkeypatch, ECHO)

    def later() -> None:
        time.sleep(0.5)
        (folder / ".part").write_text("late")
        (folder / ".part").rename(folder / "0.tar")

    thread = threading.Thread(target=later)
    thread.start()
    assert task(base, monkeypatch) == 0
    thread.join()
    assert result(folder)["output"] == "got late"


def test_a_task_without_submission_says_so(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(grade, "COME_SECONDS", 0.2)
    monkeypatch.setattr(grade.wait_for_submission, "__defaults__", (0.2,))
    program(monkeypatch, ECHO)
    assert task(base, monkeypatch) == 0
    assert "cannot be opened" in result(folder)["reason"]


@pytest.mark.parametrize("index", ["", "../1", "1" * 7, "-1", "x"])
def test_an_index_is_a_number(base: Path, folder: Path, monkeypatch: pytest.MonkeyPatch, index: str) -> None:
    assert task(base, monkeypatch, index) == grade.EXIT_SETUP
    assert not list(folder.iterdir())


def test_the_program_is_of_python_3_6() -> None:
    for name in ("hpcampus_job/grade.py", "hpcampus_gateway/grading.py"):
        ast.parse((FILES / name).read_text(), feature_version=(3, 6))
