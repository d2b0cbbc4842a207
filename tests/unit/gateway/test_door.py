# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The door of a job: what its sshd lets in and what it refuses, and how the gateway leads there."""

import json
import os
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import types
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateway.loading import FILES, load
from tests.unit.gateway.samples import KEY, PUBLIC_KEY, SPAWN, request, site

checks = load("hpcampus_gateway.checks")
errors = load("hpcampus_gateway.errors")
gateway_door = load("hpcampus_gateway.door")
operations = load("hpcampus_gateway.operations")
slurm = load("hpcampus_gateway.slurm")
door = load("hpcampus_job.door")
enter = load("hpcampus_job.enter")
files = load("hpcampus_job.files")
log = load("hpcampus_job.log")
main = load("hpcampus_job.main")

NAME = "fedcba9876543210fedcba9876543210"
DOOR: dict[str, Any] = {"name": NAME, "host_key": KEY, "authorized_key": PUBLIC_KEY, "port": 0, "api_port": 25017}


def with_door(**changes: object) -> dict[str, object]:
    secrets: Any = dict(request()["secrets"])  # type: ignore[call-overload]
    del secrets["tunnel"]
    return request(secrets={**secrets, "door": {**DOOR, **changes}})


# --- the gateway


@pytest.mark.parametrize("port", [0, 20017])
def test_a_door_passes(port: int) -> None:
    assert checks.check_submit(with_door(port=port), site())["secrets"]["door"] == {**DOOR, "port": port}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "../x"},
        {"name": "f" * 31},
        {"host_key": "none"},
        {"authorized_key": PUBLIC_KEY + " comment"},
        {"authorized_key": 'command="id" ' + PUBLIC_KEY},
        {"authorized_key": PUBLIC_KEY + "\n" + PUBLIC_KEY},
        {"port": 22},
        {"port": -1},
        {"port": True},
        {"port": "20017"},
        {"port": None},
        {"api_port": 0},
        {"more": 1},
    ],
)
def test_a_door_that_breaks_a_rule_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(errors.BadRequestError):
        checks.check_submit(with_door(**changes), site())


def test_a_job_has_a_tunnel_or_a_door() -> None:
    both: Any = dict(request()["secrets"])  # type: ignore[call-overload]
    neither = {name: value for name, value in both.items() if name != "tunnel"}
    for secrets in ({**both, "door": DOOR}, neither):
        with pytest.raises(errors.BadRequestError, match="either tunnel or door"):
            checks.check_submit(request(secrets=secrets), site())


def test_words_of_a_door() -> None:
    assert gateway_door.parse_word(f"relay 7 {SPAWN}") == ("relay", 7, SPAWN)
    assert gateway_door.parse_word(f"forward 123 {SPAWN}") == ("forward", 123, SPAWN)


@given(st.text() | st.from_regex(r"(relay|forward|session) .{0,8} [0-9a-f]{30,33}.?"))
def test_no_other_word_is_one_of_a_door(word: str) -> None:
    parsed = gateway_door.parse_word(word)
    assert parsed is None or word == f"{parsed[0]} {parsed[1]} {parsed[2]}"


@pytest.mark.parametrize("tail", ["", " x", "\n", ";id", " 20017"])
def test_a_word_with_more_is_none(tail: str) -> None:
    assert gateway_door.parse_word(f"direct 7 {SPAWN}{tail}") is None
    assert tail == "" or gateway_door.parse_word(f"relay 7 {SPAWN}{tail}") is None


def test_the_step_takes_nothing_of_the_job_and_buffers_nothing() -> None:
    argv = slurm.relay_argv(site("/srv/h"), 7, SPAWN)
    assert argv[0] == "srun"
    assert {"--overlap", "--jobid=7", "--unbuffered", "--input=0", "--export=NONE"} <= set(argv)
    assert not {"--label", "--pty"} & set(argv)
    assert argv[-5:] == ["/srv/h/lib/job.py", "/srv/h", SPAWN, "/srv/h/lib", "door"]


