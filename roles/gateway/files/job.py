#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job: one notebook server in a container, one ssh connection to the hub, nothing left behind.

Slurm runs a copy of this file as the cluster account: ``job.py BASE SPAWN_ID``. The secrets lie in
``BASE/spawns/SPAWN_ID.json``, which is deleted as soon as it is read. From then on they live in files in memory that have no name,
so that nothing is left when the job is killed; ssh and Apptainer open them through this process. (Named files in /dev/shm would
not do: systemd-logind removes them when a login of the same account ends, on a host that is login and compute node at once.)
Sockets and the server's /tmp have a 0700 directory on the node that goes when the job goes.

What a student's container can see of the host: its own home, its courses, one directory for the server's socket. Three things
keep students apart although all jobs run under one uid and share the node's network:

* The server listens on a unix socket, not on a port. The tunnel does not follow the path that the container can write to: the
  socket is linked into the private directory first, so a symbolic link put in its place leads nowhere.
* The hub's API is reached through a port that this process opened before the container began and keeps until it ends. Nobody else
  on the node can take that port over and collect tokens, and only processes of this job are let in: others could use it up.
* Every mounted directory is checked to be where it says it is (no symbolic link on the way).

Standard library only, Python 3.6 or newer.
"""

import contextlib
import fcntl
import json
import os
import pwd
import re
import resource
import select
import shlex
import signal
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import threading
import time

MEMORY = "/dev/shm"  # noqa: S108 (a file without a name)
PRIVATE_ROOT = "/tmp"  # noqa: S108 (mkdtemp makes a 0700 directory below it)
PREFIX = "hpcampus-"
STALE_AFTER_SECONDS = 60
STALE_PAUSE_SECONDS = 30
LOG_CAP_BYTES = 1024 * 1024
BACKOFF_MAX_SECONDS = 15
GIVE_UP_SECONDS = 120
PROVEN_AFTER_SECONDS = 20
SSH_LINES_MAX = 20
STOP_SECONDS = 15
RELAY_CONNECTIONS_MAX = 64
RELAY_HUB_SECONDS = 30
RELAY_IDLE_SECONDS = 300
RELAY_UNJUDGED_IDLE_SECONDS = 15
RELAY_PAUSE_SECONDS = 0.5
RELAY_LINES_MAX = 20
FILES_MAX = 65536
CONTAINER_DIR = "/run/hpcampus"
CONTAINER_HOME = "/home/jovyan"
CONTAINER_RUNTIME_DIR = "/tmp/jupyter-runtime"  # noqa: S108 (the container has a /tmp of its own)
SOCKET_NAME = "notebook.sock"
EXIT_TERMINATED = 143
EXIT_TUNNEL_LOST = 75
EXIT_SETUP = 78

_SPAWN_ID = re.compile(r"\A[0-9a-f]{32}\Z")
_STARTED = time.time()


class JobError(Exception):
    """The job cannot go on; the message says why and holds no secret."""


def log(event, detail=""):
    """One line of the job's log: seconds since the epoch, seconds since the job began, event. The benchmark reads these."""
    now = time.time()
    print(f"hpcampus {now:.3f} +{now - _STARTED:.3f} {event} {detail}".rstrip(), flush=True)


# --- decisions: pure functions ------------------------------------------------------------------------------------------------


