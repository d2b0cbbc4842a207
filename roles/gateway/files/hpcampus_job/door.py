# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The ways on which the hub comes to the job: an sshd of the job's own, run as the job's account, one for each connection.

It lets in one key and does two things for it: it connects to the notebook server's socket, and it makes a socket that leads to the
hub's API. The hub knows it by a host key that it made for this job alone. `relay` starts it through Slurm (see ``enter``), `forward`
and `direct` through a TCP port of the node (see ``Door``).
"""

import contextlib
import os
import pwd
import shutil
import signal
import socket
import subprocess
import threading
import time

from .container import SOCKET_NAME
from .files import write
from .log import JobError, log
from .tunnel import GIVE_UP_SECONDS, hub_answers

CONNECTIONS_MAX = 16
LINES_MAX = 20
LOGIN_SECONDS = 10
DOWN_PAUSE_SECONDS = 0.1
UP_PAUSE_SECONDS = 0.5
LISTENING = "00010000"


def find_sshd():
    """The path of the sshd program; it need not run as a service."""
    places = os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin:/usr/lib/ssh:/usr/libexec"
    path = shutil.which("sshd", path=places)
    if path is None:
        raise JobError(
            "this node has no sshd program, which the data paths relay, forward and direct need; install it or use reverse"
        )
    return path


def sshd_config(private_dir, host_key_path, account):
    """The configuration of the job's sshd.

    The hub may connect to the notebook server's socket, and to nothing else: sshd asks ``PermitOpen`` for sockets too, with the path
    in place of the host. It may make sockets, wherever the account may; sshd knows no rule for that. It does not unlink what is in
    their place: a hub that was taken could empty the account's directories so. There is no session.
    """
    return "\n".join(
        (
            "HostKey " + host_key_path,
            "AuthorizedKeysFile {}/authorized_keys".format(private_dir),
            "AllowUsers " + account,
            "AuthenticationMethods publickey",
            "PubkeyAuthentication yes",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "HostbasedAuthentication no",
            "UsePAM no",
            "StrictModes no",
            "PidFile none",
            "AllowStreamLocalForwarding yes",
            "StreamLocalBindUnlink no",
            "StreamLocalBindMask 0177",
            "AllowTcpForwarding yes",
            f"PermitOpen [{private_dir}/{SOCKET_NAME}]:*",
            "PermitListen none",
            "GatewayPorts no",
            "AllowAgentForwarding no",
            "X11Forwarding no",
            "PermitTunnel no",
            "PermitTTY no",
            "PermitUserEnvironment no",
            "PermitUserRC no",
            "MaxSessions 0",
            "ForceCommand /bin/false",
            "MaxAuthTries 3",
            "LoginGraceTime {}".format(LOGIN_SECONDS),
            "ClientAliveInterval 15",
            "ClientAliveCountMax 3",
            "UseDNS no",
            "LogLevel ERROR",
            "",
        )
    )


def sshd_argv(private_dir):
    """Argument list that serves one connection, which is standard input and output."""
    return [find_sshd(), "-i", "-e", "-f", private_dir + "/sshd_config"]


def listening_sockets(folder):
    """Names of the unix sockets of a directory at which somebody listens, as the kernel's table has them."""
    found = set()
    with open("/proc/net/unix", encoding="utf-8", errors="replace") as table:
        for line in table:
            fields = line.rstrip("\n").split(" ")
            if fields[-1].startswith(folder + "/") and LISTENING in fields:
                found.add(fields[-1][len(folder) + 1 :])
    return found


