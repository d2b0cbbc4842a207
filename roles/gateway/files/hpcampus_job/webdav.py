# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A person's WebDAV folder: its place in the home, and the way of its password into the container.

The folder is mounted by Apptainer and served by rclone inside the container, see ``webdav.py`` beside this package. The password
goes through a named pipe that is filled before the container starts: it lies in the kernel's memory until it is read, once, and in
no file, argument or environment.
"""

import contextlib
import json
import os
import shutil

from .home import CONTAINER_HOME, home_of, leave_note
from .log import log

DEVICE = "/dev/fuse"
PROGRAM = "/opt/hpcampus/webdav.py"
CERTIFICATES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt")
UPLOAD_SECONDS = 15
"""For how long the container may go on after its server has ended, see ``start.py``."""


class WebdavError(Exception):
    """The folder cannot be mounted; the message is for the person and holds no secret."""


class Folder:
    """The folder of one job: options for the container, seconds that its end may take longer, the pipe, and home and name."""

    def __init__(self, argv=(), stop_seconds=0, handle=None, place=None):
        self.argv = list(argv)
        self.stop_seconds = stop_seconds
        self._handle = handle
        self._place = place

    def left_out(self, text):
        """Tell the job's log and the person why the server runs without the folder."""
        log("webdav-left-out", text)
        home, name = self._place
        leave_note(home, f"The folder {name} is not connected. {text}", f"{name}-not-connected.txt")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self._handle is not None:
            os.close(self._handle)


def folder_argv(lib_dir, name):
    """Options by which Apptainer mounts the folder and starts its program; hold no secret."""
    return [
        "--bind",
        f"{lib_dir}/webdav.py:{PROGRAM}:ro",
        "--fusemount",
        f"container:python3 -s {PROGRAM} {name} {CONTAINER_HOME}/{name}",
    ]


def require_device():
    """Refuse a node on which nobody but root may serve a file system."""
    if not os.access(DEVICE, os.R_OK | os.W_OK):
        raise WebdavError(f"This node has no {DEVICE} that may be used. Tell your administrator.")


def make_place(home, name):
    """Make the empty directory that the folder is mounted on; without the folder nobody shall mistake it for the folder.

    The person owns the home: a link or a file of that name is refused, and one with content would be hidden, so is refused too.
    """
    place = f"{home}/{name}"
    with contextlib.suppress(FileExistsError):
        os.mkdir(place, 0o500)
    try:
        handle = os.open(place, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        raise WebdavError(f"{name} in your home is not a directory. Rename it and start your server again.") from None
    try:
        if os.listdir(handle):
            raise WebdavError(f"The directory {name} in your home is not empty. Rename it and start your server again.")
    finally:
        os.close(handle)


def fill_pipe(path, settings):
    """Make the pipe and put the settings in; returns the open pipe, which must stay open until they are read."""
    os.mkfifo(path, 0o600)
    handle = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK)
    os.write(handle, (json.dumps(settings) + "\n").encode("ascii"))
    return handle


def prepare_folder(base_dir, spawn, private_dir):
    """Prepare the person's folder, if there is one. It is never a reason for a server not to start."""
    settings = spawn["secrets"].get("webdav")
    if settings is None:
        return Folder()
    home = home_of(base_dir, spawn["user_id"])
    name = settings["name"]
    try:
        require_device()
        make_place(home, name)
        for path in CERTIFICATES:
            if os.path.exists(path):
                shutil.copyfile(path, private_dir + "/s/ca-certificates.crt")
                break
        handle = fill_pipe(private_dir + "/s/webdav", settings)
    except (WebdavError, OSError) as error:
        text = str(error) if isinstance(error, WebdavError) else f"{type(error).__name__}: {error.strerror}"
        Folder(place=(home, name)).left_out(text)
        return Folder()
    log("webdav-folder", name)
    return Folder(folder_argv(spawn.get("lib_dir", base_dir + "/lib"), name), UPLOAD_SECONDS, handle, (home, name))
