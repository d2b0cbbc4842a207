# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Files that the hub brings to homes: what arrives, that nothing is ever changed, and what a hostile home cannot reach."""

from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import signal
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateway.loading import FILES, load
from tests.unit.gateway.samples import site

tree, homes, errors = (load(f"hpcampus_gateway.{name}") for name in ("tree", "homes", "errors"))
accounts = load("hpcampus_gateway.accounts")

WEEK1 = {"week1/task.ipynb": b"task one", "week1/data/numbers.csv": b"1,2,3\n", "README.md": b"hello"}
DAY = "20261126"


def tar(files: dict[str, bytes], *more: tarfile.TarInfo) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o755 if name.endswith(".sh") else 0o644
            archive.addfile(info, io.BytesIO(content))
        for info in more:
            archive.addfile(info)
    return buffer.getvalue()


def link_member(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


def homes_of(base: Path, *people: str) -> None:
    for person in people:
        (base / "users" / person / "home").mkdir(parents=True)


def home(base: Path, person: str = "alice") -> Path:
    return base / "users" / person / "home"


def header(members: list[str] | None, day: str = DAY) -> bytes:
    return json.dumps({"members": members, "day": day}).encode() + b"\n"


def answers(
    base: Path,
    files: dict[str, bytes] | bytes,
    members: list[str] | None = None,
    *,
    day: str = DAY,
    course: str = "physics",
) -> list[dict[str, Any]]:
    data = files if isinstance(files, bytes) else tar(files)
    said: list[dict[str, Any]] = []
    word = (course, hashlib.sha256(data).hexdigest(), len(data))
    tree.serve(site(str(base)), word, io.BytesIO(header(members, day) + data), said.append)
    assert said.pop() == {"done": True}
    return said


def outcome(answer: dict[str, Any]) -> dict[str, Any]:
    """What is not nothing."""
    return {key: value for key, value in answer.items() if value and key != "id"}


def content(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.is_symlink()
    }


def below(files: dict[str, bytes]) -> dict[str, bytes]:
    return {f"physics/{name}": data for name, data in files.items()}


# --- what arrives ---


def test_every_home_of_a_member_gets_every_file(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice", "bob", "mallory")
    said = answers(tmp_path, WEEK1, ["bob", "alice", "nobody-yet"])
    assert [(answer["id"], outcome(answer)) for answer in said] == [("alice", {"new": 3}), ("bob", {"new": 3})]
    assert content(home(tmp_path)) == content(home(tmp_path, "bob")) == below(WEEK1)
    assert content(home(tmp_path, "mallory")) == {}


def test_without_a_list_it_is_for_all_but_the_courses_own_servers(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice", "x--0123456789abcdef01234567", "course-physics")
    (tmp_path / "users" / "Not A Slug" / "home").mkdir(parents=True)
    (tmp_path / "users" / "begun").mkdir()
    assert [answer["id"] for answer in answers(tmp_path, WEEK1)] == ["alice", "x--0123456789abcdef01234567"]


def test_who_has_a_home_can_be_asked(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice", "bob")
    (tmp_path / "users" / "eve").mkdir()
    (tmp_path / "users" / "eve" / "home").symlink_to(home(tmp_path))
    said: list[dict[str, Any]] = []
    tree.serve(site(str(tmp_path)), (), io.BytesIO(header(["alice", "carol", "eve"])), said.append)
    assert said == [{"id": "alice"}, {"done": True}]


def test_files_are_the_persons_own_and_programs_can_run(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice", "bob")
    answers(tmp_path, {"run.sh": b"#!/bin/sh\n", "a": b""})
    first, second = (home(tmp_path, person) / "physics" for person in ("alice", "bob"))
    assert [oct((first / name).stat().st_mode & 0o777) for name in ("run.sh", "a")] == ["0o700", "0o600"]
    assert (first / "a").stat().st_nlink == 1
    (first / "run.sh").write_bytes(b"mine")
    assert (second / "run.sh").read_bytes() == b"#!/bin/sh\n"


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice")
    answers(tmp_path, WEEK1)
    before = {path: path.stat() for path in home(tmp_path).rglob("*")}
    assert outcome(answers(tmp_path, WEEK1)[0]) == {"same": 3}
    assert {path: path.stat().st_mtime_ns for path in before} == {
        path: info.st_mtime_ns for path, info in before.items()
    }
    assert sorted(home(tmp_path).rglob("*")) == sorted(before)


# --- nothing is ever changed ---


def test_what_a_student_made_of_a_file_stays_and_is_not_offered_again(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice")
    answers(tmp_path, WEEK1)
    task = home(tmp_path) / "physics/week1/task.ipynb"
    task.write_bytes(b"my work")
    assert outcome(answers(tmp_path, WEEK1)[0]) == {"same": 2, "kept": 1}
    assert sorted(task.parent.iterdir()) == [task.parent / "data", task]
    assert task.read_bytes() == b"my work"


def test_a_new_version_lies_beside_the_students_work_once(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice")
    answers(tmp_path, WEEK1)
    task = home(tmp_path) / "physics/week1/task.ipynb"
    task.write_bytes(b"my work")
    newer = {**WEEK1, "week1/task.ipynb": b"task one, mended"}
    assert outcome(answers(tmp_path, newer)[0]) == {"same": 2, "beside": 1}
    beside = task.with_name("task.new-20261126.ipynb")
    assert (task.read_bytes(), beside.read_bytes()) == (b"my work", b"task one, mended")
    beside.unlink()
    assert outcome(answers(tmp_path, newer, day="20261127")[0]) == {"same": 2, "kept": 1}
    newest = {**WEEK1, "week1/task.ipynb": b"third"}
    beside.write_bytes(b"something of the student's")
    assert outcome(answers(tmp_path, newest)[0]) == {"same": 2, "beside": 1}
    assert beside.read_bytes() == b"something of the student's"
    assert task.with_name("task.new-20261126-2.ipynb").read_bytes() == b"third"


def test_a_file_of_the_students_own_in_the_same_place_stays(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice")
    (home(tmp_path) / "physics").mkdir()
    (home(tmp_path) / "physics/README.md").write_bytes(b"notes")
    assert outcome(answers(tmp_path, WEEK1)[0]) == {"new": 2, "beside": 1}
    assert (home(tmp_path) / "physics/README.md").read_bytes() == b"notes"
    assert (home(tmp_path) / "physics/README.new-20261126.md").read_bytes() == b"hello"


def test_what_was_thrown_away_comes_again(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice")
    answers(tmp_path, WEEK1)
    (home(tmp_path) / "physics/README.md").unlink()
    assert outcome(answers(tmp_path, WEEK1)[0]) == {"new": 1, "same": 2}


def test_nine_versions_of_one_day_are_enough(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice")
    said = [outcome(answers(tmp_path, {"a": b"%d" % number})[0]) for number in range(12)]
    assert said[:10] == [{"new": 1}] + [{"beside": 1}] * 9
    assert said[10]["skipped"][0].startswith("a: it differs, and so do the new versions")
    assert (home(tmp_path) / "physics/a").read_bytes() == b"0"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("week1.ipynb", "week1.new-20261126.ipynb"),
        ("Makefile", "Makefile.new-20261126"),
        (".hidden", ".hidden.new-20261126"),
        ("a.tar.gz", "a.tar.new-20261126.gz"),
    ],
)
def test_names_of_new_versions(name: str, expected: str) -> None:
    assert homes.new_name(name, DAY, 1) == expected


# --- hostile homes ---


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A place that no home may lead to."""
    place = tmp_path / "outside"
    place.mkdir()
    (place / "secret").write_bytes(b"untouched")
    return place


@pytest.mark.parametrize("trap", ["physics", "physics/week1", "physics/week1/data"])
def test_a_link_to_a_folder_is_not_followed_and_told(tmp_path: Path, outside: Path, trap: str) -> None:
    homes_of(tmp_path, "alice", "bob")
    path = home(tmp_path) / trap
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(outside)
    alice, bob = answers(tmp_path, WEEK1)
    assert any(reason.startswith(f"{trap}: is a link or no folder") for reason in alice["skipped"])
    assert len(alice["skipped"]) + alice["skipped_more"] + alice["new"] == 3
    assert content(outside) == {"secret": b"untouched"}
    assert outcome(bob) == {"new": 3}


def _fifo(path: Path, _outside: Path) -> None:
    os.mkfifo(path)


def _link(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "secret")


def _dangling(path: Path, outside: Path) -> None:
    path.symlink_to(outside / "made-by-nobody")


def _folder(path: Path, _outside: Path) -> None:
    path.mkdir()


def _device(path: Path, _outside: Path) -> None:
    path.symlink_to("/dev/zero")


@pytest.mark.parametrize("trap", [_fifo, _link, _dangling, _folder, _device])
def test_what_is_no_file_is_left_alone_and_told(tmp_path: Path, outside: Path, trap: Any) -> None:
    homes_of(tmp_path, "alice")
    (home(tmp_path) / "physics").mkdir()
    trap(home(tmp_path) / "physics/README.md", outside)
    began = time.monotonic()
    said = answers(tmp_path, WEEK1)[0]
    assert time.monotonic() - began < 5
    assert said["skipped"] == ["README.md: something is there that is no file"]
    assert said["new"] == 2
    assert content(outside) == {"secret": b"untouched"}


def test_a_home_that_is_a_link_is_none(tmp_path: Path, outside: Path) -> None:
    (tmp_path / "users/alice").mkdir(parents=True)
    home(tmp_path).symlink_to(outside)
    homes_of(tmp_path, "bob")
    assert [answer["id"] for answer in answers(tmp_path, WEEK1, ["alice", "bob"])] == ["bob"]
    assert content(outside) == {"secret": b"untouched"}


def test_a_link_in_place_of_the_whole_account_is_none(tmp_path: Path, outside: Path) -> None:
    (outside / "home").mkdir()
    (tmp_path / "users").mkdir()
    (tmp_path / "users/alice").symlink_to(outside)
    assert answers(tmp_path, WEEK1, ["alice"]) == [{"id": "alice", "error": "the home is gone"}]
    assert content(outside) == {"secret": b"untouched"}


def test_folders_that_are_swapped_for_links_meanwhile_lead_nowhere(tmp_path: Path, outside: Path) -> None:
    """A program of the student's plays the race for as long as files come."""
    homes_of(tmp_path, "alice")
    (home(tmp_path) / "physics/week1").mkdir(parents=True)
    (home(tmp_path) / "physics/trap").symlink_to(outside)
    swapper = (
        "import ctypes, sys, os\n"
        "os.chdir(sys.argv[1])\n"
        "libc, here, exchange = ctypes.CDLL(None, use_errno=True), -100, 2\n"
        "while libc.renameat2(here, b'week1', here, b'trap', exchange) == 0:\n"
        "    pass\n"
    )
    files = [f"week1/{number}/x" for number in range(150)]  # each opens week1 anew
    argv = [sys.executable, "-c", swapper, str(home(tmp_path) / "physics")]
    with subprocess.Popen(argv) as process:
        try:
            for day in range(6):
                answers(tmp_path, dict.fromkeys(files, b"%d" % day), day=f"2026112{day}")
            assert process.poll() is None
        finally:
            process.kill()
    assert content(outside) == {"secret": b"untouched"}


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that every account can reach."""
    with tempfile.TemporaryDirectory(prefix="homes-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_folder_that_the_student_has_closed_is_told(open_path: Path) -> None:
    """As nobody in particular: root may enter everything."""
    homes_of(open_path, "alice", "bob")
    (home(open_path) / "physics").mkdir(mode=0o500)
    for path in open_path.rglob("*"):
        os.chown(path, 12345, 12345)
    os.chown(open_path, 12345, 12345)
    word, data = sent(WEEK1)
    command = f"import json, sys; sys.path.insert(0, {str(FILES)!r}); from hpcampus_gateway import tree, config; "
    command += f"tree.serve(config.Config('hub', {str(open_path)!r}, (), 'x', 'y'), tree.parse_word({word!r}), sys.stdin.buffer,"
    command += " lambda answer: print(json.dumps(answer)))"
    argv = [
        "/usr/bin/setpriv",
        "--reuid=12345",
        "--regid=12345",
        "--clear-groups",
        "/usr/bin/python3",
        "-I",
        "-c",
        command,
    ]
    done = subprocess.run(argv, input=data, capture_output=True, check=False, cwd="/")
    assert done.stderr == b""
    alice, bob, _ = [json.loads(line) for line in done.stdout.splitlines()]
    assert sorted(alice["skipped"]) == [
        "README.md: Permission denied",
        "physics/week1: Permission denied",
        "physics/week1: Permission denied",
    ]
    assert (alice["new"], bob["new"]) == (0, 3)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_home_is_told_and_the_others_go_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    homes_of(tmp_path, "alice", "bob")
    answers(tmp_path, {"first": b"1"}, ["alice"])
    write, full = os.write, (tmp_path / "users/alice").stat().st_ino

    def limited(handle: int, data: bytes) -> int:
        folder = Path(f"/proc/self/fd/{handle}").readlink().parents[2]
        if folder.exists() and folder.stat().st_ino == full:
            raise OSError(number, os.strerror(number))
        return write(handle, data)

    monkeypatch.setattr(homes.os, "write", limited)
    alice, bob = answers(tmp_path, WEEK1)
    assert alice["error"].startswith("the home is full (")
    assert (alice["new"], bob["new"], bob["error"]) == (0, 3, "")
    assert content(tmp_path / "users/alice/sync/incoming") == {}
    monkeypatch.undo()
    assert outcome(answers(tmp_path, WEEK1)[0]) == {"new": 3}


def test_a_really_full_disk_leaves_nothing_half(tmp_path: Path) -> None:
    """A small file system of its own, filled to the brim; one home is a mount of its own too, where no hard link reaches."""
    homes_of(tmp_path, "alice", "bob")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "none", home(tmp_path)], check=True)
    try:
        files = {f"{number:02}": bytes(20_000) for number in range(20)}
        alice, bob = answers(tmp_path, files)
        assert alice["error"] == "the home is full (No space left on device); make room, the rest comes by itself"
        assert 0 < alice["new"] < 20
        assert bob["new"] == 20
        found = content(home(tmp_path))
        assert len(found) == alice["new"]
        assert set(found.values()) == {bytes(20_000)}
    finally:
        subprocess.run(["umount", home(tmp_path)], check=True)


# --- what is refused ---


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (tar({"../out": b"x"}), "no path inside"),
        (tar({"/etc/cron.d/x": b"x"}), "no path inside"),
        (tar({"a//b": b"x"}), "no path inside"),
        (tar({"a/./b": b"x"}), "no path inside"),
        (tar({"a\nb": b"x"}), "no path inside"),
        (tar({"a\\b": b"x"}), "no path inside"),
        (tar({"x" * 256: b"x"}), "no path inside"),
        (tar({"/".join("a" * 40): b"x"}), "no path inside"),
        (tar({"a": b"x", "a/b": b"x"}), "below a file"),
        (tar({"a": b"x"})[:1024] + tar({"a": b"y"}), "there twice"),
        (tar({}, link_member("a", tarfile.SYMTYPE)), "no plain file"),
        (tar({}, link_member("a", tarfile.LNKTYPE)), "no plain file"),
        (tar({}, link_member("a", tarfile.CHRTYPE)), "no plain file"),
        (tar({}, link_member("a", tarfile.FIFOTYPE)), "no plain file"),
        (tar({}, link_member("a", tarfile.DIRTYPE)), "no plain file"),
        (b"this is no archive" * 100, "no tar"),
    ],
)
def test_a_tar_that_is_not_as_it_must_be_changes_no_home(tmp_path: Path, data: bytes, words: str) -> None:
    homes_of(tmp_path, "alice")
    with pytest.raises(tree.TreeError, match=words):
        answers(tmp_path, data)
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["alice", "home", "users"]


def test_a_name_that_is_no_text_is_refused(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice")
    with pytest.raises(tree.TreeError, match="no text"):
        answers(tmp_path, tar({b"N\xffME".decode("utf-8", "surrogateescape"): b"x"}))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[:-1], "ended 1 bytes too early"),
        (lambda data: data[:100] + b"X" + data[101:], "do not have the hash"),
    ],
)
def test_what_was_damaged_on_its_way_changes_no_home(tmp_path: Path, change: Any, words: str) -> None:
    homes_of(tmp_path, "alice")
    data = tar(WEEK1)
    word = ("physics", hashlib.sha256(data).hexdigest(), len(data))
    with pytest.raises(tree.TreeError, match=words):
        tree.serve(site(str(tmp_path)), word, io.BytesIO(header(None) + change(data)), print)
    assert content(home(tmp_path)) == {}


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"", "no JSON object"),
        (b"[]\n", "members and day"),
        (b'{"members": []}\n', "members and day"),
        (b'{"members": [], "day": "20261126", "more": 1}\n', "members and day"),
        (b'{"members": ["../x"], "day": "20261126"}\n', "short names"),
        (b'{"members": ["A"], "day": "20261126"}\n', "short names"),
        (b'{"members": [1], "day": "20261126"}\n', "short names"),
        (b'{"members": "alice", "day": "20261126"}\n', "a list"),
        (b'{"members": null, "day": "../../../"}\n', "eight digits"),
        (b'{"members": ["\xff"], "day": "20261126"}\n', "no JSON object"),
        (b"[" * 5_000_000 + b"\n", "no JSON object"),
    ],
)
def test_a_wrong_first_line_is_refused(tmp_path: Path, line: bytes, words: str) -> None:
    with pytest.raises(errors.BadRequestError, match=words):
        tree.serve(site(str(tmp_path)), (), io.BytesIO(line), print)


def test_more_than_may_come_is_refused_before_it_is_read(tmp_path: Path) -> None:
    with pytest.raises(errors.BadRequestError, match="bytes at most"):
        tree.serve(site(str(tmp_path)), ("physics", "0" * 64, tree.TREE_MAX_BYTES + 1), io.BytesIO(header(None)), print)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tree, "FILES_MAX", 2)
    with pytest.raises(tree.TreeError, match="more than 2 files"):
        answers(tmp_path, WEEK1)


@pytest.mark.parametrize("mode", ["pool", "students"])
def test_homes_under_accounts_of_their_own_are_refused_with_the_reason(tmp_path: Path, mode: str) -> None:
    config: Any = site(str(tmp_path))
    config = config._replace(accounts=accounts.Accounts(mode, "hpcampus", ("p1",), "/srv/x"))
    with pytest.raises(errors.BadRequestError, match=f"accounts.mode is {mode}"):
        tree.serve(config, (), io.BytesIO(header(None)), print)


def test_the_words_are_read() -> None:
    assert tree.parse_word("homes") == ()
    assert tree.parse_word(f"tree a-1 {'0' * 64} 17") == ("a-1", "0" * 64, 17)


@given(
    st.one_of(
        st.text(max_size=60),
        st.from_regex(r"\A(homes|tree) ?[a-z/.-]{0,8} ?[0-9a-f]{0,70} ?-?[0-9]{0,14}\n?\Z"),
    )
)
def test_every_other_word_is_none_of_these(word: str) -> None:
    found = tree.parse_word(word)
    if found:
        course, sha256, size = found
        assert word == f"tree {course} {sha256} {size}"
        assert set(course) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    else:
        assert (found == ()) == (word == "homes")


# --- the program itself ---


def settings(base: Path) -> Path:
    path = base / "gateway.json"
    path.write_text(json.dumps({"hub_id": "hub", "base_dir": str(base), "partitions": [], "apptainer": "apptainer"}))
    return path


def program(base: Path, word: str) -> subprocess.Popen[bytes]:
    argv = [sys.executable, "-I", str(FILES / "gateway.py"), "--config", str(settings(base))]
    pipe = subprocess.PIPE
    return subprocess.Popen(argv, env={"SSH_ORIGINAL_COMMAND": word}, stdin=pipe, stdout=pipe, stderr=pipe)


def sent(files: dict[str, bytes], members: list[str] | None = None) -> tuple[str, bytes]:
    data = tar(files)
    return f"tree physics {hashlib.sha256(data).hexdigest()} {len(data)}", header(members) + data


def test_the_program_brings_files_and_answers_home_by_home(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice", "bob")
    word, data = sent(WEEK1)
    with program(tmp_path, word) as process:
        out, err = process.communicate(data)
    assert (process.returncode, err) == (0, b"")
    said = [json.loads(line) for line in out.splitlines()]
    assert [answer.get("id", "done") for answer in said] == ["alice", "bob", "done"]
    assert content(home(tmp_path)) == below(WEEK1)


def test_the_program_says_why_it_refuses(tmp_path: Path) -> None:
    homes_of(tmp_path, "alice")
    word, data = sent({"../x": b"1"})
    with program(tmp_path, word) as process:
        out, err = process.communicate(data)
    assert (process.returncode, out) == (1, b"")
    assert err.decode() == "gateway: '../x' is no path inside a folder\n"


@pytest.mark.processes
def test_killed_in_the_middle_nothing_is_half_and_the_next_time_completes(tmp_path: Path) -> None:
    people = [f"p{number:02}" for number in range(20)]
    homes_of(tmp_path, *people)
    files = {f"week/{number:03}": bytes([number]) * 50_000 for number in range(40)}
    word, data = sent(files)
    for _ in range(5):
        with program(tmp_path, word) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(data)
            process.stdin.close()
            process.stdout.readline()
            process.send_signal(signal.SIGKILL)
        for person in people:
            for name, found in content(home(tmp_path, person)).items():
                assert found == files[name.removeprefix("physics/")]
    for leftover in tmp_path.glob("users/*/sync/incoming/*"):
        os.utime(leftover, (1, 1))
    last = answers(tmp_path, files)
    assert sum(answer["new"] for answer in last) < 800
    assert {answer["same"] + answer["new"] for answer in last} == {40}
    assert all(content(home(tmp_path, person)) == below(files) for person in people)
    assert list(tmp_path.glob("users/*/home/**/.hpcampus-*")) == []
    assert list(tmp_path.glob("users/*/sync/incoming/*")) == []


@pytest.mark.processes
def test_two_hundred_homes(tmp_path: Path, record_property: Any) -> None:
    people = [f"s{number:03}" for number in range(200)]
    homes_of(tmp_path, *people)
    files = {f"week1/{number:02}.ipynb": os.urandom(20_000) for number in range(20)}
    began = time.monotonic()
    said = answers(tmp_path, files, people)
    first = time.monotonic() - began
    began = time.monotonic()
    again = answers(tmp_path, files, people)
    second = time.monotonic() - began
    record_property("seconds", f"{first:.1f} the first time, {second:.1f} the second")
    assert [outcome(answer) for answer in said] == [{"new": 20}] * 200
    assert [outcome(answer) for answer in again] == [{"same": 20}] * 200
    assert first < 120
    assert second < 30
