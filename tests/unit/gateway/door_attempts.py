# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the hub's key can do at the sshd of a job, and the list of what it cannot; run by root on a host that has an sshd program.

``python3 door_attempts.py LIB ACCOUNT``: LIB holds ``hpcampus_job`` and ``job.py`` as the role installs them, ACCOUNT is the
account of jobs. Writes one JSON object: for each attempt, on each of the two ways in, an empty text if it came out as it must, else what
happened. Standard library only; the scenario ``slurm_cluster`` runs it on a compute node.
"""

import contextlib
import json
import os
import pwd
import shutil
import socket
import stat
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

SPAWN = "0123456789abcdef0123456789abcdef"
HELPER = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from hpcampus_job import door, files
data = json.loads(sys.stdin.readline())
door.GIVE_UP_SECONDS = data["give_up"]
os.umask(0o077)
path, lock = files.locked_dir(data["name"])
key, key_path = files.in_memory(data["host_key"])
made = door.Door(data, path, key_path, lambda: print("lost", flush=True))
made.start()
print("ready", flush=True)
sys.stdin.read()
made.stop()
files.remove_tree(path)
os._exit(0)
"""


def free_port() -> int:
    """A TCP port that nobody has at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(condition: Callable[[], Any], seconds: float = 10.0) -> None:
    """Wait until a condition comes true."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError("the condition did not come true in time")
        time.sleep(0.05)


