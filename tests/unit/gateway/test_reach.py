# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One short job finds out which data paths work; what goes wrong is told, and no job is left."""

import json
import re
import socket
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hpcampus_hub.paths import reach as hub
from tests.unit.gateway.loading import FILES, load
from tests.unit.gateway.samples import HUB, site

errors = load("hpcampus_gateway.errors")
gateway = load("hpcampus_gateway.reach")
operations = load("hpcampus_gateway.operations")
door = load("hpcampus_gateway.door")
slurm = load("hpcampus_gateway.slurm")
job = load("hpcampus_job.reach")


PORTS = [20417, 24999, 20000]


class FakeSlurm:
    """Takes the job in, and is the job: it tells what it is made to tell."""

    def __init__(self, base: Path, facts: list[str]) -> None:
        self.base = base
        self.facts = facts
        self.ran: list[list[str]] = []
        self.state = "RUNNING"
        self.relay: str | None = None
        """What ``srun`` gives back; the token without it."""
        self.probe_id = ""

    def run(self, argv: list[str]) -> str:
        self.ran.append(argv)
        if argv[0] == "sbatch":
            self.probe_id = argv[-3]
            (self.base / "log" / f"{self.probe_id}.log").write_text("\n".join(self.facts))
            return "7"
        if argv[0] == "squeue":
            comment = f"hpcampus:hub:reach-probe::{self.probe_id}"
            nonce = argv[-1].split("|", 1)[0]
            return f"{nonce}|7|{self.state}|Priority|127.0.0.1|N/A|hpcampus|{comment}\n" if self.state else ""
        if argv[0] == "srun":
            if self.relay == "fail":
                raise errors.SlurmError("srun failed (1): access denied")
            return argv[-1] + "\n" if self.relay is None else self.relay
        return ""

    @property
    def programs(self) -> list[str]:
        return [argv[0] for argv in self.ran]


@pytest.fixture
def knocker() -> Iterator[dict[str, Any]]:
    """A port that tells the token which is put into the dictionary."""
    server = socket.create_server(("127.0.0.1", 0))
    says: dict[str, Any] = {"port": server.getsockname()[1], "token": lambda: "x"}

    def serve() -> None:
        while True:
            try:
                client = server.accept()[0]
            except OSError:
                return
            with client:
                client.sendall(says["token"]().encode() + b"\n")

    threading.Thread(target=serve, daemon=True).start()
    yield says
    server.close()


def made(tmp_path: Path, *facts: dict[str, Any]) -> tuple[Any, FakeSlurm]:
    for folder in ("spawns", "log"):
        (tmp_path / folder).mkdir()
    fake = FakeSlurm(tmp_path, ["noise", *(json.dumps(fact) for fact in facts), "{broken"])
    return operations.Operations(site(str(tmp_path)), fake), fake


def ask(**changes: Any) -> dict[str, Any]:
    return {"partition": "jupyter", "hub": HUB, "ports": PORTS, **changes}


def test_all_ways_work(tmp_path: Path, knocker: dict[str, Any]) -> None:
    ops, fake = made(tmp_path, {"port": knocker["port"], "sshd": ""}, {"reverse": ""})
    knocker["token"] = lambda: fake.probe_id
    answer = ops.handle("reach", ask(qos="normal"))
    assert answer["ways"] == {"reverse": "", "relay": "", "forward": "", "direct": ""}
    assert (answer["job_id"], answer["node"], answer["token"]) == (7, "127.0.0.1", fake.probe_id)
    argv = fake.ran[0]
    assert argv[-5:] == [f"{tmp_path}/lib/job.py", str(tmp_path), fake.probe_id, f"{tmp_path}/lib", "reach"]
    assert {"--partition=jupyter", "--qos=normal", "--mem=128M", "--time=3"} <= set(argv)
    message = tmp_path / "spawns" / f"{fake.probe_id}.json"
    assert json.loads(message.read_text()) == {"hub": HUB, "ports": PORTS}
    assert stat.S_IMODE(message.stat().st_mode) == 0o600
    assert "scancel" not in fake.programs


def test_each_way_has_its_own_reason(tmp_path: Path, knocker: dict[str, Any]) -> None:
    ops, fake = made(tmp_path, {"port": knocker["port"], "sshd": ""}, {"reverse": "no route"})
    fake.relay = "fail"
    ways = ops.handle("reach", ask())["ways"]
    assert ways["reverse"] == "no route"
    assert "access denied" in ways["relay"]
    assert ways["forward"] == "another program answers on the port of the node"
    fake.relay = "something else"
    assert "did not give back" in ops.handle("reach", ask())["ways"]["relay"]


def test_without_sshd_on_the_node_only_reverse_is_left(tmp_path: Path) -> None:
    ops, fake = made(tmp_path, {"port": 1, "sshd": "this node has no sshd program"}, {"reverse": ""})
    ways = ops.handle("reach", ask())["ways"]
    assert ways["reverse"] == ""
    assert {ways[name] for name in ("relay", "forward", "direct")} == {"this node has no sshd program"}
    assert "srun" not in fake.programs


