# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The warm standby: mounts that reach a running container, and a hand-over that counts once."""

import http.client
import json
import os
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.gateway.loading import load

main = load("hpcampus_job.main")
standby = load("hpcampus_job.standby")
log = load("hpcampus_job.log")
SECRET = "0123456789abcdef"

# Stands for the container: tells what it sees before and after it got its line.
PROGRAM = """
import json, os, sys
home, data = sys.argv[1] + "/m/home", sys.argv[1] + "/m/coursedata"
print(json.dumps([os.listdir(home), os.listdir(data)]), flush=True)
line = json.loads(sys.stdin.readline())
open(home + "/new", "w").write(line["text"])
try:
    open(data + "/new", "w")
    refused = False
except OSError:
    refused = True
print(json.dumps([sorted(os.listdir(home)), os.listdir(data), refused]), flush=True)
"""


def begin(directory: Path) -> tuple[Any, Any]:
    argv = [sys.executable, "-I", "-c", PROGRAM, str(directory)]
    process, answer = standby.start_stage(argv, str(directory), dict(os.environ))
    return process, answer


@pytest.mark.processes
def test_what_is_mounted_later_is_seen_by_what_runs(tmp_path: Path) -> None:
    private, home, data = tmp_path / "private", tmp_path / "home", tmp_path / "data"
    for directory in (private, home, data):
        directory.mkdir()
    (home / "mine").touch()
    (data / "table").touch()
    process, answer = begin(private)
    assert json.loads(process.stdout.readline()) == [[], []]
    binds = [[str(home), "home", "rw"], [str(data), "coursedata", "ro"]]
    standby.give(process, answer, binds, {"text": "hello"})
    assert json.loads(process.stdout.readline()) == [["mine", "new"], ["table"], True]
    assert process.wait(20) == 0
    assert (home / "new").read_text() == "hello"
    assert list((private / "m").iterdir()) == [], "the mounts are seen by the stage and its container only"


@pytest.mark.processes
def test_a_directory_that_is_not_there_ends_the_standby(tmp_path: Path) -> None:
    process, answer = begin(tmp_path)
    with pytest.raises(log.JobError, match="No such file"):
        standby.give(process, answer, [[str(tmp_path / "none"), "home", "rw"]], {"text": ""})
    assert process.wait(20) != 0


@pytest.mark.processes
def test_a_standby_that_is_not_needed_ends_when_it_is_told(tmp_path: Path) -> None:
    process, _ = begin(tmp_path)
    process.stdout.readline()
    process.terminate()
    assert process.wait(20) == 143


class Caller:
    """The hub's end."""

    def __init__(self, directory: Path) -> None:
        self._path = str(directory / "notebook.sock")

    def ask(self, method: str, body: object = None, secret: str = SECRET, **headers: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("job")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(10)
        connection.sock.connect(self._path)
        text = None if body is None else json.dumps(body)
        connection.request(method, "/", text, {"Authorization": f"hpcampus {secret}", **headers})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())

    def closed(self) -> bool:
        """Whether nobody listens any more."""
        for _ in range(100):
            try:
                with socket.socket(socket.AF_UNIX) as probe:
                    probe.connect(self._path)
            except OSError:
                return True
            time.sleep(0.02)
        return False


def listen(tmp_path: Path, take: Callable[[object], None], given_up: list[int]) -> Caller:
    (tmp_path / "s").mkdir()
    standby.HandOver(str(tmp_path), SECRET, take, lambda: given_up.append(1)).start()
    return Caller(tmp_path)


def test_a_standby_is_handed_over_once(tmp_path: Path) -> None:
    taken: list[object] = []
    caller = listen(tmp_path, taken.append, [])
    assert caller.ask("GET") == (503, {"standby": "starting"})
    assert caller.ask("POST", {"user_id": "alice"})[0] == 503
    (tmp_path / "s" / "warm").touch()
    assert caller.ask("GET") == (200, {"standby": "warm"})
    assert caller.ask("POST", {"user_id": "alice"}) == (200, {"ok": True})
    assert taken == [{"user_id": "alice"}]
    assert caller.closed()


def test_a_wrong_secret_is_refused_and_the_third_ends_the_job(tmp_path: Path) -> None:
    taken: list[object] = []
    given_up: list[int] = []
    caller = listen(tmp_path, taken.append, given_up)
    (tmp_path / "s" / "warm").touch()
    for secret in ("", SECRET[:-1], "é" * 8):
        assert caller.ask("POST", {}, secret.encode().decode("latin-1"))[0] == 403
    assert caller.closed()
    assert (taken, given_up) == ([], [1])


def test_a_request_that_breaks_a_rule_changes_nothing(tmp_path: Path) -> None:
    taken: list[object] = []

    def take(request: object) -> None:
        if request != {"user_id": "alice"}:
            raise ValueError("user_id: not allowed here")
        taken.append(request)

    caller = listen(tmp_path, take, [])
    (tmp_path / "s" / "warm").touch()
    assert caller.ask("POST", {"user_id": "../bob"}) == (400, {"message": "user_id: not allowed here"})
    assert caller.ask("POST", **{"Content-Length": str(10**9)})[0] == 400
    assert caller.ask("POST", {"user_id": "alice"})[0] == 200
    assert taken == [{"user_id": "alice"}]


def test_a_waiting_container_opens_no_file_through_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    """From the stage's user namespace it may not; it has no environment of its own yet, but a scratch directory."""
    started: list[list[str]] = []

    class Scratch:
        def binds(self) -> list[tuple[str, str, str]]:
            return [("/tmp/j/scratch", "/scratch", "rw")]

    def start(argv: list[str], _private_dir: str) -> None:
        started.append(argv)
        raise log.JobError("enough")

    monkeypatch.setattr(main, "start_stage", start)
    with pytest.raises(log.JobError, match="enough"):
        main.run_standby("/srv/h", {"apptainer": "apptainer", "image": "base"}, "/tmp/j", dict, None, Scratch())
    ((*argv,),) = started
    assert argv[argv.index("--env-file") + 1] == "/dev/null"
    assert {"/tmp/j/scratch:/scratch:rw", "/tmp/j/m/coursedata:/coursedata:ro"} <= set(argv)


def test_a_handed_over_standby_gets_the_data_of_the_persons_courses() -> None:
    binds = [("/srv/h/coursedata/py1", "/coursedata", "ro"), ("/srv/h/shareddata", "/shareddata", "ro")]
    assert standby.stage_binds("/srv/h", {"user_id": "alice"}, binds) == [
        ["/srv/h/users/alice/home", "home", "rw"],
        ["/srv/h/coursedata/py1", "coursedata", "ro"],
        ["/srv/h/shareddata", "shareddata", "ro"],
    ]