def queue_of(tmp_path: Path, *, record: str | None = "7 20017 " + NAME, **changes: Any) -> Any:
    """Operations with one job in the queue."""
    (tmp_path / "jobs").mkdir(exist_ok=True)
    if record is not None:
        (tmp_path / "jobs" / SPAWN).write_text(record)
    job = slurm.Job(7, "RUNNING", "None", "127.0.0.1", None, "hpcampus", "hub", "alice", "", SPAWN)._replace(**changes)
    made = operations.Operations(site(str(tmp_path)), types.SimpleNamespace(env={"PATH": "/nonexistent"}))
    made.queue = lambda: [job]
    return made


def test_the_door_of_a_running_job_of_this_hub(tmp_path: Path) -> None:
    job, port = queue_of(tmp_path).door_of(7, SPAWN)
    assert (job.nodes, port) == ("127.0.0.1", 20017)
    assert queue_of(tmp_path, record=f"7 0 {NAME}").door_of(7, SPAWN)[1] == 0


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"hub_id": "other"}, "no such job of this hub"),
        ({"job_id": 8}, "no such job"),
        ({"spawn_id": "f" * 32}, "no such job"),
        ({"state": "PENDING"}, "does not run: PENDING"),
        ({"record": None}, "no door"),
        ({"record": "7"}, "no door"),
        ({"record": "7 0 "}, "no door"),
        ({"record": f"8 20017 {NAME}"}, "no door"),
        ({"record": f"7 x {NAME}"}, "no door"),
    ],
)
def test_nobody_elses_job_is_led_to(tmp_path: Path, changes: dict[str, Any], reason: str) -> None:
    with pytest.raises(errors.BadRequestError, match=reason):
        queue_of(tmp_path, **changes).door_of(7, SPAWN)


def test_submit_takes_the_door_down(tmp_path: Path) -> None:
    for folder in ("images", "jobs", "spawns"):
        (tmp_path / folder).mkdir()
    (tmp_path / "images" / "base.sif").touch()
    ran: list[list[str]] = []

    def run(argv: list[str]) -> str:
        ran.append(argv)
        return "7"

    made = operations.Operations(site(str(tmp_path)), types.SimpleNamespace(run=run))
    for _ in range(2):
        assert made.op_submit(with_door(port=20017)) == {"job_id": 7}
    assert len(ran) == 1
    assert (tmp_path / "jobs" / SPAWN).read_text() == f"7 20017 {NAME}"
    assert NAME not in " ".join(ran[0])
    assert json.loads((tmp_path / "spawns" / f"{SPAWN}.json").read_text())["secrets"]["door"]["name"] == NAME


@pytest.mark.parametrize(("way", "record"), [("relay", f"7 20017 {NAME}"), ("forward", f"7 0 {NAME}")])
def test_the_other_way_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str], way: str, record: str) -> None:
    assert gateway_door.carry(queue_of(tmp_path, record=record), site(), slurm.Slurm("/"), way, 7, SPAWN) == 77
    assert "another door" in capsys.readouterr().err


FORWARD = """
import sys, types
sys.path.insert(0, sys.argv[1])
from hpcampus_gateway import door
job = types.SimpleNamespace(nodes="127.0.0.1")
sys.exit(door.carry(types.SimpleNamespace(door_of=lambda *_: (job, int(sys.argv[2]))), None, None, "forward", 7, "x"))
"""


def test_forward_carries_both_ways_and_tells_what_it_cannot_reach() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def echo() -> None:
            client = server.accept()[0]
            with client:
                while data := client.recv(65536):
                    client.sendall(data.upper())

        threading.Thread(target=echo, daemon=True).start()
        argv = [sys.executable, "-c", FORWARD, str(FILES), str(port)]
        with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            threading.Thread(target=process.stdin.write, args=(b"x" * 1_000_000,), daemon=True).start()
            assert process.stdout.read(1_000_000) == b"X" * 1_000_000
            process.stdin.close()
            assert process.wait(5) == 0
    done = subprocess.run(argv, capture_output=True, stdin=subprocess.DEVNULL, check=False)
    assert done.returncode == 69
    assert b"forward: node 127.0.0.1, port" in done.stderr