@pytest.mark.parametrize(
    ("facts", "state", "message"),
    [
        ([], "PENDING", r"did not start: it is still PENDING \(Priority\)"),
        ([], "", "did not start: it is gone"),
        ([{"port": 1, "sshd": ""}], "RUNNING", "told nothing in time"),
        ([{"failed": "the hub's message for this job is gone"}], "RUNNING", "message for this job is gone"),
    ],
)
def test_a_job_that_tells_nothing_is_cancelled_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, facts: list[dict[str, Any]], state: str, message: str
) -> None:
    monkeypatch.setattr(gateway, "START_SECONDS", 0)
    monkeypatch.setattr(gateway, "TELL_SECONDS", 0)
    ops, fake = made(tmp_path, *facts)
    fake.state = state
    with pytest.raises(errors.SlurmError, match=message):
        ops.handle("reach", ask())
    assert fake.ran[-1] == ["scancel", "7"]


@pytest.mark.parametrize(
    "changes",
    [
        {"partition": "other"},
        {"partition": "--wrap=id"},
        {"account": "a b"},
        {"hub": {**HUB, "host": "-oProxyCommand=id"}},
        {"hub": {**HUB, "port": "22"}},
        {"hub": {**HUB, "known_hosts": ["x\ny"]}},
        {"hub": {**HUB, "known_hosts": []}},
        {"hub": None},
        {"ports": []},
        {"ports": [0]},
        {"ports": [20000, 0]},
        {"ports": [22]},
        {"ports": [65536]},
        {"ports": [True]},
        {"ports": ["20000"]},
        {"ports": [20000] * 17},
        {"ports": 20000},
        {"ports": None},
        {"more": 1},
    ],
)
def test_a_request_that_breaks_a_rule_submits_nothing(tmp_path: Path, changes: dict[str, Any]) -> None:
    ops, fake = made(tmp_path)
    with pytest.raises(errors.BadRequestError):
        ops.handle("reach", ask(**changes))
    assert fake.ran == []
    assert list((tmp_path / "spawns").iterdir()) == []


# --- the job


def test_the_nodes_ssh_pins_the_hub() -> None:
    argv = job.hub_argv(HUB, "/tmp/k")
    assert argv[-1] == "hub.example.org"
    assert {"StrictHostKeyChecking=yes", "UserKnownHostsFile=/tmp/k", "BatchMode=yes"} <= set(argv)


@pytest.mark.parametrize(
    ("said", "trouble"),
    [
        ("tunnel@hub: Permission denied (publickey).", ""),
        ("Host key verification failed.", "Host key verification failed."),
        (
            "ssh: connect to host hub port 22: Connection timed out",
            "ssh: connect to host hub port 22: Connection timed out",
        ),
        ("", "ssh to the hub ended without a word"),
    ],
)
def test_a_refusal_of_the_hub_proves_the_way(monkeypatch: pytest.MonkeyPatch, said: str, trouble: str) -> None:
    done = subprocess.CompletedProcess([], 255, b"", said.encode())
    monkeypatch.setattr(job.subprocess, "run", lambda *_, **__: done)
    assert job.trouble_with_hub(HUB) == trouble


def test_the_job_stays_until_the_last_way_is_tried() -> None:
    """Where nobody answers srun the trial of relay takes its whole time; the node's port is tried after it, by gateway and hub."""
    assert job.STAY_SECONDS > slurm.SLURM_TIMEOUT_SECONDS + door.CONNECT_SECONDS + hub._KNOCK_SECONDS
    # The job's limit is three minutes; it has tried the hub before it stays.
    assert job.STAY_SECONDS + job.SSH_SECONDS < 180


def occupied() -> socket.socket:
    """A port at which somebody listens already."""
    return socket.create_server(("0.0.0.0", 0))  # noqa: S104 (as the job does)


@pytest.mark.parametrize("lib", ["lib", "elsewhere"])
def test_the_job_tells_its_port_and_answers_there(tmp_path: Path, lib: str) -> None:
    """It takes the first of the ports that it was given at which nothing listens."""
    token = "0" * 31 + "7"
    (tmp_path / "spawns").mkdir()
    (tmp_path / lib).symlink_to(FILES)
    with occupied() as used, occupied() as soon_free:
        free = soon_free.getsockname()[1]
        soon_free.close()
        message = {"hub": {**HUB, "host": "127.0.0.1", "port": 1}, "ports": [used.getsockname()[1], free, 1]}
        (tmp_path / "spawns" / f"{token}.json").write_text(json.dumps(message))
        argv = [sys.executable, "-I", str(FILES / "job.py"), str(tmp_path), token, str(tmp_path / lib), "reach"]
        with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            first, second = (json.loads(process.stdout.readline()) for _ in range(2))
            assert first["port"] == free
            with socket.create_connection(("127.0.0.1", free)) as client:
                assert client.recv(100).decode().strip() == token
            process.terminate()
    assert re.search("[Rr]efused|Permission|connect", second["reverse"])
    assert not (tmp_path / "spawns" / f"{token}.json").exists()


def test_a_node_where_all_ports_are_in_use_is_told() -> None:
    with occupied() as one, occupied() as other:
        ports = [one.getsockname()[1], other.getsockname()[1]]
        with pytest.raises(job.JobError, match=f"port {ports[1]} of this node"):
            job.listen_at_first_free(ports)
