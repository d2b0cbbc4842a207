# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A warm standby: a job whose container and server are started before it is known for whom.

The hub hands the job over through the job's own way to the hub: one request to the socket at which the notebook server will listen
later, with the secret that came with the job. A wrong secret is refused, a third one ends the job; the right one counts once. From
then on nothing tells the job from one that was started for this person.
"""

import hmac
import json
import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler

from hpcampus_gateway.checks import check_identity
from hpcampus_gateway.errors import BadRequestError

from .container import CONTAINER_DATA, CONTAINER_SHARED, SOCKET_NAME, container_argv, home_of, runtime_env
from .log import JobError, log

BODY_MAX = 256 * 1024
CALLER_SECONDS = 10
WRONG_MAX = 3
MOUNT_SECONDS = 20
WARM_FILE = "warm"


def stage_argv(library, answer_fd, private_dir, container):
    """Argument list of the stage around a container's argument list."""
    return [sys.executable, "-I", library + "/stage.py", str(answer_fd), private_dir] + container


def waiting_argv(base_dir, spawn, private_dir, env_path, binds=()):
    """Argument list of a container that waits: home and data are empty directories of the stage, ``binds`` are nobody's."""
    data = [(private_dir + "/m" + target, target, "ro") for target in (CONTAINER_DATA, CONTAINER_SHARED)]
    home = private_dir + "/m/home"
    return container_argv(base_dir, spawn, private_dir, env_path, [*data, *binds], home) + ["--standby"]


def identified(spawn, request):
    """The job's message as it would have been for the person whom the request names; ValueError when it breaks a rule."""
    try:
        identity = check_identity(request)
    except BadRequestError as error:
        raise ValueError(str(error)) from None
    page = {name: identity[name] for name in ("env", "base_url", "default_url")}
    who = {name: identity[name] for name in ("user_id", "server_id", "courses")}
    return dict(spawn, secrets=dict(spawn["secrets"], **page), **who)


def stage_binds(base_dir, person, binds):
    """What the stage mounts for a person: the home, and the data of the courses."""
    places = [[home_of(base_dir, person["user_id"]), "home", "rw"]]
    return places + [[source, target.lstrip("/"), mode] for source, target, mode in binds]


def start_stage(container, private_dir, env=None):
    """Start the container on a stage; returns (process, file with the stage's answer)."""
    answer, answer_fd = os.pipe()
    argv = stage_argv(os.path.dirname(os.path.abspath(__file__)), answer_fd, private_dir, container)
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env=env or runtime_env(),
            pass_fds=[answer_fd],
        )
    finally:
        os.close(answer_fd)
    return process, os.fdopen(answer)


def give(process, answer, binds, line):
    """Have the stage mount and the server begin; JobError when it cannot."""
    order = json.dumps({"binds": binds, "line": line}).encode("ascii") + b"\n"
    timer = threading.Timer(MOUNT_SECONDS, process.kill)
    timer.start()
    try:
        process.stdin.write(order)
        process.stdin.close()
        said = answer.read()
    except OSError as error:
        said = error.strerror
    finally:
        timer.cancel()
    if said != "ok":
        raise JobError(f"the standby could not be handed over: {said or 'its container ended'}")


class HandOver:
    """Waits at the server's socket for the one request that says whose server this is.

    Args:
        private_dir: the job's private directory; the socket in it is reached through the way to the hub.
        secret: what the request must know.
        take: called with the request's object; raises ValueError when it breaks a rule and JobError when it cannot be done.
        give_up: called after ``WRONG_MAX`` wrong secrets, and when the job cannot be handed over.
    """

    def __init__(self, private_dir, secret, take, give_up):
        self._warm = f"{private_dir}/s/{WARM_FILE}"
        self._secret = secret
        self._take = take
        self._give_up = give_up
        self._wrong = 0
        self._done = False
        self._server = socket.socket(socket.AF_UNIX)
        self._server.bind(f"{private_dir}/{SOCKET_NAME}")
        self._server.listen(16)

    def start(self):
        """Begin in a thread of its own."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self):
        with self._server:
            while not self._done:
                client, _ = self._server.accept()
                with client:
                    client.settimeout(CALLER_SECONDS)
                    try:
                        self._answer(client)
                    except OSError as error:
                        log("standby-caller-lost", str(error))

    def _answer(self, client):
        handover = self

        class Request(BaseHTTPRequestHandler):
            """One request: GET tells whether the standby is warm, POST hands it over."""

            def do_GET(self):
                warm = os.path.exists(handover._warm)
                handover._reply(self, 200 if warm else 503, {"standby": "warm" if warm else "starting"})

            def do_POST(self):
                status, answer = handover._judge(self)
                handover._reply(self, status, answer)

            def log_message(self, *_):
                pass

        Request(client, "hub", None)

    @staticmethod
    def _reply(request, status, answer):
        body = json.dumps(answer).encode("ascii")
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)

    def _judge(self, request):
        """Status and answer of a request to take over."""
        length = request.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > BODY_MAX:
            return 400, {"message": "no length, or too long"}
        body = request.rfile.read(int(length))  # first, or the answer would be cut off
        given = request.headers.get("Authorization", "")
        if not hmac.compare_digest(given.encode("utf-8", "replace"), f"hpcampus {self._secret}".encode("ascii")):
            self._wrong += 1
            log("standby-refused", "wrong secret")
            if self._wrong >= WRONG_MAX:
                self._done = True
                self._give_up()
            return 403, {"message": "wrong secret"}
        if not os.path.exists(self._warm):
            return 503, {"message": "not warm yet"}
        try:
            self._take(json.loads(body.decode("utf-8")))
        except ValueError as error:
            return 400, {"message": str(error)[:300]}
        except JobError as error:
            self._done = True
            self._give_up()
            return 500, {"message": str(error)[:300]}
        self._done = True
        return 200, {"ok": True}
