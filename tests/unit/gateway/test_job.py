# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job wrapper: command lines, what a container sees, and what is left behind."""

import ast
import errno
import json
import os
import shlex
import signal
import socket
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.unit.gateway.loading import FILES, load
from tests.unit.gateway.samples import TUNNEL

api_port = load("hpcampus_job.api_port")
listener = load("hpcampus_job.listener")
container = load("hpcampus_job.container")
files = load("hpcampus_job.files")
log = load("hpcampus_job.log")
main = load("hpcampus_job.main")
peers = load("hpcampus_job.peers")
ending = load("hpcampus_job.process")
tunnel = load("hpcampus_job.tunnel")


def spawn(**env: str) -> dict[str, object]:
    return {
        "user_id": "alice",
        "server_id": "",
        "image": "base",
        "overlay_mb": 0,
        "scratch_dir": "",
        "apptainer": "/usr/bin/apptainer",
        "courses": [],
        "secrets": {"env": env, "tunnel": TUNNEL, "base_url": "/user/alice/", "default_url": "/lab"},
    }


def test_ssh_pins_the_host_key_and_opens_two_ways() -> None:
    argv = tunnel.ssh_argv(TUNNEL, "/tmp/j", "/proc/1/fd/5")
    assert argv[-1] == "tunnel@hub.example.org"
    assert argv[argv.index("-R") + 1] == "127.0.0.1:20017:/tmp/j/notebook.sock"
    assert argv[argv.index("-L") + 1] == "/tmp/j/hub.sock:127.0.0.1:8081"
    assert "StrictHostKeyChecking=yes" in argv
    assert "ExitOnForwardFailure=yes" in argv
    assert "PRIVATE KEY" not in " ".join(argv)


def test_the_container_is_closed_and_its_command_line_holds_no_secret() -> None:
    argv = container.container_argv("/srv/h", spawn(JUPYTERHUB_API_TOKEN="secret"), "/tmp/j", "/proc/1/fd/6", [])
    assert {"--containall", "--cleanenv", "--pid", "--no-init", "--ipc", "--no-eval"} <= set(argv)
    for name in ("start.py", "closed_keyring.py"):
        assert f"/srv/h/lib/{name}:/opt/hpcampus/{name}:ro" in argv
    assert argv[argv.index("--home") + 1] == "/srv/h/users/alice/home:/home/jovyan"
    assert argv[argv.index("--workdir") + 1] == "/tmp/j/work"
    assert "/srv/h/images/base.sif" in argv
    assert "secret" not in " ".join(argv)
    assert "--ServerApp.sock=/run/hpcampus/notebook.sock" in argv


def test_students_and_the_course_see_different_directories() -> None:
    student = {"slug": "py1", "role": "student", "data": True, "shared": True}
    other = {"slug": "py2", "role": "student", "data": False, "shared": True}
    assert container.course_binds("/srv/h", [student, other]) == [
        ("/srv/h/coursedata/py1", "/coursedata", "ro"),
        ("/srv/h/shareddata", "/shareddata", "ro"),
    ]
    assert container.course_binds("/srv/h", [{**other, "shared": False}]) == []
    assert container.course_binds("/srv/h", [{"slug": "py1", "role": "course", "data": True, "shared": False}]) == [
        ("/srv/h/courses/py1/course", "/course", "rw"),
        ("/srv/h/courses/py1/runs", "/srv/hpcampus/runs", "rw"),
        ("/srv/h/coursedata/py1", "/coursedata", "ro"),
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("http://127.0.0.1:25017/hub/api", "http://127.0.0.1:5/hub/api"),
        ("http://localhost:25017/hub/api", "http://127.0.0.1:5/hub/api"),
        ("http://127.0.0.1:25017", "http://127.0.0.1:5"),
        ("http://127.0.0.1:250170/hub/api", "http://127.0.0.1:250170/hub/api"),
        ("http://127.0.0.1:25018/hub/api", "http://127.0.0.1:25018/hub/api"),
        ("see http://127.0.0.1:25017/", "see http://127.0.0.1:25017/"),
        ("http://127.0.0.1:25017@evil/", "http://127.0.0.1:25017@evil/"),
    ],
)
def test_only_the_hubs_urls_get_the_relays_port(value: str, expected: str) -> None:
    assert container.with_held_port(value, 25017, 5) == expected