# --- the job's side


def test_the_configuration_allows_sockets_and_nothing_else() -> None:
    lines = door.sshd_config("/tmp/j", "/proc/1/fd/5", "hpcampus").splitlines()
    assert {
        "HostKey /proc/1/fd/5",
        "AuthorizedKeysFile /tmp/j/authorized_keys",
        "AllowUsers hpcampus",
        "AuthenticationMethods publickey",
        "UsePAM no",
        "PermitOpen [/tmp/j/notebook.sock]:*",
        "PermitListen none",
        "AllowStreamLocalForwarding yes",
        "StreamLocalBindUnlink no",
        "StreamLocalBindMask 0177",
        "MaxSessions 0",
        "PermitTTY no",
        "ForceCommand /bin/false",
    } <= set(lines)


def test_only_sockets_at_which_somebody_listens_count(tmp_path: Path) -> None:
    folder = Path(tempfile.mkdtemp(dir="/tmp"))
    try:
        (folder / "file.sock").touch()
        with socket.socket(socket.AF_UNIX) as idle, socket.socket(socket.AF_UNIX) as live:
            idle.bind(str(folder / "idle.sock"))
            live.bind(str(folder / "live.sock"))
            live.listen()
            assert door.listening_sockets(str(folder)) == {"live.sock"}
        assert door.listening_sockets(str(folder)) == set()
    finally:
        shutil.rmtree(folder)
    assert door.listening_sockets(str(tmp_path)) == set()


def test_a_port_that_is_taken_ends_the_job_with_the_reason() -> None:
    with (
        socket.create_server(("0.0.0.0", 0)) as taken,  # noqa: S104 (as the door does)
        pytest.raises(log.JobError, match=r"port \d+ of this node"),
    ):
        door.listen(taken.getsockname()[1])


def test_a_node_without_sshd_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(door.shutil, "which", lambda *_, **__: None)
    with pytest.raises(log.JobError, match="no sshd program"):
        door.find_sshd()


def test_the_private_directory_has_the_hubs_name_and_is_nobody_elses(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(files, "PRIVATE_ROOT", str(tmp_path))
    path, lock = files.locked_dir(NAME)
    os.close(lock)
    assert path == f"{tmp_path}/hpcampus-{NAME}"
    assert stat.S_IMODE(Path(path).stat().st_mode) == 0o700
    with pytest.raises(log.JobError, match="cannot be made"):
        files.locked_dir(NAME)


def test_only_a_directory_of_our_own_is_entered(tmp_path: Path) -> None:
    path = tmp_path / "j"
    assert not enter.is_ready(str(path))
    path.mkdir(mode=0o700)
    assert not enter.is_ready(str(path))
    (path / "sshd_config").touch()
    assert enter.is_ready(str(path))
    path.chmod(0o755)
    with pytest.raises(log.JobError, match="not its own"):
        enter.is_ready(str(path))
    path.chmod(0o700)
    (tmp_path / "link").symlink_to(path)
    with pytest.raises(log.JobError, match="not its own"):
        enter.is_ready(str(tmp_path / "link"))


@pytest.mark.parametrize("record", [None, "", "7", "7 0 "])
def test_a_job_without_a_door_is_not_entered(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], record: str | None
) -> None:
    (tmp_path / "jobs").mkdir()
    if record is not None:
        (tmp_path / "jobs" / SPAWN).write_text(record)
    assert enter.main(str(tmp_path), SPAWN) == 69
    assert "nothing is known of a door" in capsys.readouterr().err


def test_a_directory_of_another_account_is_not_entered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "j"
    path.mkdir(mode=0o700)
    monkeypatch.setattr(enter.os, "getuid", lambda: path.stat().st_uid + 1)
    with pytest.raises(log.JobError, match="not its own"):
        enter.is_ready(str(path))
