# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What opening a link does to a student's work: nbgitpuller's own cases, and those in which it writes over files.

After every pull `Student.open_link` looks for everything that was in a file before: each file has to be there still, under some name or
in a commit from which one can go back, and each line that the student wrote has to be in a file.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING

import nbformat
import pytest
from hypothesis import HealthCheck, given, settings, strategies
from nbgitpuller.pull import GitPuller

from .pulled import BRANCH, Student, Teacher, classroom, git, write

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

CONFIG = Path(__file__).resolve().parents[3] / "roles" / "images" / "files" / "nbgrader"
OWN_WAYS = ("find_upstream_changed", "rename_local_untracked")
LINES = "".join(f"line {number}\n" for number in range(1, 21))
STALE_SECONDS = 700


@pytest.fixture
def plain(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[GitPuller]]:
    """Git without this machine's configuration, as in a container that has none, and nbgitpuller as it is."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    monkeypatch.delenv("NBGITPULLER_DEPTH", raising=False)
    with monkeypatch.context() as kept:
        for name in OWN_WAYS:
            kept.setattr(GitPuller, name, getattr(GitPuller, name))  # what is installed meanwhile goes again
        yield GitPuller


@pytest.fixture
def installed(plain: type[GitPuller], load: Callable[[str], ModuleType]) -> type[GitPuller]:
    """nbgitpuller as the image has it."""
    load("pulling").install()
    return plain


@pytest.fixture
def pair(installed: type[GitPuller], tmp_path: Path) -> tuple[Teacher, Student]:
    """A repository with two files, and a student who has opened the link once."""
    teacher, student = classroom(tmp_path / "class", installed)
    teacher.publish({"task.txt": LINES, "week1/read.txt": "read this\n"})
    return teacher, student.open_link()


def test_the_first_click_brings_the_newest_state_alone(pair: tuple[Teacher, Student]):
    teacher, student = pair
    assert student.names() == ["task.txt", "week1/read.txt"]
    teacher.publish({"task.txt": "new\n"})
    second = Student(student.home.with_name("second"), student.url, student.puller).open_link()
    assert second.read("task.txt") == "new\n"
    assert git(second.home, "rev-list", "--count", "HEAD").split() == [b"1"]


def test_what_is_new_comes_and_what_is_gone_goes(pair: tuple[Teacher, Student]):
    teacher, student = pair
    teacher.publish({"task.txt": "new\n", "week2/read.txt": "second\n", "week1/read.txt": None})
    student.open_link()
    assert student.names() == ["task.txt", "week2/read.txt"]
    assert student.read("task.txt") == "new\n"


def test_changes_of_a_student_stay_when_nothing_else_changed(pair: tuple[Teacher, Student]):
    _, student = pair
    student.write({"task.txt": LINES + "mine\n"})
    student.open_link().open_link()
    assert student.read("task.txt") == LINES + "mine\n"


def test_changes_to_different_lines_come_together(pair: tuple[Teacher, Student]):
    teacher, student = pair
    student.write({"task.txt": LINES + "mine\n"})
    teacher.publish({"task.txt": LINES.replace("line 2\n", "corrected\n")})
    student.open_link()
    assert student.read("task.txt") == LINES.replace("line 2\n", "corrected\n") + "mine\n"


def test_of_the_same_line_the_students_stays(pair: tuple[Teacher, Student]):
    teacher, student = pair
    student.write({"task.txt": LINES.replace("line 5\n", "mine\n")})
    teacher.publish({"task.txt": LINES.replace("line 5\n", "hers\n").replace("line 15\n", "corrected\n")})
    student.open_link()
    assert student.read("task.txt") == LINES.replace("line 5\n", "mine\n").replace("line 15\n", "corrected\n")
    teacher.publish({"task.txt": LINES.replace("line 5\n", "hers again\n")})
    student.open_link()
    assert "mine\n" in student.read("task.txt")


def test_a_changed_picture_stays(pair: tuple[Teacher, Student]):
    teacher, student = pair
    teacher.publish({"picture.png": b"\x89PNG\0\1"})
    student.open_link()
    student.write({"picture.png": b"\x89PNG\0mine"})
    teacher.publish({"picture.png": b"\x89PNG\0hers", "task.txt": "new\n"})
    student.open_link()
    assert (student.home / "picture.png").read_bytes() == b"\x89PNG\0mine"
    assert student.read("task.txt") == "new\n"


def test_a_deleted_file_comes_back_in_its_newest_version(pair: tuple[Teacher, Student]):
    teacher, student = pair
    student.write({"task.txt": None, "week1/read.txt": None})
    teacher.publish({"task.txt": "new\n"})
    student.open_link()
    assert (student.read("task.txt"), student.read("week1/read.txt")) == ("new\n", "read this\n")


@pytest.mark.parametrize("commits", [False, True])
def test_a_file_that_is_taken_back_stays_if_the_student_changed_it(pair: tuple[Teacher, Student], commits: bool):
    teacher, student = pair
    student.write({"task.txt": "mine\n"})
    if commits:
        student.commit()
    teacher.publish({"task.txt": None, "week1/read.txt": "new\n"})
    student.open_link()
    assert (student.read("task.txt"), student.read("week1/read.txt")) == ("mine\n", "new\n")
    teacher.publish({"week1/read.txt": "newer\n"})
    assert student.open_link().read("week1/read.txt") == "newer\n"


def test_a_file_that_is_renamed_takes_the_students_changes_along(pair: tuple[Teacher, Student]):
    teacher, student = pair
    student.write({"task.txt": LINES + "mine\n"})
    teacher.publish({"task.txt": None, "exercise.txt": LINES})
    student.open_link()
    assert student.names() == ["exercise.txt", "week1/read.txt"]
    assert student.read("exercise.txt") == LINES + "mine\n"


def test_a_students_own_commits_are_merged(pair: tuple[Teacher, Student]):
    teacher, student = pair
    for number in range(3):
        student.write({"task.txt": LINES + f"mine {number}\n", f"own{number}.txt": f"own {number}\n"})
        student.commit()
    teacher.publish({"task.txt": "first\n" + LINES, "own1.txt": "hers\n"})
    student.open_link()
    assert student.read("task.txt") == "first\n" + LINES + "mine 2\n"
    assert [student.read(f"own{number}.txt") for number in range(3)] == ["own 0\n", "own 1\n", "own 2\n"]
    assert git(student.home, "log", "--format=%an", "HEAD^1").split() == [b"Somebody"] * 4


def test_what_was_staged_only_stays(pair: tuple[Teacher, Student]):
    teacher, student = pair
    student.write({"task.txt": "mine\n", "own.txt": "own\n", "later.txt": "own too\n"})
    git(student.home, "add", "--all")
    teacher.publish({"task.txt": "hers\n", "later.txt": "hers\n"})
    student.open_link()
    assert (student.read("task.txt"), student.read("own.txt"), student.read("later.txt")) == (
        "mine\n",
        "own\n",
        "hers\n",
    )
    assert student.aside("later__*.txt") == "own too\n"


def notebook(*cells: tuple[str, str, str]) -> str:
    """A notebook of cells: the id, the source and what it printed."""
    made = [
        nbformat.v4.new_code_cell(
            source, id=name, outputs=[nbformat.v4.new_output("stream", text=printed)] if printed else []
        )
        for name, source, printed in cells
    ]
    return str(nbformat.writes(nbformat.v4.new_notebook(cells=made))) + "\n"


def test_a_notebook_that_both_changed_opens_and_has_the_students_cells(pair: tuple[Teacher, Student]):
    teacher, student = pair
    teacher.publish({"task.ipynb": notebook(("a", "first()", ""), ("b", "# your answer", ""), ("c", "last()", ""))})
    student.open_link()
    hers = notebook(
        ("a", "first(corrected)", ""), ("b", "# your answer here", ""), ("c", "last()", "hers"), ("d", "new()", "")
    )
    mine = notebook(
        ("a", "first()", "printed"), ("b", "answer = 42", "42"), ("e", "my_own()", ""), ("c", "last()", "mine")
    )
    student.write({"task.ipynb": mine})
    teacher.publish({"task.ipynb": hers})
    student.open_link()
    merged = nbformat.reads(student.read("task.ipynb"), 4)
    nbformat.validate(merged)
    sources = [cell.source for cell in merged.cells]
    assert "answer = 42" in sources
    assert "my_own()" in sources


IN_THE_WAY: dict[str, tuple[dict[str, str], dict[str, str | None], dict[str, str | None], str]] = {
    # What there is, what the student does, what is published then, and where the student's work is afterwards.
    "a new file": ({}, {"own.txt": "mine\n"}, {"own.txt": "hers\n"}, "own__*.txt"),
    "a new file in a folder": ({}, {"week1/own.txt": "mine\n"}, {"week1/own.txt": "hers\n"}, "week1/own__*.txt"),
    "a folder": ({}, {"notes/own.txt": "mine\n"}, {"notes": "hers\n"}, "notes__*/own.txt"),
    "a file, to be a folder": ({}, {"week2": "mine\n"}, {"week2/read.txt": "hers\n"}, "week2__*"),
    "other letters": ({}, {"Übung 1.txt": "mine\n"}, {"Übung 1.txt": "hers\n"}, "Übung 1__*.txt"),
    "quotes": ({}, {'"own"\t.txt': "mine\n"}, {'"own"\t.txt': "hers\n"}, '"own"\t__*.txt'),
    "a renamed file comes": ({}, {"own.txt": "mine\n"}, {"task.txt": None, "own.txt": LINES}, "own__*.txt"),
}
WRITTEN_OVER: dict[str, tuple[dict[str, str], dict[str, str | None], dict[str, str | None], str]] = {
    "ignored, other letters": (
        {".gitignore": "*.csv\n"}, {"Übung.csv": "mine\n"}, {"Übung.csv": "hers\n"}, "Übung__*.csv",
    ),
    "ignored, a renamed file comes": (
        {".gitignore": "*.csv\n", "data.txt": LINES}, {"data.csv": "mine\n"}, {"data.txt": None, "data.csv": LINES}, "data__*.csv",
    ),
    "ignored, to be a folder": (
        {".gitignore": "out\n"}, {"out": "mine\n"}, {"out/read.txt": "hers\n"}, "out__*",
    ),
    "a folder became a file": (
        {}, {"week1/read.txt": None, "week1": "mine\n"}, {"task.txt": "new\n"}, "week1__*",
    ),
    "a folder became a file, and goes": (
        {}, {"week1/read.txt": None, "week1": "mine\n"}, {"week1/read.txt": None}, "week1__*",
    ),
    "a file became a folder of ignored files": (
        {".gitignore": "*.csv\n"}, {"task.txt": None, "task.txt/own.csv": "mine\n"}, {"task.txt": "hers\n"}, "task__*.txt/own.csv",
    ),
}  # fmt: skip


def stand_in_the_way(
    student: Student, teacher: Teacher, case: tuple[dict[str, str], dict[str, str | None], dict[str, str | None], str]
) -> str:
    """Come to where something of the student's is in the way of the next pull; give where it should be afterwards."""
    first, done, then, where = case
    teacher.publish(first)
    student.open_link().write(done)
    teacher.publish(then)
    return where