def listen(port):
    """A TCP socket of the node at which the hub knocks, for both families where the node has both."""
    for family, address in ((socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")):  # noqa: S104 (the hub comes from outside)
        server = None
        try:
            server = socket.socket(family)
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                server.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            server.bind((address, port))
            server.listen(CONNECTIONS_MAX)
        except OSError as error:
            if server is not None:
                server.close()
            trouble = error.strerror
        else:
            return server
    raise JobError(
        "port {} of this node, where the hub would come in, cannot be opened: {}; start again".format(port, trouble)
    )


class Door:
    """The job's sshd, and an eye on whether the hub is there: it makes a socket in a directory that is for that alone.

    Each connection makes a socket of its own name, so that one which comes while an older one dies takes nothing away from it. What
    the job uses, ``hub.sock``, is a link to the youngest at which somebody listens.
    """

    def __init__(self, door, private_dir, host_key_path, on_lost):
        self._private_dir = private_dir
        self._folder = private_dir + "/h"
        self._hub_socket = private_dir + "/hub.sock"
        self._on_lost = on_lost
        self._stop = threading.Event()
        self._slots = threading.BoundedSemaphore(CONNECTIONS_MAX)
        self._sessions = set()
        self._lock = threading.Lock()
        self._said = 0
        os.mkdir(self._folder, 0o700)
        self._argv = sshd_argv(private_dir)
        self._server = listen(door["port"]) if door["port"] else None
        write(private_dir + "/authorized_keys", "restrict,port-forwarding {}\n".format(door["authorized_key"]))
        account = pwd.getpwuid(os.getuid()).pw_name
        write(private_dir + "/sshd_config.new", sshd_config(private_dir, host_key_path, account))
        os.rename(private_dir + "/sshd_config.new", private_dir + "/sshd_config")

    def start(self):
        """Begin to watch, and to let in, in threads of their own."""
        log("door-open", "port={}".format(self._server.getsockname()[1]) if self._server else "through Slurm")
        threading.Thread(target=self._watch, daemon=True).start()
        if self._server is not None:
            threading.Thread(target=self._accept, daemon=True).start()

    def stop(self):
        """Let nobody in any more and end the sessions; those that came through Slurm end with the job."""
        self._stop.set()
        if self._server is not None:
            with contextlib.suppress(OSError):
                self._server.shutdown(socket.SHUT_RDWR)
            self._server.close()
        with self._lock:
            for process in self._sessions:
                with contextlib.suppress(OSError):
                    os.killpg(process.pid, signal.SIGTERM)

    def _watch(self):
        """Keep the link to the youngest socket; end the job when the hub stays away."""
        is_up, last_up = False, time.monotonic()
        while not self._stop.wait(UP_PAUSE_SECONDS if is_up else DOWN_PAUSE_SECONDS):
            try:
                there = self._link_youngest()
            except OSError as error:
                self._say("door-trouble", str(error))
                there = is_up  # nothing is known
            now = time.monotonic()
            if there:
                last_up = now
                if not is_up and hub_answers(self._hub_socket):
                    is_up = True
                    log("tunnel-up")
            elif is_up:
                is_up = False
                log("tunnel-down")
            elif now - last_up > GIVE_UP_SECONDS:
                self._on_lost()
                return

    def _link_youngest(self):
        """Point ``hub.sock`` to the youngest socket at which somebody listens; False when there is none."""
        alive = [self._folder + "/" + name for name in listening_sockets(self._folder)]
        alive = [path for path in alive if os.path.lexists(path)]
        if not alive:
            return False
        youngest = max(alive, key=lambda path: os.lstat(path).st_mtime)
        if not os.path.islink(self._hub_socket) or os.readlink(self._hub_socket) != youngest:
            draft = self._hub_socket + ".new"
            with contextlib.suppress(FileNotFoundError):
                os.unlink(draft)
            os.symlink(youngest, draft)
            os.rename(draft, self._hub_socket)
            self._remove_dead(set(alive))
        return True

    def _remove_dead(self, alive):
        """Remove sockets of connections that have ended; a young one may only not listen yet."""
        for name in os.listdir(self._folder):
            path = self._folder + "/" + name
            if path not in alive and time.time() - os.lstat(path).st_mtime > LOGIN_SECONDS:
                os.unlink(path)

    def _accept(self):
        """Serve each connection with an sshd of its own; without a free place they wait in the kernel's queue."""
        while not self._stop.is_set():
            self._slots.acquire()
            client = None
            try:
                client, _ = self._server.accept()
                self._serve(client)
            except Exception as error:  # noqa: BLE001 (no descriptor, no process, no memory: all of it passes)
                self._slots.release()
                if self._stop.wait(0.5):
                    return
                self._say("door-waits", str(error))
            finally:
                if client is not None:
                    client.close()

    def _serve(self, client):
        """Hand a connection to an sshd, which ends by itself unless the hub's key logs in at once."""
        with self._lock:
            process = subprocess.Popen(
                self._argv, stdin=client, stdout=client, stderr=subprocess.PIPE, start_new_session=True
            )
            self._sessions.add(process)
        threading.Thread(target=self._wait, args=(process,), daemon=True).start()

    def _wait(self, process):
        for line in process.stderr:
            self._say("sshd", line.decode("utf-8", "replace").strip()[:300])
        process.stderr.close()
        process.wait()
        with self._lock:
            self._sessions.discard(process)
        self._slots.release()

    def _say(self, event, detail):
        """Log an event, a few times only: strangers can cause it as often as they like."""
        if self._said < LINES_MAX:
            self._said += 1
            log(event, detail)
