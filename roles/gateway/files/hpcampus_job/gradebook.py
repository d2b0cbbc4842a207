# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The way from a course's server to its gradebook: a database's socket in the container, each connection carried to the hub.

A connection goes as one request to the course service of the hub, which is asked to switch to the database's own protocol; the
server's token says whose gradebook it is.
"""

import contextlib
import os
import re
import socket
import struct
import time

from .listener import PAUSE_SECONDS, Listener, carry

SOCKET_DIR = "gradebook"
SOCKET_NAME = ".s.PGSQL.5432"
CONNECTIONS_MAX = 32
RETRY_SECONDS = 20
ANSWER_SECONDS = 30
IDLE_SECONDS = 20 * 24 * 3600
HEAD_MAX = 16384
STARTUP_MAX = 10000
_STATUS = re.compile(rb"\AHTTP/1\.[01] ([0-9]{3})(?: |\r)")


class RefusedError(Exception):
    """The hub does not lead to the gradebook; the text is for a person."""


class Gradebook(Listener):
    """A database's socket beside the notebook server's, for the course's own server.

    Args:
        private_dir: the job's private directory; the way to the hub ends in it.
        slug: the course.
        env: the server's environment.
    """

    def __init__(self, private_dir, slug, env):
        self._hub_socket = private_dir + "/hub.sock"
        self._request = request(slug, env)
        directory = f"{private_dir}/s/{SOCKET_DIR}"
        os.mkdir(directory, 0o700)
        server = socket.socket(socket.AF_UNIX)
        server.bind(f"{directory}/{SOCKET_NAME}")
        server.listen(CONNECTIONS_MAX)
        super().__init__("gradebook", server, CONNECTIONS_MAX)

    def serve(self, client, peer):  # noqa: ARG002 (a unix socket's peer has no address)
        """Carry one connection, or tell the database's client why not."""
        try:
            hub, rest = self._reach()
        except RefusedError as error:
            self.say("refused", str(error))
            tell(client, str(error))
            return
        with hub, contextlib.suppress(OSError):  # one of the two hung up
            client.sendall(rest)
            carry(client, hub, IDLE_SECONDS)

    def _reach(self):
        """Return a connection on which the database speaks, and what it has said; what restarts at the moment is waited for."""
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                return self._knock()
            except OSError as error:
                if time.monotonic() > deadline:
                    raise RefusedError(f"the hub does not answer: {error}") from error
            time.sleep(PAUSE_SECONDS)

    def _knock(self):
        """One try: RefusedError when another would be of no use, OSError when it may."""
        with contextlib.ExitStack() as opened:
            hub = opened.enter_context(socket.socket(socket.AF_UNIX))
            hub.settimeout(ANSWER_SECONDS)
            hub.connect(self._hub_socket)
            hub.sendall(self._request)
            head, rest = read_head(hub)
            judge(head)
            opened.pop_all()
        return hub, rest


def gradebook_of(spawn, private_dir):
    """The gradebook's way of a job that is a course's own server and has its gradebook in a database; None for every other."""
    env = spawn["secrets"]["env"]
    slug = next((course["slug"] for course in spawn["courses"] if course["role"] == "course"), None)
    if slug is None or not env.get("HPCAMPUS_GRADEBOOK"):
        return None
    return Gradebook(private_dir, slug, env)


def request(slug, env):
    """The request that asks for the gradebook, with the server's token."""
    lines = [
        "GET {}services/courses/api/v1/courses/{}/gradebook HTTP/1.1".format(env.get("JUPYTERHUB_BASE_URL", "/"), slug),
        "Host: 127.0.0.1",
        "Connection: Upgrade",
        "Upgrade: hpcampus-gradebook",
        "Authorization: token {}".format(env.get("JUPYTERHUB_API_TOKEN", "")),
    ]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("ascii")


def read_head(hub):
    """Return the head of the answer, and what came behind it; OSError when there is none."""
    data = b""
    while b"\r\n\r\n" not in data:
        if len(data) > HEAD_MAX:
            raise OSError("its answer does not end")
        more = hub.recv(4096)
        if not more:
            raise OSError("it hung up")
        data += more
    head, _, rest = data.partition(b"\r\n\r\n")
    return head, rest


def judge(head):
    """Return when the hub leads on: RefusedError when another try would be of no use, OSError when it may."""
    status = _STATUS.match(head)
    code = int(status.group(1)) if status else 502
    if code in (502, 503, 504):
        raise OSError(f"it is being restarted ({code})")
    if code != 101:
        raise RefusedError(f"the hub does not lead to the gradebook (answer {code}); tell your administrator")


def tell(client, message):
    """Answer a client of the database as the database would: with an error that it shows."""
    client.settimeout(ANSWER_SECONDS)
    client.recv(STARTUP_MAX)  # what it began with, or the answer may be lost with it
    fields = [b"SFATAL", b"VFATAL", b"C08006", b"M" + message.encode("utf-8", "replace"), b""]
    body = b"".join(field + b"\0" for field in fields)
    client.sendall(b"E" + struct.pack("!i", len(body) + 4) + body)