@pytest.mark.parametrize("name", [*IN_THE_WAY, *WRITTEN_OVER])
def test_what_is_in_the_way_moves_aside(pair: tuple[Teacher, Student], name: str):
    teacher, student = pair
    where = stand_in_the_way(student, teacher, (IN_THE_WAY | WRITTEN_OVER)[name])
    student.open_link()
    assert student.aside(where) == "mine\n"
    assert "since the repository has a file there" in student.said
    came = git(student.home, "ls-tree", "-r", "--name-only", "-z", "HEAD").decode().split("\0")[:-1]
    assert set(came) <= set(student.names())
    before = student.names()
    assert student.open_link().names() == before


@pytest.mark.parametrize("name", WRITTEN_OVER)
def test_nbgitpuller_alone_would_write_over_it(plain: type[GitPuller], tmp_path: Path, name: str):
    """As soon as this fails, nbgitpuller has learnt it, and the image need not do it."""
    teacher, student = classroom(tmp_path / "class", plain)
    teacher.publish({"task.txt": LINES, "week1/read.txt": "read this\n"})
    stand_in_the_way(student.open_link(), teacher, WRITTEN_OVER[name])
    with pytest.raises(AssertionError, match="lost: "):
        student.open_link()


def test_two_of_a_name_get_two_names(pair: tuple[Teacher, Student], load: Callable[[str], ModuleType]):
    _, student = pair
    free_name = load("pulling").free_name
    student.write({"own.tar.gz": "1\n"})
    first = free_name(student.home / "own.tar.gz")
    first.touch()
    second = free_name(student.home / "own.tar.gz")
    assert not second.exists()
    assert {first.suffix, second.suffix} == {".gz"}


