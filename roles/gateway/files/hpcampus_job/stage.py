# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A stage: starts a container before it is known whose home it shall see, and mounts the home when that is known.

``stage.py ANSWER_FD DIRECTORY PROGRAM ARGUMENT...`` makes user and mount namespaces of its own, which needs no privilege, and in them
``DIRECTORY/m``, a small file system whose mounts reach the mount namespace of the container: mounts go from here to there, never
back. One line on standard input, ``{"binds": [[source, name, "ro"|"rw"], ...], "line": ...}``, has each source mounted at
``DIRECTORY/m/name`` and the line handed to the program; the answer is ``ok`` or what went wrong. There is no second line.

Standard library only, Python 3.6 or newer.
"""

import ctypes
import json
import os
import signal
import subprocess
import sys
import threading

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
MS_RDONLY, MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_REMOUNT = 1, 2, 4, 8, 32
MS_NOATIME, MS_NODIRATIME, MS_BIND, MS_REC = 1024, 2048, 4096, 16384
MS_PRIVATE, MS_SHARED, MS_RELATIME = 1 << 18, 1 << 20, 1 << 21
# What a mount of another owner has set cannot be taken away: it is named again. (statvfs has names of its own for the flags.)
KEPT = {
    os.ST_NOSUID: MS_NOSUID,
    os.ST_NODEV: MS_NODEV,
    os.ST_NOEXEC: MS_NOEXEC,
    os.ST_NOATIME: MS_NOATIME,
    os.ST_NODIRATIME: MS_NODIRATIME,
    os.ST_RELATIME: MS_RELATIME,
}

NAMES = ("home", "coursedata", "shareddata")
"""Directories of ``m`` that a container can name before anything is mounted there."""

_LIBC = ctypes.CDLL(None, use_errno=True)


def call(name, *arguments):
    """Call a function of the C library; OSError when it fails."""
    if getattr(_LIBC, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")


def mount(source, target, kind, flags):
    """The system call; texts are paths or None."""
    texts = [text.encode() if text is not None else None for text in (source, target, kind)]
    call("mount", *texts, ctypes.c_ulong(flags), None)


def isolate():
    """Enter namespaces in which this process may mount, with the ids that it has."""
    uid, gid = os.getuid(), os.getgid()
    call("unshare", CLONE_NEWUSER | CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        with open("/proc/self/" + name, "w", encoding="ascii") as stream:
            stream.write(text)


def prepare(directory):
    """Make ``m``, whose mounts spread, and ``t``, where mounts get their flags first: flags do not spread afterwards."""
    mount(None, "/", None, MS_REC | MS_PRIVATE)
    for name in ("m", "t"):
        os.mkdir(f"{directory}/{name}", 0o700)
        mount("tmpfs", f"{directory}/{name}", "tmpfs", MS_NOSUID | MS_NODEV)
    for name in NAMES:
        os.mkdir(f"{directory}/m/{name}")
    mount(None, directory + "/m", None, MS_SHARED)


def bind(directory, number, source, name, mode):
    """Mount ``source`` at ``m/name``, where the container sees it."""
    first, last = f"{directory}/t/{number}", f"{directory}/m/{name}"
    os.mkdir(first)
    os.makedirs(last, mode=0o755, exist_ok=True)
    mount(source, first, None, MS_BIND)
    if mode == "ro":
        seen = os.statvfs(first).f_flag
        kept = sum(flag for name_of, flag in KEPT.items() if seen & name_of)
        mount(None, first, None, MS_REMOUNT | MS_BIND | MS_RDONLY | kept)
    mount(first, last, None, MS_BIND)


def take_line(directory, container):
    """Wait for the one line, mount, and hand the rest to the program; returns the answer, None when no line came."""
    text = sys.stdin.readline()
    if not text:
        return None
    try:
        order = json.loads(text)
        for number, (source, name, mode) in enumerate(order["binds"]):
            bind(directory, number, source, name, mode)
        container.stdin.write(json.dumps(order["line"]).encode("ascii") + b"\n")
        container.stdin.close()
    except (OSError, ValueError) as error:
        container.terminate()
        return str(error)
    return "ok"


def main(answer_fd, directory, argv):
    """Run the program on its stage; returns its exit status."""
    isolate()
    prepare(directory)
    container = subprocess.Popen(argv, stdin=subprocess.PIPE)
    signal.signal(signal.SIGTERM, lambda *_: container.terminate())

    def serve():
        answer = take_line(directory, container)
        with os.fdopen(answer_fd, "w") as stream:
            stream.write(answer or "")

    threading.Thread(target=serve, daemon=True).start()
    status = container.wait()
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2], sys.argv[3:]))