def ssh_argv(tunnel, private_dir, key_file):
    """Argument list of the one ssh connection; certificate and host keys lie in files of the private directory."""
    options = [
        f"CertificateFile={private_dir}/key-cert.pub",
        "IdentitiesOnly=yes",
        "IdentityAgent=none",
        "BatchMode=yes",
        f"UserKnownHostsFile={private_dir}/known_hosts",
        "GlobalKnownHostsFile=/dev/null",
        "StrictHostKeyChecking=yes",
        "UpdateHostKeys=no",
        "ExitOnForwardFailure=yes",
        "StreamLocalBindUnlink=yes",
        "StreamLocalBindMask=0177",
        "ServerAliveInterval=10",
        "ServerAliveCountMax=3",
        "ConnectTimeout=10",
        "TCPKeepAlive=yes",
        "LogLevel=ERROR",
        "ControlMaster=no",
        "ControlPath=none",
    ]
    argv = ["ssh", "-N", "-T", "-F", "none", "-i", key_file, "-p", str(tunnel["port"])]
    for option in options:
        argv += ["-o", option]
    return argv + [
        "-R",
        "127.0.0.1:{}:{}/{}".format(tunnel["notebook_port"], private_dir, SOCKET_NAME),
        "-L",
        "{}/hub.sock:127.0.0.1:{}".format(private_dir, tunnel["hub_api_port"]),
        "{}@{}".format(tunnel["user"], tunnel["host"]),
    ]


def course_binds(base_dir, courses, user_id):
    """Directories of the user's courses as (source, target, mode, create).

    A student sees what the instructor released and the own drop box. The course's own account sees its files and the exchange; the
    exchange's directories are mounted one by one and ``inbound`` read-only, so that no container can put a symbolic link where a
    later job's mount begins.
    """
    binds = []
    for course in courses:
        slug = course["slug"]
        exchange = f"{base_dir}/courses/{slug}/exchange/{slug}"
        target = "/srv/nbgrader/exchange/" + slug
        if course["role"] == "course":
            binds += [
                (f"{base_dir}/courses/{slug}/course", "/course", "rw", False),
                (exchange + "/outbound", target + "/outbound", "rw", False),
                (exchange + "/inbound", target + "/inbound", "ro", False),
                (exchange + "/feedback", target + "/feedback", "rw", False),
            ]
        else:
            binds += [
                (exchange + "/outbound", target + "/outbound", "ro", False),
                (f"{exchange}/inbound/{user_id}", target + "/inbound", "rw", True),
            ]
    return binds


def with_relay(value, api_port, relay_port):
    """A URL of the hub's API with the relay's port; any other value as it is."""
    match = re.match(r"\Ahttp://(?:127\.0\.0\.1|localhost):([0-9]+)(?=/|\Z)", value)
    if match is None or int(match.group(1)) != api_port:
        return value
    return f"http://127.0.0.1:{relay_port}{value[match.end() :]}"


def server_env(spawn, relay_port, node, job_id):
    """The environment inside the container. The hub's URLs get the port that the relay holds in place of ``api_port``."""
    tunnel, base_url = spawn["secrets"]["tunnel"], spawn["secrets"]["base_url"]
    env = {name: with_relay(value, tunnel["api_port"], relay_port) for name, value in spawn["secrets"]["env"].items()}
    env["JUPYTERHUB_SERVICE_URL"] = "http://127.0.0.1:8888" + base_url
    env["JUPYTER_RUNTIME_DIR"] = CONTAINER_RUNTIME_DIR
    env["HPCAMPUS_NODE"] = node
    env["HPCAMPUS_JOB_ID"] = job_id
    if spawn["secrets"]["default_url"]:
        env["JUPYTERHUB_DEFAULT_URL"] = spawn["secrets"]["default_url"]
    return env


