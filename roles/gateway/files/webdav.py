# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Show a person's WebDAV folder inside the notebook's container; runs inside the image, beside the server.

Apptainer mounts a file system of its own at the folder's place and starts this program with the open device as an argument:
``webdav.py NAME /dev/fd/N -f``. rclone serves the device. Nothing on the node needs rclone, fusermount or root, and what a WebDAV
server does to rclone it does to this container only.

Address and password come once through a named pipe; from there they go to rclone in a file in memory that has no name, so that
they are in no argument, environment or file system. Whatever goes wrong here, the notebook runs: the folder is empty then, and a
note in the home says why.

When the server ends, ``start.py`` sends SIGTERM and waits: the container ends with the server, and Apptainer gives nobody else time.
What was written last is uploaded then, and what cannot be uploaded in time is put into the home.
"""

import base64
import contextlib
import http.client
import json
import os
import shutil
import signal
import ssl
import subprocess
import sys
import threading
import time
import urllib.parse

import closed_keyring

PIPE = "/run/hpcampus/webdav"
CERTIFICATES = "/run/hpcampus/ca-certificates.crt"
HOME = "/home/jovyan"
CACHE = "/tmp/hpcampus-webdav"  # noqa: S108 (the container has a /tmp of its own)
PID_FILE = CACHE + "/pid"
REMOTE = "folder"
CACHE_MAX = "2G"
PROBE_SECONDS = 10
FLUSH_SECONDS = 12
LINES_MAX = 40
WATCHED = (signal.SIGTERM, signal.SIGCHLD)


def say(text):
    """One line of the job's log."""
    print(f"webdav: {text}", flush=True)


# --- decisions: pure functions ----------------------------------------------------------------------------------------------


def vendor(url):
    """What rclone calls the server behind an address; it decides how times of files are kept."""
    if "/remote.php/dav/files/" in url:
        return "nextcloud"
    return "owncloud" if "/remote.php/" in url else "other"


def config_text(settings, obscured):
    """The configuration of rclone; the gateway has checked that no value has a line break in it."""
    pairs = (
        ("type", "webdav"),
        ("url", settings["url"]),
        ("vendor", vendor(settings["url"])),
        ("user", settings["user"]),
        ("pass", obscured),
    )
    return f"[{REMOTE}]\n" + "".join(f"{name} = {value}\n" for name, value in pairs)


def rclone_argv(device, config):
    """Argument list of rclone; holds no secret. Times are short, so that a server that is gone is an error soon, not a hang."""
    return [
        "rclone", "mount2", REMOTE + ":", device, "--config", config, "--allow-non-empty", "--umask", "077",
        "--vfs-cache-mode", "writes", "--cache-dir", CACHE, "--vfs-cache-max-size", CACHE_MAX, "--vfs-cache-max-age", "10m",
        "--vfs-write-back", "1s", "--dir-cache-time", "30s", "--contimeout", "5s", "--timeout", "20s", "--retries", "1",
        "--low-level-retries", "1", "--transfers", "2", "--buffer-size", "4M", "--log-level", "NOTICE",
    ]  # fmt: skip


def judge(status):
    """What the server's answer to the first question means: None when it is good, else a sentence for the person."""
    if status == http.client.MULTI_STATUS:
        return None
    if status in (http.client.UNAUTHORIZED, http.client.FORBIDDEN):
        return "The server refuses user name or password. Enter them again on the hub's page for cloud storage."
    if status == http.client.NOT_FOUND:
        return "The server has no folder at this address. Enter the address again on the hub's page for cloud storage."
    return f"The server does not answer as a WebDAV server does (status {status})."


def is_whole(info):
    """Whether the cache holds a file from its first to its last byte; what was never read or written is not in it."""
    return sum(part["Size"] for part in info.get("Rs") or ()) >= info.get("Size", 0)


# --- the server ---------------------------------------------------------------------------------------------------------------


def ask(settings):
    """Ask the server for the folder once; returns the status of its answer. OSError and HTTPException when there is none."""
    parts = urllib.parse.urlsplit(settings["url"])
    context = ssl.create_default_context(cafile=CERTIFICATES if os.path.exists(CERTIFICATES) else None)
    connection = http.client.HTTPSConnection(parts.hostname, parts.port, timeout=PROBE_SECONDS, context=context)
    pair = "{}:{}".format(settings["user"], settings["password"])
    headers = {"Depth": "0", "Authorization": "Basic " + base64.b64encode(pair.encode("utf-8")).decode("ascii")}
    with contextlib.closing(connection):
        connection.request("PROPFIND", parts.path or "/", headers=headers)
        return connection.getresponse().status


def examine(settings):
    """Find out whether the folder can be mounted: (it is worth a try, what to tell the person or None)."""
    try:
        problem = judge(ask(settings))
    except (OSError, http.client.HTTPException) as error:
        text = f"The server could not be reached when the notebook started ({type(error).__name__}: {error})."
        return True, text + " Opening the folder tries again."
    return problem is None, problem


# --- what is written but not uploaded ---------------------------------------------------------------------------------------------


def waiting():
    """Files that rclone has not uploaded yet: a dict of path to what it notes of the file, None where that cannot be read."""
    found, top = {}, f"{CACHE}/vfsMeta/{REMOTE}"
    for folder, _, names in os.walk(top):
        for name in names:
            path = os.path.join(folder, name)
            info = None
            with contextlib.suppress(FileNotFoundError, ValueError):
                with open(path, encoding="utf-8") as stream:
                    info = json.load(stream)
            if info is None and os.path.exists(path):  # it is being written
                found[os.path.relpath(path, top)] = None
            elif info is not None and info.get("Dirty"):
                found[os.path.relpath(path, top)] = info
    return found