def can_connect(port: int) -> bool:
    """Whether somebody listens on a loopback port."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def must(outcome: object, story: str = "") -> None:
    """Raise unless something is so."""
    if not outcome:
        raise ValueError(story or "it came out otherwise")


class Job:
    """The door of a job, in a process of the account; and an ssh to try it with.

    Args:
        lib: directory of the job's programs.
        account: whose job it is.
        port: TCP port of the door; 0 starts it as Slurm would, once for each connection.
        give_up: seconds without a hub after which the job is told.
    """

    def __init__(self, lib: str, account: str, port: int, give_up: float = 60.0) -> None:
        self.lib = lib
        self.account = pwd.getpwnam(account)
        self.port = port
        self.folder = Path(tempfile.mkdtemp(dir="/tmp"))
        self.folder.chmod(0o755)
        self.private = Path(f"/tmp/hpcampus-{os.urandom(16).hex()}")
        (self.folder / "jobs").mkdir(mode=0o755)
        (self.folder / "jobs" / SPAWN).write_text(f"7 {port} {self.private.name[9:]}")
        (self.folder / "lib").symlink_to(lib)
        for name in ("host", "hub", "other"):
            subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.folder / name], check=True)
        self.pin("host")
        self.process = self.as_account(["/usr/bin/python3", "-I", "-c", HELPER, lib])
        message = {
            "name": self.private.name[9:],
            "host_key": (self.folder / "host").read_text(),
            "authorized_key": self.key("hub"),
            "port": port,
            "give_up": give_up,
        }
        must(self.process.stdin)
        self.process.stdin.write(json.dumps(message).encode() + b"\n")  # type: ignore[union-attr]
        self.process.stdin.flush()  # type: ignore[union-attr]
        self.wait_for(b"ready")

    def as_account(self, argv: list[str], **options: Any) -> "subprocess.Popen[bytes]":
        """Start a program as the account."""
        who = {"user": self.account.pw_uid, "group": self.account.pw_gid, "extra_groups": []}
        return subprocess.Popen(
            argv, cwd="/", **{"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, **who, **options}
        )

    def give(self, path: Path) -> None:
        """Give a file to the account."""
        os.chown(path, self.account.pw_uid, self.account.pw_gid)

    def wait_for(self, word: bytes) -> None:
        """Read the job's log up to a word."""
        must(self.process.stdout)
        for line in self.process.stdout:  # type: ignore[union-attr]
            if word in line.split():
                return
        raise EOFError(f"the door ended without {word!r}")

    def key(self, name: str) -> str:
        """A public key, type and key."""
        return " ".join((self.folder / f"{name}.pub").read_text().split()[:2])

    def pin(self, name: str) -> None:
        """Pin a host key."""
        (self.folder / "known_hosts").write_text("job " + self.key(name) + "\n")

    @contextlib.contextmanager
    def ssh(self, *arguments: str, key: str = "hub", command: str = "") -> Iterator["subprocess.Popen[bytes]"]:
        """An ssh to the door."""
        argv = ["ssh", "-T", "-F", "none", "-i", str(self.folder / key), "-l", self.account.pw_name]
        for option in (
            "IdentitiesOnly=yes",
            "BatchMode=yes",
            "HostKeyAlias=job",
            "ConnectTimeout=10",
            f"UserKnownHostsFile={self.folder}/known_hosts",
            "StrictHostKeyChecking=yes",
            "ExitOnForwardFailure=yes",
            "LogLevel=VERBOSE",
        ):
            argv += ["-o", option]
        with contextlib.ExitStack() as stack:
            way: Any = subprocess.DEVNULL
            if self.port:
                argv += ["-p", str(self.port)]
            else:
                argv += ["-o", "ProxyCommand=-"]
                way, far = socket.socketpair()
                stack.enter_context(way)
                step = ["/usr/bin/python3", "-I", self.lib + "/job.py", str(self.folder), SPAWN, self.lib, "door"]
                server = self.as_account(step, stdin=far, stdout=far, stderr=subprocess.DEVNULL)
                far.close()
                stack.callback(server.wait)
                stack.callback(server.terminate)
            argv += [*arguments, "127.0.0.1" if self.port else "job", *([command] if command else [])]
            process = subprocess.Popen(
                argv, stdin=way, stdout=subprocess.PIPE if self.port else way, stderr=subprocess.PIPE
            )
            try:
                yield process
            finally:
                process.kill()
                process.communicate()

    def refused(self, message: str, *arguments: str, key: str = "hub", command: str = "") -> None:
        """An ssh that must fail, with this message."""
        with self.ssh(*arguments, key=key, command=command) as process:
            timer = threading.Timer(20, process.kill)
            timer.start()
            said = (process.stderr.read() if process.stderr else b"").decode()
            status = process.wait(10)
            timer.cancel()
            must(status > 0 and message in said, f"status {status}: {said}")

    def unreachable(self, path: str) -> None:
        """A unix socket of the node to which no connection may come about."""
        port = free_port()
        with self.ssh("-N", "-L", f"127.0.0.1:{port}:{path}") as process:
            until(lambda: process.poll() is None and can_connect(port))
            with socket.create_connection(("127.0.0.1", port)) as client, contextlib.suppress(ConnectionError):
                client.settimeout(5)
                client.sendall(b"x")
                must(client.recv(1) == b"", "something answered")

    def close(self) -> None:
        """End the door; nothing of it may be left."""
        self.process.communicate()
        shutil.rmtree(self.folder)
        must(not self.private.exists(), "the private directory is left")


def answering(server: socket.socket, word: bytes) -> None:
    """Answer each connection of a socket with a word, in the background."""

    def serve() -> None:
        with contextlib.suppress(OSError):
            while True:
                client = server.accept()[0]
                with client:
                    client.recv(1000)
                    client.sendall(word)

    threading.Thread(target=serve, daemon=True).start()


def unix_socket(job: Job, name: str) -> socket.socket:
    """A listening unix socket of the account in the job's directory."""
    server = socket.socket(socket.AF_UNIX)
    server.bind(str(job.private / name))
    job.give(job.private / name)
    server.listen()
    answering(server, b"HTTP/1.0 200 OK\r\n\r\n" + name.encode())
    return server