def test_a_folder_that_was_renamed_does_not_take_files_along(pair: tuple[Teacher, Student]):
    """Git would put the student's own file where another of hers is, which it does not see."""
    teacher, student = pair
    teacher.publish({".gitignore": "*.csv\n"})
    student.open_link().write({"week1/own.csv": "mine\n", "first/own.csv": "mine too\n"})
    git(student.home, "add", "--force", "week1/own.csv")
    student.commit()
    teacher.publish({"week1/read.txt": None, "first/read.txt": "read this\n"})
    student.open_link()
    assert (student.read("week1/own.csv"), student.read("first/own.csv")) == ("mine\n", "mine too\n")


def test_a_link_to_another_place_moves_aside_with_what_it_leads_to(pair: tuple[Teacher, Student], tmp_path: Path):
    teacher, student = pair
    write(tmp_path / "scratch", {"read.txt": "mine\n"})
    student.write({"week1/read.txt": None})
    (student.home / "week1").symlink_to(tmp_path / "scratch")
    teacher.publish({"week1/read.txt": "new\n"})
    student.open_link()
    assert student.read("week1/read.txt") == "new\n"
    assert student.aside("week1__*/read.txt") == "mine\n"


def test_a_merge_that_broke_off_is_done_again(pair: tuple[Teacher, Student]):
    teacher, student = pair
    student.write({"task.txt": "mine\n", "own.txt": "own\n"})
    student.commit()
    teacher.publish({"task.txt": "hers\n", "new.txt": "new\n"})
    git(student.home, "fetch", "--quiet")
    with pytest.raises(subprocess.CalledProcessError):
        git(student.home, "merge", f"origin/{BRANCH}")
    assert (student.home / ".git" / "MERGE_HEAD").exists()
    student.write({"task.txt": student.read("task.txt") + "typed meanwhile\n"})
    student.open_link()
    assert not (student.home / ".git" / "MERGE_HEAD").exists()
    assert student.read("new.txt") == "new\n"
    assert {"mine\n", "typed meanwhile\n"} <= set(student.read("task.txt").splitlines(keepends=True))
    teacher.publish({"new.txt": "newer\n"})
    assert student.open_link().read("new.txt") == "newer\n"


