# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person's WebDAV folder in a job: its place, the way of the password, and a real mount of a real server."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.gateway.dav_server import PASSWORD, USER, DavServer
from tests.unit.gateway.loading import load

container = load("hpcampus_job.container")
folder = load("hpcampus_job.webdav")
main = load("hpcampus_job.main")
program = load("webdav")
start = load("start")

ROOT = Path(__file__).parents[3]
SETTINGS = {"url": "https://cloud.example.org/dav/", "user": USER, "password": PASSWORD, "name": "cloud"}


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "users/alice/home").mkdir(parents=True)
    (tmp_path / "private/s").mkdir(parents=True)
    return tmp_path


def prepared(base: Path, settings: object = SETTINGS) -> object:
    spawn = {"user_id": "alice", "secrets": {"webdav": settings} if settings else {}}
    return folder.prepare_folder(str(base), spawn, str(base / "private"))


def note(base: Path) -> Path:
    return base / "users/alice/home/cloud-not-connected.txt"


def test_without_a_folder_nothing_changes(base: Path) -> None:
    with prepared(base, None) as nothing:  # type: ignore[attr-defined]
        assert (nothing.argv, nothing.stop_seconds) == ([], 0)
    assert not list((base / "private/s").iterdir())


def test_the_password_lies_in_a_pipe_and_nowhere_else(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "DEVICE", "/dev/null")
    with prepared(base) as made:  # type: ignore[attr-defined]
        assert made.argv == [
            "--bind",
            f"{base}/lib/webdav.py:/opt/hpcampus/webdav.py:ro",
            "--fusemount",
            "container:python3 -s /opt/hpcampus/webdav.py cloud /home/jovyan/cloud",
        ]
        pipe = base / "private/s/webdav"
        assert stat.S_ISFIFO(pipe.stat().st_mode)
        assert stat.S_IMODE(pipe.stat().st_mode) == 0o600
        for path in base.rglob("*"):
            assert not path.is_file() or PASSWORD.encode() not in path.read_bytes()
        monkeypatch.setattr(program, "PIPE", str(pipe))
        assert program.receive() == SETTINGS
        assert not pipe.exists()
    assert stat.S_IMODE((base / "users/alice/home/cloud").stat().st_mode) == 0o500