def test_environment_inside() -> None:
    env = container.server_env(spawn(JUPYTERHUB_API_URL="http://127.0.0.1:25017/hub/api"), 5, "node1", "77")
    assert env == {
        "JUPYTERHUB_API_URL": "http://127.0.0.1:5/hub/api",
        "JUPYTERHUB_SERVICE_URL": "http://127.0.0.1:8888/user/alice/",
        "JUPYTERHUB_DEFAULT_URL": "/lab",
        "JUPYTER_RUNTIME_DIR": "/tmp/jupyter-runtime",
        "HPCAMPUS_NODE": "node1",
        "HPCAMPUS_JOB_ID": "77",
    }


@given(value=st.text(alphabet=st.characters(exclude_categories=["Cs", "Cc"])))
def test_the_shell_that_reads_the_environment_finds_text_only(value: str) -> None:
    (assignment,) = shlex.split(container.env_file({"JUPYTERHUB_X": value}))
    assert assignment == "JUPYTERHUB_X=" + value


def test_a_shell_agrees() -> None:
    value = "$(id) `id` \" ' ; | & $HOME \\ é"
    script = container.env_file({"JUPYTERHUB_X": value}) + 'printf %s "$JUPYTERHUB_X"'
    assert subprocess.run(["sh", "-c", script], capture_output=True, check=True).stdout.decode() == value


def test_pauses_grow_and_begin_again() -> None:
    pauses = [0]
    for _ in range(6):
        pauses.append(tunnel.next_pause(pauses[-1], worked=False))
    assert pauses[1:] == [1, 2, 4, 8, 15, 15]
    assert tunnel.next_pause(15, worked=True) == 1


def test_the_message_is_deleted_when_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"a": 1}')
    assert files.read_and_remove(str(path)) == {"a": 1}
    assert not path.exists()
    with pytest.raises(log.JobError, match="gone"):
        files.read_and_remove(str(path))


def test_a_message_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("{}")
    (tmp_path / "x.json").symlink_to(tmp_path / "target")
    with pytest.raises(log.JobError):
        files.read_and_remove(str(tmp_path / "x.json"))


def test_secrets_have_no_name_but_can_be_opened_through_us() -> None:
    stream, path = files.in_memory("the-key\n")
    with stream:
        assert Path(path).read_text() == "the-key\n"
        assert stat.S_IMODE(Path(path).stat().st_mode) & 0o077 == 0
        assert Path(path).stat().st_nlink == 0


@pytest.mark.parametrize("place", ["courses/py1/course", "courses/py1/runs", "coursedata/py1", "shareddata"])
def test_no_link_becomes_a_mount(tmp_path: Path, place: str) -> None:
    base = tmp_path / "base"
    for name in ("courses/py1/course", "courses/py1/runs", "coursedata/py1", "shareddata"):
        (base / name).mkdir(parents=True)
    course = {"slug": "py1", "role": "course", "data": True, "shared": True}
    given = {"user_id": "course-py1", "courses": [course]}
    assert [mode for _, _, mode in container.prepare_binds(str(base), given)] == ["rw", "rw", "ro", "ro"]
    (base / place).rmdir()
    (base / place).symlink_to(base / "users")
    with pytest.raises(log.JobError, match=place):
        container.prepare_binds(str(base), given)


def test_a_home_that_is_a_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "users" / "bob" / "home").mkdir(parents=True)
    (tmp_path / "users" / "alice").mkdir()
    (tmp_path / "users" / "alice" / "home").symlink_to(tmp_path / "users" / "bob" / "home")
    with pytest.raises(log.JobError):
        container.prepare_binds(str(tmp_path), {"user_id": "alice", "courses": []})


def test_only_directories_that_nobody_holds_are_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "PRIVATE_ROOT", str(tmp_path))
    held, lock = files.locked_dir()
    dead = tmp_path / "hpcampus-dead"
    (dead / "closed").mkdir(parents=True)
    (dead / "closed" / "file").write_text("x")
    young, other = tmp_path / "hpcampus-young", tmp_path / "other"
    young.mkdir()
    other.mkdir()
    for path in (Path(held), dead, other):
        os.utime(path, (1, 1))
    files.remove_stale()
    os.close(lock)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([Path(held).name, "hpcampus-young", "other"])


def test_a_tree_with_closed_directories_is_removed(tmp_path: Path) -> None:
    tree = tmp_path / "tree"
    (tree / "a" / "b").mkdir(parents=True)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "file").write_text("x")
    (tree / "a" / "link").symlink_to(tmp_path / "outside")
    (tree / "a" / "b" / "file").write_text("x")
    (tree / "a").chmod(0)
    files.remove_tree(str(tree))
    assert not tree.exists()
    assert (tmp_path / "outside" / "file").exists()