def env_file(env):
    """The environment in the form Apptainer evaluates: a shell reads it, so every value is quoted."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(env.items()))


def container_argv(base_dir, spawn, private_dir, env_path, binds):
    """Argument list that starts the notebook server in its container; holds no secret."""
    argv = [spawn["apptainer"], "--silent", "exec", "--containall", "--cleanenv", "--pid", "--ipc", "--no-eval"]
    argv += [
        "--home",
        "{}/users/{}/home:{}".format(base_dir, spawn["user_id"], CONTAINER_HOME),
        "--pwd",
        CONTAINER_HOME,
    ]
    argv += ["--workdir", private_dir + "/work"]
    argv += ["--bind", f"{private_dir}/s:{CONTAINER_DIR}"]
    argv += ["--bind", f"{base_dir}/lib/start.py:/opt/hpcampus/start.py:ro"]
    for source, target, mode, _ in binds:
        argv += ["--bind", f"{source}:{target}:{mode}"]
    argv += ["--env-file", env_path, "{}/images/{}.sif".format(base_dir, spawn["image"])]
    return argv + [
        "python3",
        "-s",
        "/opt/hpcampus/start.py",
        f"--ServerApp.sock={CONTAINER_DIR}/{SOCKET_NAME}",
        "--ServerApp.sock_mode=0600",
        "--KernelManager.transport=ipc",
    ]


def next_pause(pause, worked):
    """Seconds to wait before the next connection: 1, 2, 4, 8, then 15; from the start again after one that worked."""
    return 1 if worked or not pause else min(BACKOFF_MAX_SECONDS, pause * 2)


# --- files ----------------------------------------------------------------------------------------------------------------------


def read_and_remove(path):
    """Read the spawn file and delete it at once."""
    try:
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
        with os.fdopen(handle, encoding="utf-8") as stream:
            os.unlink(path)
            return json.load(stream)
    except FileNotFoundError:
        raise JobError("the hub's message for this job is gone: it was cancelled, or it ran before") from None
    except (OSError, ValueError) as error:
        raise JobError(f"the hub's message for this job cannot be read: {type(error).__name__}") from None


def write(path, text):
    """Write a 0600 file of the private directory."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
        stream.write(text)


def in_memory(text):
    """Keep a secret in a file in memory that has no name; returns (file, path by which our own children can open it)."""
    stream = tempfile.TemporaryFile(dir=MEMORY if os.path.isdir(MEMORY) else None)
    stream.write(text.encode("utf-8"))
    stream.flush()
    return stream, "/proc/{}/fd/{}".format(os.getpid(), stream.fileno())


def locked_dir():
    """Make the private directory and lock it for as long as this process lives; systemd-tmpfiles spares locked directories."""
    path = tempfile.mkdtemp(prefix=PREFIX, dir=PRIVATE_ROOT)
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    return path, lock


def remove_stale():
    """Remove what killed jobs of this account left on the node: directories that nobody holds locked."""
    with os.scandir(PRIVATE_ROOT) as entries:
        names = [entry.path for entry in entries if entry.name.startswith(PREFIX)]
    for path in names:
        with contextlib.suppress(OSError):
            remove_if_stale(path)


def remove_if_stale(path):
    """Remove one directory if it is of this account, not young, and held by nobody."""
    info = os.lstat(path)
    if (
        info.st_uid != os.getuid()
        or not stat.S_ISDIR(info.st_mode)
        or time.time() - info.st_mtime < STALE_AFTER_SECONDS
    ):
        return
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        remove_tree(path)
    finally:
        os.close(lock)


def remove_stale_later():
    """Remove stale directories beside a running server: however much there is, no job begins or ends later for it."""

    def run():
        time.sleep(STALE_PAUSE_SECONDS)
        try:
            os.nice(19)  # on Linux this thread only
            remove_stale()
        except Exception as error:  # noqa: BLE001 (tidying up is no reason to disturb a job)
            log("stale-kept", f"{type(error).__name__}: {error}")

    with contextlib.suppress(RuntimeError):  # no thread to be had: the next job does it
        threading.Thread(target=run, daemon=True).start()


def require_real(path, base_dir):
    """Refuse a directory that is reached through a symbolic link below the base directory."""
    if os.path.realpath(path) != os.path.realpath(base_dir) + path[len(base_dir) :] or not os.path.isdir(path):
        raise JobError(f"not a directory of its own: {path}")


def prepare_binds(base_dir, spawn):
    """Make the user's home and drop boxes where they are missing, and check every directory that will be mounted."""
    home = "{}/users/{}/home".format(base_dir, spawn["user_id"])
    os.makedirs(home, mode=0o700, exist_ok=True)
    require_real(home, base_dir)
    binds = course_binds(base_dir, spawn["courses"], spawn["user_id"])
    for source, _, _, create in binds:
        if create:
            with contextlib.suppress(FileExistsError):
                os.mkdir(source, 0o700)
        require_real(source, base_dir)
    return binds


