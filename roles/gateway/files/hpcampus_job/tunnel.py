# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The way `reverse`: one ssh connection from the job to the hub, kept up."""

import socket
import subprocess
import threading
import time

from .container import SOCKET_NAME
from .files import write
from .log import log
from .process import end_process

BACKOFF_MAX_SECONDS = 15
GIVE_UP_SECONDS = 120
PROVEN_AFTER_SECONDS = 20
SSH_LINES_MAX = 20


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


def next_pause(pause, worked):
    """Seconds to wait before the next connection: 1, 2, 4, 8, then 15; from the start again after one that worked."""
    return 1 if worked or not pause else min(BACKOFF_MAX_SECONDS, pause * 2)


def hub_answers(hub_socket):
    """Ask the hub's API for its version; any HTTP answer proves the way there and back."""
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(5)
        try:
            client.connect(hub_socket)
            client.sendall(b"GET /hub/api HTTP/1.0\r\n\r\n")
            return client.recv(5) == b"HTTP/"
        except OSError:
            return False


class Tunnel:
    """Keeps the ssh connection up: back-off between tries, and an end when the hub stays away."""

    def __init__(self, tunnel, private_dir, key_file, on_lost):
        write(private_dir + "/key-cert.pub", tunnel["certificate"].rstrip("\n") + "\n")
        write(private_dir + "/known_hosts", "".join(line + "\n" for line in tunnel["known_hosts"]))
        self._argv = ssh_argv(tunnel, private_dir, key_file)
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
            answered = hub_answers(self._hub_socket)
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