def flush(rclone):
    """Let rclone upload for a while; returns what it did not manage."""
    deadline = time.monotonic() + FLUSH_SECONDS
    left = waiting()
    while left and rclone.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
        left = waiting()
    return left


def rescue(name, files):
    """Copy files that were not uploaded into the home; returns those that could be copied."""
    saved = []
    for path, info in files.items():
        if info is not None and is_whole(info):
            target = f"{HOME}/{name}-not-uploaded/{path}"
            with contextlib.suppress(OSError):
                os.makedirs(os.path.dirname(target), exist_ok=True)
                shutil.copyfile(f"{CACHE}/vfs/{REMOTE}/{path}", target)
                saved.append(path)
    return saved


# --- the edge -----------------------------------------------------------------------------------------------------------------


def note(name, text):
    """Leave a note in the home, or take back an older one when there is nothing to tell."""
    path = f"{HOME}/{name}-not-connected.txt"
    with contextlib.suppress(OSError):
        if text is None:
            os.unlink(path)
        else:
            with open(path, "w", encoding="utf-8") as stream:
                stream.write(text + "\n")


def tell(name, text):
    """Tell the job's log, and the person if something is wrong."""
    say(text or "the folder is connected")
    note(name, text and f"The folder {name} is not connected. {text}")


def receive():
    """The folder's settings from the pipe, which nobody else needs any more; it was filled before the container began.

    Nothing here may wait for long: whoever looks at the folder waits until rclone answers.
    """
    handle = os.open(PIPE, os.O_RDONLY | os.O_NONBLOCK)
    with os.fdopen(handle, "rb") as stream:
        settings = json.loads((stream.read() or b"").decode("utf-8"))
    os.unlink(PIPE)
    return settings


def device_number(device):
    """The open descriptor of a path such as /dev/fd/3."""
    return int(device.rpartition("/")[2])


def environment():
    """The small environment of rclone: it trusts whom the node trusts."""
    env = {"PATH": "/usr/bin:/bin", "HOME": CACHE, "LC_ALL": "C.UTF-8"}
    if os.path.exists(CERTIFICATES):
        env["SSL_CERT_FILE"] = CERTIFICATES
    return env


def configured(settings):
    """Hand rclone's configuration to it: an open file in memory without a name."""
    done = subprocess.run(
        ["rclone", "obscure", "--config", "", "-"],
        input=settings["password"].encode("utf-8"), stdout=subprocess.PIPE, env=environment(), check=True,
    )  # fmt: skip
    handle = os.memfd_create("webdav")
    os.write(handle, config_text(settings, done.stdout.decode("ascii").strip()).encode("utf-8"))
    return handle


def start_rclone(device, handle):
    """Start rclone with the device and its configuration."""
    return subprocess.Popen(
        rclone_argv(device, f"/proc/self/fd/{handle}"),
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment(),
        pass_fds=(handle, device_number(device)),
    )  # fmt: skip


def open_place(name):
    """Be the first to look at the folder: until somebody has, the kernel lets nobody create a file in it."""
    with contextlib.suppress(OSError):
        os.stat(f"{HOME}/{name}")


def copy_lines(stream):
    """Copy the first lines of what rclone says, and read on so that it never waits."""
    for number, line in enumerate(stream):
        if number < LINES_MAX:
            say("rclone: " + line.decode("utf-8", "replace").strip()[:300])


def until_end(name, rclone):
    """Wait until the server or rclone has ended, and look after what is not uploaded."""
    while rclone.poll() is None:
        if signal.sigwait(WATCHED) == signal.SIGTERM:
            break
    else:
        tell(name, f"rclone ended with status {rclone.returncode}. Start your server again to connect it.")
    left = flush(rclone)
    if left:
        saved = rescue(name, left)
        say(f"{len(left)} files were not uploaded, {len(saved)} of them are in {name}-not-uploaded")


def serve(name, device, settings):
    """Serve the folder until the server ends; OSError and CalledProcessError when rclone cannot be started.

    rclone comes first: until it answers, whoever looks at the folder waits.
    """
    rclone = start_rclone(device, configured(settings))
    signal.pthread_sigmask(
        signal.SIG_BLOCK, WATCHED
    )  # from here on they wait until somebody asks; rclone must not inherit this
    os.close(device_number(device))
    threading.Thread(target=copy_lines, args=(rclone.stderr,), daemon=True).start()
    threading.Thread(target=open_place, args=(name,), daemon=True).start()
    worth_it, problem = examine(settings)
    tell(name, problem)
    if worth_it:
        until_end(name, rclone)
    rclone.kill()  # with a wrong password each look at the folder would be one more failed login


def main(argv):
    """Run until the notebook server ends; returns the exit status."""
    closed_keyring.close_keyring()  # Apptainer starts this program, not the one that closes it to all others
    os.umask(0o077)
    name, device = argv[1], argv[2]
    try:
        settings = receive()
        os.mkdir(CACHE)
        with open(PID_FILE, "w", encoding="ascii") as stream:
            stream.write(str(os.getpid()))
        serve(name, device, settings)
    except (OSError, ValueError, subprocess.CalledProcessError) as error:
        tell(name, f"rclone could not be started in this image ({type(error).__name__}). Tell your administrator.")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