# --- whose connection is it -------------------------------------------------------------------------------------------------------


def is_ours(peer, port):
    """Whether a process of this job made the connection from ``peer`` (address, port) to our loopback port.

    All jobs have one uid, so the kernel's table of connections only tells strangers apart; among our own it is the descriptors of
    this job's processes that count: descendants of this process, since orphans inside the container stay below its first process.

    Returns:
        True or False; None where a host does not let us look into the processes in our container, so that nothing can be said.
    """
    try:
        found = find_connection(peer, port)
    except OSError:
        return None
    if found is None or found[0] != os.getuid() or found[1] == 0:  # no inode: closed already
        return False
    looked_inside = False
    for depth, pids in enumerate(generations(os.getpid())):
        for pid in pids:
            with contextlib.suppress(OSError):
                if holds_socket(pid, found[1]):
                    return True
                looked_inside = looked_inside or depth > 1
    return False if looked_inside else None


def table_end(address, port):
    """One end of a connection as the kernel's table writes it; in the table of IPv6 an IPv4 address is the end of a longer one."""
    return "{:08X}:{:04X}".format(struct.unpack("=I", socket.inet_aton(address))[0], port)


def find_connection(peer, port):
    """The (uid, inode) of the far socket of a loopback connection, or None when it is gone; OSError when there is no table."""
    far, near = table_end(*peer), table_end("127.0.0.1", port)
    for _ in range(2):  # the table can skip a line while others come and go
        for path in ("/proc/net/tcp", "/proc/net/tcp6"):
            if path.endswith("6") and not os.path.exists(path):
                continue
            with open(path, encoding="ascii") as lines:
                for line in lines:
                    fields = line.split() if far in line and near in line else ()
                    if fields and fields[1].endswith(far) and fields[2].endswith(near):
                        return int(fields[7]), int(fields[9])
    return None


def generations(pid):
    """Lists of processes: the process itself, its children, their children, and so on."""
    children = {}
    for name in os.listdir("/proc"):
        if name.isdigit():
            with contextlib.suppress(OSError, IndexError), open(f"/proc/{name}/stat", "rb") as stream:
                parent = int(stream.read().rpartition(b")")[2].split()[1])
                children.setdefault(parent, []).append(int(name))
    pids = [pid]
    while pids:
        yield pids
        pids = [child for parent in pids for child in children.pop(parent, ())]


def holds_socket(pid, inode):
    """Whether a process has a socket open; OSError when we may not look, or it has ended."""
    folder, wanted = f"/proc/{pid}/fd", f"socket:[{inode}]"
    for name in os.listdir(folder):
        with contextlib.suppress(OSError):
            if os.readlink(f"{folder}/{name}") == wanted:
                return True
    return False


# --- the legs: tunnel, relay, server ----------------------------------------------------------------------------------------------