def test_a_pipe_that_nobody_filled_is_an_error_and_no_wait(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    os.mkfifo(base / "pipe")
    monkeypatch.setattr(program, "PIPE", str(base / "pipe"))
    with pytest.raises(ValueError, match="Expecting value"):
        program.receive()


@pytest.mark.parametrize("what", ["file", "link", "full"])
def test_a_place_that_is_taken_leaves_the_folder_out_and_says_so(
    base: Path, what: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folder, "DEVICE", "/dev/null")
    place, elsewhere = base / "users/alice/home/cloud", base / "elsewhere"
    elsewhere.mkdir()
    if what == "file":
        place.write_text("mine")
    elif what == "link":
        place.symlink_to(elsewhere)
    else:
        place.mkdir()
        (place / "thesis.tex").write_text("mine")
    with prepared(base) as made:  # type: ignore[attr-defined]
        assert made.argv == []
    assert "cloud" in note(base).read_text()
    assert PASSWORD not in note(base).read_text()
    assert not list(elsewhere.iterdir())


def test_a_node_without_the_device_leaves_the_folder_out(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "DEVICE", "/dev/no-such-device")
    with prepared(base) as made:  # type: ignore[attr-defined]
        assert made.argv == []
    assert "/dev/no-such-device" in note(base).read_text()


def test_a_note_does_not_follow_the_persons_link(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "DEVICE", "/dev/no-such-device")
    victim = base / "victim"
    victim.write_text("another's")
    note(base).symlink_to(victim)
    prepared(base)
    assert victim.read_text() == "another's"
    assert not note(base).is_symlink()


def test_a_container_that_does_not_start_with_the_folder_is_started_without_it(
    base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[list[str]] = []

    def run_server(argv: list[str], *_: object) -> int:
        ran.append(argv)
        return 255 if "--fusemount" in argv else 0

    class Quiet:
        status = None

    spawn = {"user_id": "alice", "image": "base", "apptainer": "/usr/bin/apptainer"}
    monkeypatch.setattr(main, "run_server", run_server)
    home = str(base / "users/alice/home")
    made = folder.Folder(folder.folder_argv("/srv/lib", "cloud"), 1, place=(home, "cloud"))
    private = str(base / "private")
    assert main.run_in_container(str(base), spawn, private, "/env", [], made, Quiet()) == 0
    assert ["--fusemount" in argv for argv in ran] == [True, False]
    assert "was started without it" in note(base).read_text()
    ran.clear()
    (base / "private/notebook.sock").touch()  # it was up: its end is its own
    assert main.run_in_container(str(base), spawn, private, "/env", [], made, Quiet()) == 255
    assert len(ran) == 1


def test_rclones_configuration_and_command_line() -> None:
    text = program.config_text(SETTINGS, "obscured")
    assert text.splitlines() == [
        "[folder]",
        "type = webdav",
        "url = https://cloud.example.org/dav/",
        "vendor = other",
        "user = alice",
        "pass = obscured",
    ]
    argv = program.rclone_argv("/dev/fd/3", "/proc/self/fd/4")
    assert argv[:4] == ["rclone", "mount2", "folder:", "/dev/fd/3"]
    assert {"--vfs-cache-max-size", "--contimeout", "--timeout"} <= set(argv)
    assert program.vendor("https://c/remote.php/dav/files/a/") == "nextcloud"
    assert program.vendor("https://c/remote.php/webdav/") == "owncloud"


@pytest.mark.parametrize(
    ("status", "part"), [(401, "refuses"), (403, "refuses"), (404, "no folder"), (302, "302"), (200, "200")]
)
def test_only_a_right_answer_is_good(status: int, part: str) -> None:
    assert part in program.judge(status)
    assert program.judge(207) is None


def test_what_is_not_uploaded_is_known_and_saved(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = base / "cache"
    monkeypatch.setattr(program, "CACHE", str(cache))
    monkeypatch.setattr(program, "HOME", str(base / "home"))
    states = {
        "done": {"Dirty": False, "Size": 4, "Rs": [{"Pos": 0, "Size": 4}]},
        "a/new": {"Dirty": True, "Size": 4, "Rs": [{"Pos": 0, "Size": 4}]},
        "part": {"Dirty": True, "Size": 9, "Rs": [{"Pos": 0, "Size": 4}]},
    }
    for path, state in states.items():
        for kind, text in (("vfsMeta", json.dumps(state)), ("vfs", "data")):
            file = cache / kind / "folder" / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    (cache / "vfsMeta/folder/half").write_text("{")
    left = program.waiting()
    assert set(left) == {"a/new", "part", "half"}
    assert program.rescue("cloud", left) == ["a/new"]
    assert (base / "home/cloud-not-uploaded/a/new").read_text() == "data"
    assert not (base / "home/cloud-not-uploaded/part").exists()


def test_a_server_without_a_folder_ends_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(start, "FOLDER_PID_FILE", str(tmp_path / "pid"))
    start.end_folder()
    (tmp_path / "pid").write_text("not a number")
    start.end_folder()


# --- a real mount -----------------------------------------------------------------------------------------------------


@pytest.fixture
def dav(tmp_path: Path) -> Iterator[DavServer]:
    directory = tmp_path / "dav"
    directory.mkdir()
    server = DavServer(directory)
    yield server
    server.stop()


class Node:
    """A node's directory, prepared as the job does."""

    def __init__(self, directory: Path, dav: DavServer) -> None:
        assert os.access("/dev/fuse", os.R_OK | os.W_OK), "these tests mount: make /dev/fuse 0666, as udev does"
        assert shutil.which("rclone"), "these tests need rclone, which requirements/dev.txt brings"
        self.directory = directory
        (directory / "s").mkdir(parents=True)
        (directory / "home").mkdir()
        self.home = directory / "home"
        self._dav = dav

    def run(self, code: str, **changes: str) -> str:
        """Mount the folder, run code as the notebook server; gives what the job's log gets."""
        settings = {**SETTINGS, "url": self._dav.url, **changes}
        shutil.rmtree(self.directory / "cache", ignore_errors=True)  # a job's own /tmp
        folder.make_place(str(self.home), "cloud")
        shutil.copyfile(self._dav.pem, self.directory / "s/ca-certificates.crt")
        handle = folder.fill_pipe(str(self.directory / "s/webdav"), settings)
        try:
            done = subprocess.run(
                ["unshare", "-Urm", sys.executable, "-m", "tests.unit.gateway.fuse_container", self.directory, code],
                cwd=ROOT, check=False, timeout=100, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            )  # fmt: skip
        finally:
            os.close(handle)
        assert PASSWORD not in done.stdout
        return done.stdout


def note_of(node: Node) -> Path:
    return node.home / "cloud-not-connected.txt"


@pytest.fixture
def node(tmp_path: Path, dav: DavServer) -> Node:
    return Node(tmp_path / "node", dav)


WAIT = """
import os, time
deadline = time.monotonic() + 20
while time.monotonic() < deadline:
    try:
        os.listdir("cloud")
        break
    except OSError:
        time.sleep(0.1)
"""

NOTED = """
import os, time
deadline = time.monotonic() + 30
while not os.path.exists("cloud-not-connected.txt") and time.monotonic() < deadline:
    time.sleep(0.1)
print(os.listdir("."))
"""

LOOK = """
import glob
for path in glob.glob("/proc/[0-9]*/cmdline") + glob.glob("/proc/[0-9]*/environ"):
    try:
        text = open(path, "rb").read()
    except OSError:
        continue
    assert "canary-5a17".encode() not in text or b"import glob" in text, path
    print("rclone is there" if b"mount2" in text else "", end="")
"""


@pytest.mark.processes
def test_files_travel_both_ways_and_the_last_one_too(node: Node, dav: DavServer) -> None:
    (dav.files / "from-cloud.txt").write_text("hello")
    said = node.run(
        WAIT
        + LOOK
        + """
print(open("cloud/from-cloud.txt").read())
os.makedirs("cloud/a/b")
open("cloud/a/b/x", "w").write("one")
os.replace("cloud/a/b/x", "cloud/a/y")
with open("cloud/from-cloud.txt", "r+") as stream:
    stream.seek(1); stream.write("EL")
open("cloud/last", "w").write("written at the last moment")
"""
    )
    assert "the folder is connected" in said
    assert "hello" in said, said
    assert "rclone is there" in said
    assert (dav.files / "last").read_text() == "written at the last moment", said
    assert (dav.files / "a/y").read_text() == "one"
    assert (dav.files / "from-cloud.txt").read_text() == "hELlo"
    assert not note_of(node).exists()
    assert not (node.home / "cloud-not-uploaded").exists(), said
    for path in node.directory.rglob("*"):
        assert not path.is_file() or b"canary-5a17" not in path.read_bytes()


@pytest.mark.processes
def test_a_wrong_password_is_tried_once_and_told(node: Node, dav: DavServer) -> None:
    said = node.run(NOTED, password="wrong")
    assert "refuses user name or password" in said
    assert "cloud-not-connected.txt" in said
    assert "refuses user name or password" in note_of(node).read_text()
    assert node.run(WAIT)
    assert not note_of(node).exists()
    assert not list(dav.files.iterdir())


@pytest.mark.processes
def test_a_server_that_is_gone_keeps_nobody_and_nothing_is_lost(node: Node, dav: DavServer) -> None:
    stop = f"import signal, socket; os.kill({os.getpid()}, signal.SIGUSR1); port = {dav.port}"
    before = signal.signal(signal.SIGUSR1, lambda *_: dav.stop())
    said = node.run(
        WAIT
        + stop
        + """
while True:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        break
    time.sleep(0.1)
time.sleep(1)
began = time.monotonic()
open("cloud/kept", "w").write("not lost")
try:
    os.listdir("cloud/none")
except OSError as error:
    print("an error", error)
print("after", time.monotonic() - began < 30)
"""
    )
    signal.signal(signal.SIGUSR1, before)
    assert "after True" in said, said
    assert "1 files were not uploaded, 1 of them are in cloud-not-uploaded" in said
    assert (node.home / "cloud-not-uploaded/kept").read_text() == "not lost"