def make_deep(top: Path, depth: int) -> None:
    """Directories in directories, deeper than any path can name."""
    top.mkdir()
    here = os.open(top, os.O_RDONLY)
    for _ in range(depth):
        os.mkdir("d", dir_fd=here)
        below = os.open("d", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.fchmod(here, 0)
    os.close(here)


def test_a_very_deep_tree_is_removed(tmp_path: Path) -> None:
    make_deep(tmp_path / "tree", 3000)
    try:
        files.remove_tree(str(tmp_path / "tree"))
        assert not (tmp_path / "tree").exists()
    finally:
        subprocess.run(["rm", "-rf", str(tmp_path / "tree")], check=True)


def test_what_cannot_be_removed_breaks_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = tmp_path / "tree"
    tree.mkdir()
    (tree / "kept").write_text("x")
    (tree / "gone").write_text("x")
    unlink = os.unlink

    def unlink_some(name: str, *, dir_fd: int) -> None:
        if name == "kept":
            raise PermissionError(errno.EPERM, "Operation not permitted")
        unlink(name, dir_fd=dir_fd)

    with monkeypatch.context() as patch:
        patch.setattr(files.os, "unlink", unlink_some)
        files.remove_tree(str(tree))
    assert (tree / "kept").exists()
    assert not (tree / "gone").exists()
    files.remove_tree(str(tree))
    assert not tree.exists()
    files.remove_tree(str(tree))
    first, second = tmp_path / "hpcampus-a", tmp_path / "hpcampus-b"
    for path in (first, second):
        path.mkdir()
        os.utime(path, (1, 1))
    monkeypatch.setattr(files, "PRIVATE_ROOT", str(tmp_path))
    seen: list[str] = []

    def fail(path: str) -> None:
        seen.append(path)
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "remove_tree", fail)
    files.remove_stale()
    assert sorted(seen) == [str(first), str(second)]


def test_no_job_waits_for_what_others_left(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(files, "STALE_PAUSE_SECONDS", 0)
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> None:
        begun.set()
        go_on.wait(10)
        raise RecursionError("too deep")

    monkeypatch.setattr(files, "remove_stale", slow)
    files.remove_stale_later()
    assert begun.wait(10)
    (thread,) = [thread for thread in threading.enumerate() if thread.name.endswith("(run)")]
    assert thread.daemon
    go_on.set()
    thread.join(10)
    assert "stale-kept RecursionError: too deep" in capfd.readouterr().out


class Alive:
    """A process that runs."""

    def poll(self) -> None:
        return None


def test_the_servers_socket_is_linked(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(tmp_path / "s" / "notebook.sock"))
        server.listen()
        container.publish_socket(str(tmp_path), Alive())
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(tmp_path / "notebook.sock"))


def test_a_link_in_place_of_the_socket_leads_nowhere(tmp_path: Path) -> None:
    (tmp_path / "s").mkdir()
    with socket.socket(socket.AF_UNIX) as victim:
        victim.bind(str(tmp_path / "victim.sock"))
        (tmp_path / "s" / "notebook.sock").symlink_to(tmp_path / "victim.sock")
        container.publish_socket(str(tmp_path), Alive())
        assert not (tmp_path / "notebook.sock").exists()


def test_the_relay_waits_for_the_tunnel_and_carries_both_ways(tmp_path: Path) -> None:
    relay = api_port.ApiPort(str(tmp_path))
    relay.start()
    with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
        client.sendall(b"question")
        with socket.socket(socket.AF_UNIX) as hub:
            hub.bind(str(tmp_path / "hub.sock"))
            hub.listen()
            connection, _ = hub.accept()
            with connection:
                assert connection.recv(100) == b"question"
                connection.sendall(b"answer")
            assert client.recv(100) == b"answer"
            assert client.recv(100) == b""


class Hub:
    """The tunnel's end on the node: it answers each connection with what came, in capitals."""

    def __init__(self, directory: Path) -> None:
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(str(directory / "hub.sock"))
        self._server.listen()
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            connection, _ = self._server.accept()
            threading.Thread(target=self._answer, args=(connection,), daemon=True).start()

    @staticmethod
    def _answer(connection: socket.socket) -> None:
        with connection:
            while data := connection.recv(1000):
                connection.sendall(data.upper())