class Tunnel:
    """Keeps the ssh connection up: back-off between tries, and an end when the hub stays away."""

    def __init__(self, argv, private_dir, on_lost):
        self._argv = argv
        self._hub_socket = private_dir + "/hub.sock"
        self._on_lost = on_lost
        self._stop = threading.Event()
        self._process = None
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self):
        """Begin in a thread of its own."""
        self._thread.start()

    def stop(self):
        """End ssh itself, not only its supervisor."""
        self._stop.set()
        with self._lock:
            process = self._process
        if process is not None:
            end_process(process, 2)
        self._thread.join(5)

    def _run(self):
        pause, last_good = 0, time.monotonic()
        while not self._stop.is_set():
            began = time.monotonic()
            status, answered = self._connect()
            worked = answered or time.monotonic() - began > PROVEN_AFTER_SECONDS
            if self._stop.is_set():
                return
            log("tunnel-down", f"ssh-exit={status}")
            if worked:
                last_good = time.monotonic()
            elif time.monotonic() - last_good > GIVE_UP_SECONDS:
                self._on_lost()
                return
            pause = next_pause(pause, worked)
            self._stop.wait(pause)

    def _connect(self):
        """Run ssh once; returns (exit status, did the hub answer through it)."""
        log("tunnel-connect")
        with self._lock:
            if self._stop.is_set():
                return None, False
            self._process = subprocess.Popen(self._argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        threading.Thread(target=self._copy_messages, args=(self._process.stderr,), daemon=True).start()
        answered = False
        while not answered and self._process.poll() is None and not self._stop.is_set():
            answered = self._hub_answers()
            if answered:
                log("tunnel-up")
            else:
                self._stop.wait(0.1)
        return self._process.wait(), answered

    @staticmethod
    def _copy_messages(stream):
        """Copy what ssh says, except that nobody listens yet: the hub knocks several times a second until the server is up."""
        said = 0
        for line in stream:
            if not line.startswith(b"connect to ") and said < SSH_LINES_MAX:
                said += 1
                log("ssh", line.decode("utf-8", "replace").strip()[:300])

    def _hub_answers(self):
        """Ask the hub's API for its version through the tunnel; any HTTP answer proves the way there and back."""
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(5)
            try:
                client.connect(self._hub_socket)
                client.sendall(b"GET /hub/api HTTP/1.0\r\n\r\n")
                return client.recv(5) == b"HTTP/"
            except OSError:
                return False


class Relay:
    """A loopback port, held for the whole job, that leads to the hub's API through the tunnel.

    Everybody on the node can connect to it, so that what a connection costs is bounded: so many at a time, none idle for long, and
    those of other jobs and other people are closed before they cost more than a look. Nothing that happens to a connection ends
    the relay: without it the server cannot reach the hub for the rest of the job.
    """

    def __init__(self, private_dir):
        self._hub_socket = private_dir + "/hub.sock"
        self._slots = threading.BoundedSemaphore(RELAY_CONNECTIONS_MAX)
        self._said = 0
        self._server = socket.socket()
        self._server.bind(("127.0.0.1", 0))
        self._server.listen(128)
        self.port = self._server.getsockname()[1]

    def start(self):
        """Begin in a thread of its own."""
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        """Let connections in for ever; without a free slot, descriptor or thread they wait in the kernel's queue."""
        while True:
            self._slots.acquire()
            client = None
            try:
                client, peer = self._server.accept()
                threading.Thread(target=self._serve, args=(client, peer), daemon=True).start()
            except Exception as error:  # noqa: BLE001 (no descriptor, no thread, no memory: all of it passes)
                if client is not None:
                    client.close()
                self._slots.release()
                self._say("relay-waits", str(error))
                time.sleep(RELAY_PAUSE_SECONDS)

    def _serve(self, client, peer):
        """Carry one connection if it comes from this job."""
        try:
            with client:
                ours = is_ours(peer, self.port)
                if ours is False:
                    self._say("relay-refused", "a connection that is not of this job")
                    return
                idle = RELAY_UNJUDGED_IDLE_SECONDS if ours is None else RELAY_IDLE_SECONDS
                with socket.socket(socket.AF_UNIX) as hub:
                    hub.settimeout(1)  # a full queue of the tunnel is no reason to wait without end
                    if self._reach(hub):
                        with contextlib.suppress(OSError):  # one of the two hung up
                            carry(client, hub, idle)
        except OSError as error:
            self._say("relay-connection-lost", str(error))
        finally:
            self._slots.release()

    def _reach(self, hub):
        """Connect to the tunnel; while it is not up yet the caller waits instead of being refused."""
        deadline = time.monotonic() + RELAY_HUB_SECONDS
        while hub.connect_ex(self._hub_socket) != 0:
            if time.monotonic() > deadline:
                return False
            time.sleep(0.05)
        return True

    def _say(self, event, detail):
        """Log an event, a few times only: others can cause it as often as they like."""
        if self._said < RELAY_LINES_MAX:
            self._said += 1
            log(event, detail)


def carry(one, other, idle_seconds):
    """Copy between two sockets until both have ended or nothing was said for ``idle_seconds``."""
    ways = {one.fileno(): (one, other), other.fileno(): (other, one)}
    poll = select.poll()
    for source in (one, other):
        source.settimeout(idle_seconds)
        poll.register(source, select.POLLIN)
    while ways:
        ready = poll.poll(idle_seconds * 1000)
        if not ready:
            return
        for number, _ in ready:
            source, sink = ways[number]
            data = source.recv(65536)
            if data:
                sink.sendall(data)
                continue
            poll.unregister(source)
            del ways[number]
            with contextlib.suppress(OSError):
                sink.shutdown(socket.SHUT_WR)


def end_process(process, seconds):
    """Ask a process to end, and insist after ``seconds``."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def publish_socket(private_dir, process):
    """Wait for the server's socket and link it to where the tunnel looks, if it is a socket and nothing else."""
    inside, outside = f"{private_dir}/s/{SOCKET_NAME}", f"{private_dir}/{SOCKET_NAME}"
    while process.poll() is None and not os.path.lexists(inside):
        time.sleep(0.05)
    with contextlib.suppress(FileNotFoundError):
        os.link(inside, outside + ".new", follow_symlinks=False)
        if stat.S_ISSOCK(os.lstat(outside + ".new").st_mode):
            os.rename(outside + ".new", outside)
            log("server-socket")
        else:
            log("server-socket-refused")


def copy_log(stream):
    """Copy the server's output to the job's log, up to a cap: a student's endless print must not fill the disk."""
    left = LOG_CAP_BYTES
    while True:
        data = os.read(stream.fileno(), 65536)
        if not data:
            return
        if left > 0:
            sys.stdout.buffer.write(data[:left])
            sys.stdout.buffer.flush()
            left -= len(data)
            if left <= 0:
                log("server-log-full", "the rest of the server's output is dropped")


class Ending:
    """Why the job ends. Signal handlers and threads write, the main thread waits; a pipe is safe in a handler, a lock is not."""

    def __init__(self):
        self.status = None
        self._read, self._write = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.end(EXIT_TERMINATED))

    def end(self, status=None):
        """Wake the main thread; the first status counts, None means that the server ended by itself."""
        if self.status is None:
            self.status = status
        os.write(self._write, b".")

    def wait(self):
        """Wait for the first ``end``."""
        os.read(self._read, 1)


