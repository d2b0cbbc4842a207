# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What the other student has: a mark in every place where one could look. Runs in a kernel of hers that stays."""

import ctypes
import errno
import json
import os
import pathlib
import socket
import subprocess
import sys

from tests.e2e.hostile.attempts import KNOWN

MARK = KNOWN["mark"]
LIBC = ctypes.CDLL(None, use_errno=True)
IPC_CREAT = 0o1000
SHM_KEY, SHM_SIZE = 0x6870, 4096
ADD_KEY, USER_KEYRING = 248, -4


def leave_files():
    """In her home and in all places for passing files."""
    for path in ("mine.txt", "/tmp/mine.txt", "/var/tmp/mine.txt", "/dev/shm/mine.txt", "/scratch/mine.txt"):
        pathlib.Path(path).write_text(MARK)


def leave_memory():
    """Shared memory, a message queue, and in the kernel's keyring a key, or why there can be none."""
    number = LIBC.shmget(SHM_KEY, SHM_SIZE, IPC_CREAT | 0o666)
    LIBC.shmat.restype = ctypes.c_void_p
    address = LIBC.shmat(number, None, 0)
    ctypes.memmove(address, MARK.encode(), len(MARK))
    queue = LIBC.mq_open(b"/hpcampus-victim", os.O_CREAT | os.O_RDWR, 0o666, None)
    ctypes.set_errno(0)
    LIBC.syscall(ADD_KEY, b"user", b"hpcampus-victim", MARK.encode(), len(MARK), USER_KEYRING)
    return {"shm": number >= 0, "queue": queue >= 0, "key": errno.errorcode.get(ctypes.get_errno(), "is there")}


def leave_process():
    """A process with the mark in its arguments and in its environment."""
    code = "import time; time.sleep(600)"
    return subprocess.Popen([sys.executable, "-c", code, MARK], env={"MARK": MARK}, start_new_session=True).pid


def listen():
    """What she opens on purpose: an abstract socket and a port."""
    abstract = socket.socket(socket.AF_UNIX)
    abstract.bind("\0hpcampus-victim")
    port = socket.create_server(("127.0.0.1", 0))
    abstract.listen()
    return [abstract, port]


leave_files()
MEMORY = leave_memory()
leave_process()
OPEN = listen()
print(
    json.dumps(
        {
            "memory": MEMORY,
            "port": OPEN[1].getsockname()[1],
            "api_port": int(os.environ["JUPYTERHUB_API_URL"].split(":")[2].split("/")[0]),
            "token": os.environ["JUPYTERHUB_API_TOKEN"],
        }
    )
)