def test_a_lock_that_was_left_is_waited_for_and_then_removed(pair: tuple[Teacher, Student]):
    teacher, student = pair
    student.write({"task.txt": "mine\n", "own.txt": "own\n"})
    teacher.publish({"week1/read.txt": "new\n", "own.txt": "hers\n"})
    lock = student.home / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(Exception, match=r"index\.lock found"):
        student.open_link()
    assert student.read("own.txt") == "own\n"
    os.utime(lock, (time.time() - STALE_SECONDS, time.time() - STALE_SECONDS))
    student.open_link()
    assert (student.read("task.txt"), student.read("week1/read.txt")) == ("mine\n", "new\n")
    assert student.aside("own__*.txt") == "own\n"


def test_a_history_that_was_rewritten_is_refused_until_the_student_starts_over(pair: tuple[Teacher, Student]):
    """Nothing is merged then, for the copy has no commit in common with the repository; the button beside the error moves it aside."""
    teacher, student = pair
    student.write({"task.txt": "mine\n", "own.txt": "own\n"})
    teacher.publish({"task.txt": "hers\n", "own.txt": "hers\n"})
    git(teacher.desk, "update-ref", "-d", f"refs/heads/{BRANCH}")
    teacher.commit()
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            student.open_link()
        assert "refusing to merge unrelated histories" in student.said
    assert student.read("task.txt") == "mine\n"
    assert student.aside("own__*.txt") == "own\n"
    list(student.puller(student.url, str(student.home), branch=BRANCH, backup=True).pull())
    (old,) = student.home.parent.glob("exercises_backup_*")
    assert (old / "task.txt").read_text(encoding="utf-8") == "mine\n"
    assert student.read("task.txt") == "hers\n"


def test_names_that_both_gave_to_one_file_are_refused_and_nothing_is_lost(pair: tuple[Teacher, Student]):
    teacher, student = pair
    git(student.home, "mv", "task.txt", "my-task.txt")
    student.write({"my-task.txt": LINES + "mine\n"})
    student.commit()
    teacher.publish({"task.txt": None, "exercise.txt": LINES})
    for _ in range(2):
        with pytest.raises(subprocess.CalledProcessError):
            student.open_link()
        assert "CONFLICT (rename/rename)" in student.said
    assert student.read("my-task.txt") == LINES + "mine\n"