def remove_tree(path):
    """Remove a directory with whatever a student left in it: without permissions, or so deep that a recursion would not end.

    Every directory is moved to a shelf at the top before it is emptied, so that nothing is deep any more when its turn comes, and
    no path leads through a directory that a container can write to. What cannot be removed stays, and is not an error: a later job
    tries again. Mounted file systems cannot be moved, and so are never entered.
    """
    with contextlib.suppress(OSError):
        shelf = tempfile.mkdtemp(dir=path)
        waiting, moved = [path], 0
        while waiting:
            folder = waiting.pop()
            places = [f"{shelf}/{moved + number}" for number in empty(folder, shelf, moved)]
            moved += len(places)
            waiting += places
            with contextlib.suppress(OSError):
                os.rmdir(folder)
        os.rmdir(shelf)
        os.rmdir(path)


def empty(folder, shelf, moved):
    """Unlink what a directory holds and move its directories to the shelf, numbered from ``moved``; returns how many, as a range."""
    count = 0
    with contextlib.suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            for name in os.listdir(handle):
                with contextlib.suppress(OSError):
                    if f"{folder}/{name}" != shelf and not unlinked(handle, name):
                        os.rename(name, f"{shelf}/{moved + count}", src_dir_fd=handle)
                        count += 1
        finally:
            os.close(handle)
    return range(count)