def both_directions(job: Job) -> None:
    """The hub reaches the server, the job reaches the hub; a second connection takes over and gives back."""
    port = free_port()
    with unix_socket(job, "notebook.sock"), socket.create_server(("127.0.0.1", 0)) as hub:
        answering(hub, b"HTTP/1.0 200 OK\r\n\r\n")
        api = f"127.0.0.1:{hub.getsockname()[1]}"
        there = ("-L", f"127.0.0.1:{port}:{job.private}/notebook.sock")
        with job.ssh("-N", *there, "-R", f"{job.private}/h/0001.sock:{api}"):
            job.wait_for(b"tunnel-up")
            with socket.socket(socket.AF_UNIX) as client:
                client.connect(str(job.private / "hub.sock"))
                client.sendall(b"GET / HTTP/1.0\r\n\r\n")
                must(client.recv(64).startswith(b"HTTP/"), "the hub did not answer the job")
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"x")
                must(client.recv(64).endswith(b"notebook.sock"), "the server did not answer the hub")
            mode = stat.S_IMODE((job.private / "h" / "0001.sock").stat().st_mode)
            must(mode == 0o600, f"the socket has mode {mode:o}")
            with job.ssh("-N", "-R", f"{job.private}/h/0002.sock:{api}"):
                until(lambda: (job.private / "hub.sock").resolve().name == "0002.sock")
            until(lambda: (job.private / "hub.sock").resolve().name == "0001.sock")
        job.wait_for(b"tunnel-down")


def no_other_socket(job: Job) -> None:
    """Another socket of the same directory, and the right one by another name."""
    with unix_socket(job, "notebook.sock"), unix_socket(job, "other.sock"):
        job.unreachable(f"{job.private}/other.sock")
        job.unreachable(f"{job.private}/../{job.private.name}/notebook.sock")


def no_port(job: Job) -> None:
    """A TCP port of the node that answers."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        answering(other, b"other")
        for host in ("127.0.0.1", "localhost"):
            job.refused("open failed", "-W", f"{host}:{other.getsockname()[1]}")


def no_file_is_replaced(job: Job) -> None:
    """A socket in the place of a file of the account."""
    kept = job.private / "kept"
    kept.write_text("kept")
    job.give(kept)
    job.refused("remote port forwarding failed", "-N", "-R", f"{kept}:127.0.0.1:22")
    must(kept.read_text() == "kept", "the file is gone")


def another_host_key(job: Job) -> None:
    """The hub expects another job."""
    job.pin("other")
    job.refused("Host key verification failed", "-N")


ATTEMPTS: dict[str, Callable[[Job], None]] = {
    "both directions": both_directions,
    "no command": lambda job: job.refused("open failed", command="id"),
    "no shell": lambda job: job.refused("open failed"),
    "no sftp": lambda job: job.refused("open failed", "-s", command="sftp"),
    "no other key": lambda job: job.refused("Permission denied", "-N", key="other"),
    "no port": no_port,
    "no listening port": lambda job: job.refused(
        "remote port forwarding failed", "-N", "-R", f"127.0.0.1:{free_port()}:x:22"
    ),
    "no other socket": no_other_socket,
    "no file is replaced": no_file_is_replaced,
    "another host key": another_host_key,
}


def left_alone(lib: str, account: str) -> None:
    """A job that no hub comes to is told to end."""
    job = Job(lib, account, free_port(), give_up=0.5)
    try:
        job.wait_for(b"lost")
    finally:
        job.close()


def story(attempt: Callable[[], None]) -> str:
    """An empty text when an attempt came out as it must."""
    try:
        attempt()
    except Exception as error:  # noqa: BLE001 (whatever it is, the other attempts follow)
        return f"{type(error).__name__}: {error}"
    return ""


def run(lib: str, account: str) -> dict[str, str]:
    """Run all attempts."""
    results = {"left alone": story(lambda: left_alone(lib, account))}
    for way in ("port", "step"):
        for name, attempt in ATTEMPTS.items():

            def one(attempt: Callable[[Job], None] = attempt, way: str = way) -> None:
                job = Job(lib, account, free_port() if way == "port" else 0)
                try:
                    attempt(job)
                finally:
                    job.close()

            results[f"{way}: {name}"] = story(one)
    return results


if __name__ == "__main__":
    print(json.dumps(run(*sys.argv[1:3])))