def asked(port: int) -> bytes:
    """What the hub answers through the relay; nothing when the connection is closed."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as client:
        try:
            client.sendall(b"question")
            return client.recv(100)
        except ConnectionError:
            return b""


def test_the_relay_goes_on_without_descriptors_and_threads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "PAUSE_SECONDS", 0.01)
    troubles: list[Exception] = [OSError(errno.EMFILE, "Too many open files")] * 3
    Hub(tmp_path)
    relay = api_port.ApiPort(str(tmp_path))
    server, start = relay._server, threading.Thread.start

    class Scarce:
        """A listening socket for which there are no descriptors at first."""

        def accept(self) -> object:
            if troubles:
                raise troubles.pop()
            return server.accept()

    def start_or_not(thread: threading.Thread) -> None:
        if thread._target == relay._serve and no_thread:  # type: ignore[attr-defined]
            raise no_thread.pop()
        start(thread)

    no_thread = [RuntimeError("can't start new thread")]
    monkeypatch.setattr(threading.Thread, "start", start_or_not)
    relay._server = Scarce()
    relay.start()
    assert asked(relay.port) == b""
    assert asked(relay.port) == b"QUESTION"
    assert (troubles, no_thread) == ([], [])


def test_a_relay_without_descriptors_for_the_hub_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_port, "CONNECTIONS_MAX", 1)
    Hub(tmp_path)
    relay = api_port.ApiPort(str(tmp_path))
    relay.start()
    with monkeypatch.context() as patch:
        patch.setattr(relay, "_reach", lambda _hub: os.open("/no/such/thing", os.O_RDONLY))
        assert asked(relay.port) == b""
    assert asked(relay.port) == b"QUESTION"


def test_only_so_many_connections_at_a_time_and_none_idle_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(api_port, "CONNECTIONS_MAX", 3)
    monkeypatch.setattr(api_port, "IDLE_SECONDS", 1.0)
    Hub(tmp_path)
    relay = api_port.ApiPort(str(tmp_path))
    relay.start()
    before = threading.active_count()
    idle = [socket.create_connection(("127.0.0.1", relay.port), timeout=10) for _ in range(20)]
    time.sleep(0.5)
    assert threading.active_count() - before <= 2 * 3  # each has one thread here and one of the hub above
    for client in idle[3:]:
        client.close()
    assert asked(relay.port) == b"QUESTION"
    assert idle[0].recv(1) == b""
    for client in idle[:3]:
        client.close()


def test_a_connection_that_is_used_is_not_idle(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api_port, "IDLE_SECONDS", 4.0)
    Hub(tmp_path)
    relay = api_port.ApiPort(str(tmp_path))
    relay.start()
    with socket.create_connection(("127.0.0.1", relay.port), timeout=10) as client:
        for _ in range(6):  # longer than the limit, all together
            client.sendall(b"x")
            assert client.recv(10) == b"X"
            time.sleep(0.9)


OTHER_JOB = """
import subprocess, sys
sys.path.insert(0, sys.argv[1])
from hpcampus_job.api_port import ApiPort
relay = ApiPort(sys.argv[2])
relay.start()
client = (
    "import socket, sys; c = socket.create_connection(('127.0.0.1', int(sys.argv[1]))); c.sendall(b'mine');"
    " print(c.recv(9).decode(), flush=True); sys.stdin.read()"
)
print(relay.port, flush=True)
script = '"$@"; true'
subprocess.run(["sh", "-c", script, "sh", sys.executable, "-I", "-c", client, str(relay.port)])
"""


def test_only_processes_of_the_job_are_let_in(tmp_path: Path) -> None:
    """The relay belongs to another process: its descendants are let in, we are not, although we have the same uid."""
    Hub(tmp_path)
    argv = [sys.executable, "-I", "-c", OTHER_JOB, str(FILES), str(tmp_path)]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, stdin=pipe, stdout=pipe, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        assert process.stdout.readline() == "MINE\n"
        assert asked(port) == b""
        assert "api-port-refused" in process.communicate("", timeout=20)[0]


def test_whose_a_connection_is(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as server, socket.socket() as client, socket.socket(socket.AF_INET6) as dual:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        client.connect(("127.0.0.1", port))
        assert peers.is_ours(client.getsockname(), port) is True
        dual.connect(("::ffff:127.0.0.1", port))
        assert peers.is_ours(("127.0.0.1", dual.getsockname()[1]), port) is True
        with monkeypatch.context() as patch:
            patch.setattr(files.os, "getuid", lambda: 12345)
            assert peers.is_ours(client.getsockname(), port) is False
        with monkeypatch.context() as patch:  # a host on which we may not look into our own container
            patch.setattr(peers, "generations", lambda pid: iter([[pid], [1], []]))
            patch.setattr(peers, "holds_socket", lambda _pid, _inode: False)
            assert peers.is_ours(client.getsockname(), port) is None
        gone = client.getsockname()
        client.close()
        assert peers.is_ours(gone, port) is False


def test_the_job_takes_as_many_descriptors_as_it_may() -> None:
    code = (
        f"import resource, sys; sys.path.insert(0, {str(FILES)!r});"
        "from hpcampus_job.process import allow_files;"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, 500)); allow_files();"
        "print(resource.getrlimit(resource.RLIMIT_NOFILE))"
    )
    done = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "(500, 500)\n"


def test_nobody_can_take_the_relays_port(tmp_path: Path) -> None:
    relay = api_port.ApiPort(str(tmp_path))
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        with socket.socket() as thief:
            thief.setsockopt(socket.SOL_SOCKET, option, 1)
            with pytest.raises(OSError, match="in use"):
                thief.bind(("127.0.0.1", relay.port))


def test_the_servers_output_is_capped(
    capfdbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(container, "LOG_CAP_BYTES", 1000)
    read, write = os.pipe()
    with os.fdopen(read, "rb") as stream:
        reader = threading.Thread(target=container.copy_log, args=(stream,))
        reader.start()
        os.write(write, b"y" * 5000)
        os.close(write)
        reader.join(10)
    out = capfdbinary.readouterr().out
    assert out.count(b"y") <= 1000 + 10
    assert b"server-log-full" in out


def test_a_job_without_message_ends_with_a_reason(tmp_path: Path) -> None:
    (tmp_path / "lib").symlink_to(FILES)
    argv = [sys.executable, "-I", str(FILES / "job.py"), str(tmp_path), "0" * 32]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == main.EXIT_SETUP
    assert "gone" in done.stdout


@pytest.mark.parametrize(
    "argv", [[], ["/srv"], ["/srv", "../../etc/passwd"], ["relative", "0" * 32], ["/srv", "0" * 32, "/lib", "log"]]
)
def test_wrong_arguments(argv: list[str]) -> None:
    done = subprocess.run([sys.executable, "-I", str(FILES / "job.py"), *argv], capture_output=True, check=False)
    assert done.returncode == 2


FAKE_APPTAINER = """#!/bin/sh
trap 'echo server-stops; kill $!; exit 0' TERM
echo server-runs
sleep 60 >/dev/null 2>&1 &
wait
"""


def test_a_job_that_is_told_to_end_gives_the_server_time_and_leaves_nothing(tmp_path: Path) -> None:
    base = tmp_path / "base"
    for name in ("spawns", "users", "images"):
        (base / name).mkdir(parents=True)
    (base / "lib").symlink_to(FILES)
    fake = tmp_path / "apptainer"
    fake.write_text(FAKE_APPTAINER)
    fake.chmod(0o755)
    message = {**spawn(JUPYTERHUB_API_TOKEN="secret-token"), "apptainer": str(fake)}
    tunnel = {**TUNNEL, "host": "127.0.0.1", "port": 1}
    message["secrets"] = {**message["secrets"], "tunnel": tunnel}  # type: ignore[dict-item]
    (base / "spawns" / f"{'0' * 32}.json").write_text(json.dumps(message))
    argv = [sys.executable, "-I", str(FILES / "job.py"), str(base), "0" * 32]
    with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        assert process.stdout is not None
        seen = ""
        while "server-runs" not in seen:
            part = process.stdout.readline()
            assert part, seen
            seen += part
        mine = [path for path in Path("/tmp").glob("hpcampus-*") if path.stat().st_mtime > time.time() - 60]
        assert not list((base / "spawns").iterdir())
        process.send_signal(signal.SIGTERM)
        seen += process.stdout.read()
        assert process.wait(20) == ending.EXIT_TERMINATED
    assert "server-stops" in seen
    assert "secret-token" not in seen
    assert mine
    assert not [path for path in mine if path.exists()]


def test_a_module_is_loaded_first_and_no_value_is_read_by_a_shell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    profile = tmp_path / ".bash_profile"
    profile.write_text('module() { PATH="$PATH:/loaded/$2"; }\necho noise of the login\n')
    monkeypatch.setenv("HOME", str(tmp_path))
    asked = [
        sys.executable,
        "-c",
        "import os, sys; print([sys.argv[1:], os.environ['PATH']])",
        "a b",
        "$(id)",
        "; id",
        "'",
    ]
    argv = container.with_module(asked, "apptainer/1.4")
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    arguments, path = ast.literal_eval(done.stdout.splitlines()[-1])
    assert arguments == ["a b", "$(id)", "; id", "'"]
    assert path.endswith(":/loaded/apptainer/1.4")
    assert container.with_module(asked, "") is asked
    started = container.container_argv("/srv/h", {**spawn(), "module": "apptainer/1.4"}, "/tmp/j", "/proc/1/fd/6", [])
    assert started[: len(argv) - len(asked)] == argv[: len(argv) - len(asked)]