def unlinked(handle, name):
    """Unlink an entry of an open directory; a directory gets permissions instead, which it needs to be moved, and False is told."""
    try:
        os.unlink(name, dir_fd=handle)
    except IsADirectoryError:
        inside = os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
        try:
            os.chmod(f"/proc/self/fd/{inside}", 0o700)
        finally:
            os.close(inside)
        return False
    return True


def start_container(argv):
    """Start the container with a small environment of its own."""
    entry = pwd.getpwuid(os.getuid())
    env = {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": entry.pw_dir,
        "USER": entry.pw_name,
        "LC_ALL": "C",
    }
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env
        )
    except OSError as error:
        raise JobError(f"{argv[0]} cannot be started: {error.strerror}") from error


def allow_files():
    """Take as many descriptors as the node allows; above that bound programs that close every possible one get slow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def fill_private_dir(private_dir, tunnel):
    """Write what is no secret: certificate and host keys, and the directories for the container."""
    os.mkdir(private_dir + "/s", 0o700)
    os.mkdir(private_dir + "/work", 0o700)
    write(private_dir + "/key-cert.pub", tunnel["certificate"].rstrip("\n") + "\n")
    write(private_dir + "/known_hosts", "".join(line + "\n" for line in tunnel["known_hosts"]))


def run_server(argv, private_dir, ending):
    """Run the container until it ends or the job is told to end; returns the container's exit status."""
    process = start_container(argv)
    log("container-start")
    output = threading.Thread(target=copy_log, args=(process.stdout,), daemon=True)
    output.start()
    threading.Thread(target=publish_socket, args=(private_dir, process), daemon=True).start()
    threading.Thread(target=lambda: (process.wait(), ending.end()), daemon=True).start()
    ending.wait()
    if ending.status is not None:
        log("stop", "tunnel-lost" if ending.status == EXIT_TUNNEL_LOST else "terminated")
        end_process(process, STOP_SECONDS)
    output.join(2)
    log("server-exit", f"status={process.wait()}")
    return process.returncode


def serve(base_dir, spawn, private_dir, ending):
    """Run tunnel, relay and server; returns the job's exit status."""
    tunnel_data = spawn["secrets"]["tunnel"]
    fill_private_dir(private_dir, tunnel_data)
    binds = prepare_binds(base_dir, spawn)
    relay = Relay(private_dir)
    env = server_env(spawn, relay.port, socket.gethostname().split(".")[0], os.environ.get("SLURM_JOB_ID", ""))
    key, key_path = in_memory(tunnel_data["private_key"].rstrip("\n") + "\n")
    env_stream, env_path = in_memory(env_file(env))
    argv = ssh_argv(tunnel_data, private_dir, key_path)
    tunnel = Tunnel(argv, private_dir, lambda: ending.end(EXIT_TUNNEL_LOST))
    with key, env_stream:
        relay.start()
        tunnel.start()
        try:
            status = run_server(container_argv(base_dir, spawn, private_dir, env_path, binds), private_dir, ending)
        finally:
            tunnel.stop()
    if ending.status is not None:
        return ending.status
    return status if status >= 0 else 128 - status


def main(argv):
    """Run the job; returns its exit status."""
    os.umask(0o077)
    allow_files()
    if len(argv) != 3 or not _SPAWN_ID.match(argv[2]) or not argv[1].startswith("/"):
        print("usage: job.py BASE SPAWN_ID", file=sys.stderr)
        return 2
    base_dir, spawn_id = argv[1], argv[2]
    ending = Ending()
    log("job-start", "node={} job={}".format(socket.gethostname(), os.environ.get("SLURM_JOB_ID", "")))
    private_dir = None
    try:
        spawn = read_and_remove("{}/spawns/{}.json".format(base_dir, spawn_id))
        private_dir, _lock = locked_dir()
        remove_stale_later()
        return serve(base_dir, spawn, private_dir, ending)
    except JobError as error:
        log("failed", str(error))
        return EXIT_SETUP
    finally:
        if private_dir is not None:
            remove_tree(private_dir)
        log("job-end")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