# Few, so that both often do something to the same: plain, ignored, ignored with other letters, and a folder that may become a file.
NAMES = ("a.txt", "b.csv", "ü.csv", "d", "d/b.txt")
acts = strategies.tuples(
    strategies.sampled_from(["teacher writes", "teacher deletes", "teacher renames"])
    | strategies.sampled_from(["writes", "writes", "deletes", "renames", "commits"]),
    strategies.sampled_from(NAMES),
    strategies.sampled_from(NAMES),
)


@pytest.mark.processes
@settings(max_examples=int(os.environ.get("HPCAMPUS_PULLS", "10")), deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
@given(strategies.lists(strategies.lists(acts, min_size=4, max_size=8), min_size=2, max_size=3))
def test_whatever_two_people_do_nothing_is_lost(installed: type[GitPuller], rounds: list[list[tuple[str, str, str]]]):
    with tempfile.TemporaryDirectory() as directory:
        teacher, student = classroom(Path(directory), installed)
        teacher.publish({".gitignore": "*.csv\n", "a.txt": LINES, "d/b.txt": LINES + "b\n"})
        student.open_link()
        number = itertools.count()
        for steps in rounds:
            for what, name, other in steps:
                act(teacher, student, what, name, other, next(number))
            teacher.commit()
            # A student is told why it failed; what counts is looked at in `open_link`.
            with contextlib.suppress(subprocess.CalledProcessError):
                student.open_link()


def act(teacher: Teacher, student: Student, what: str, name: str, other: str, number: int) -> None:
    """Do a step if it is possible."""
    root = teacher.desk if what.startswith("teacher") else student.home
    whose = "hers" if root is teacher.desk else "mine"
    path, target = root / name, root / other
    try:
        if what.endswith("writes"):
            text = path.read_text(encoding="utf-8") if path.is_file() else ""
            write(root, {name: f"{text}{whose} {number}\n"})
        elif what.endswith("deletes") and path.is_file():
            write(root, {name: None})
        elif what.endswith("renames") and path.is_file() and not target.exists():
            target.parent.mkdir(exist_ok=True)
            path.rename(target)
        elif what == "commits":
            git(root, "add", "--all", "--force")
            git(root, "commit", "--quiet", "--allow-empty", "--message", "mine")
    except (NotADirectoryError, FileExistsError, IsADirectoryError):
        pass  # a file stands where a folder would have to be, or the other way round


@pytest.mark.processes
def test_a_server_of_the_image_pulls_so(plain: type[GitPuller], tmp_path: Path):
    """Through the server extension itself, with the image's configuration and an ignored file in the way."""
    teacher, student = classroom(tmp_path / "class", plain)
    teacher.publish({".gitignore": "*.csv\n", "data.txt": LINES})
    student.open_link().write({"data.csv": "mine\n"})
    teacher.publish({"data.txt": None, "data.csv": LINES})
    home = student.home.parent
    environment = os.environ | {
        "PYTHONPATH": str(CONFIG), "JUPYTER_CONFIG_PATH": str(CONFIG), "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
    }  # fmt: skip
    options = ["--allow-root", "--no-browser", "--ServerApp.ip=127.0.0.1", "--ServerApp.port=0", f"--ServerApp.root_dir={home}",
               "--IdentityProvider.token=key"]  # fmt: skip
    with (tmp_path / "server.log").open("w+", encoding="utf-8") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "jupyter_server", *options],
            env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            asked = urllib.parse.urlencode({"repo": student.url, "branch": BRANCH, "targetpath": student.home.name})
            port = server_port(tmp_path / "runtime", server)
            with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
                connection.request("GET", f"/git-pull/api?{asked}", headers={"Authorization": "token key"})
                answer = connection.getresponse().read().splitlines()
            events = [json.loads(line.removeprefix(b"data: ")) for line in answer if line.startswith(b"data: ")]
        finally:
            server.terminate()
            server.wait(30)
        assert events[-1] == {"phase": "finished"}
    assert student.read("data.csv") == LINES
    assert student.aside("data__*.csv") == "mine\n"


def server_port(runtime: Path, server: subprocess.Popen[bytes]) -> int:
    """Wait until the server has said where it listens."""
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        for path in runtime.glob("jpserver-*.json"):
            try:
                return int(json.loads(path.read_text(encoding="utf-8"))["port"])
            except (json.JSONDecodeError, FileNotFoundError):
                pass
        time.sleep(0.1)
    raise AssertionError("the server did not start")
