# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a job of a course's server does with its gradebook, on the hub itself and in the hub's environment.

Reads JSON from standard input: ``token``, ``course``, ``port`` of the hub for jobs, and the ``sources`` of the job wrapper's modules.
Writes JSON: what each attempt gave.
"""

import contextlib
import importlib
import json
import os
import signal
import socket
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import psycopg

given = json.load(sys.stdin)
name = "hpcampus_course_" + given["course"].replace("-", "_")
room = Path(tempfile.mkdtemp(prefix="gradebook-probe-"))
for directory in ("hpcampus_job", "s"):
    (room / directory).mkdir()
for module, source in given["sources"].items():
    (room / f"hpcampus_job/{module}.py").write_text(source)
sys.path.insert(0, str(room))


def lead_on(client):
    """The way of a job: sshd would lead it to that port."""
    with client, contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", given["port"])) as hub:
        importlib.import_module("hpcampus_job.listener").carry(client, hub, 600)


def be_the_job():
    """Offer the gradebook's socket, and take connections where the way to the hub ends in a job."""
    job = importlib.import_module("hpcampus_job.gradebook")
    env = {"JUPYTERHUB_API_TOKEN": given["token"], "JUPYTERHUB_BASE_URL": "/"}
    job.Gradebook(str(room), given["course"], env).start()
    server = socket.socket(socket.AF_UNIX)
    server.bind(f"{room}/hub.sock")
    server.listen(16)
    while True:
        threading.Thread(target=lead_on, args=(server.accept()[0],), daemon=True).start()


def connect(user, database):
    """A connection through the job's socket."""
    return psycopg.connect(host=f"{room}/s/gradebook", user=user, dbname=database, autocommit=True)


def told(attempt, *arguments):
    """What an attempt gives, or the first line of the database's refusal."""
    try:
        return attempt(*arguments)
    except psycopg.Error as error:
        return f"{type(error).__name__}: {error}".split("\n")[0]


def ask(user, database):
    """Who and where one is on a connection."""
    with connect(user, database) as connection:
        return list(connection.execute("SELECT current_user, current_database()").fetchone())


def milliseconds(times, attempt):
    """How long an attempt takes, most of the time: the machine may stand still in one of them."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        attempt()
        took.append((time.monotonic() - began) * 1000)
    return round(statistics.median(took), 2)


def work():
    """Write a few megabytes and read them back, and count how long a question takes."""
    with connect(name, name) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS probe (x text)")
        connection.execute("INSERT INTO probe VALUES (%s)", ("x" * 3_000_000,))
        length = len(connection.execute("SELECT x FROM probe").fetchone()[0])
        connection.execute("DROP TABLE probe")
        return {"length": length, "question_ms": milliseconds(200, lambda: connection.execute("SELECT 1").fetchone())}


def cancelled():
    """Seconds after which a cancelled question ends."""
    with connect(name, name) as connection:
        threading.Timer(0.5, connection.cancel).start()
        began = time.monotonic()
        with contextlib.suppress(psycopg.errors.QueryCanceled):
            connection.execute("SELECT pg_sleep(60)")
        return round(time.monotonic() - began, 1)


def connects():
    """Milliseconds that a connection takes."""
    return milliseconds(10, lambda: connect(name, name).close())


def superuser():
    """Try to become more than a course."""
    with connect(name, name) as connection:
        connection.execute("CREATE ROLE mallory SUPERUSER")


wrapper = os.fork()  # its own process, as in a job: while a question is cancelled the client lets no other thread run
if not wrapper:
    be_the_job()
while not (room / "s/gradebook/.s.PGSQL.5432").exists():
    time.sleep(0.05)
answer = {
    "own": told(ask, name, name),
    "others_database": told(ask, name, "postgres"),
    "others_role": told(ask, "postgres", "postgres"),
}
if given["works"]:
    answer |= {
        "work": told(work),
        "connect_ms": told(connects),
        "cancelled": told(cancelled),
        "superuser": told(superuser),
    }
os.kill(wrapper, signal.SIGKILL)
sys.stdout.write(json.dumps(answer))
