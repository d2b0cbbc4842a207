# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where things are kept: the home, own packages, scratch, and the environment that tells programs so."""

import os
import time

from .home import CONTAINER_HOME, has_room, home_of, leave_note
from .log import log
from .overlay import CONTAINER_OWN, INSIDE, LEFT_OUT, OverlayError, open_overlay
from .scratch import make_scratch, remove_scratch

CONTAINER_SCRATCH = "/scratch"
CONTAINER_TEMPORARY = "/tmp"  # noqa: S108 (the container has a /tmp of its own)


class Storage:
    """Scratch and overlay of a job, from before the container begins until after it has ended."""

    def __init__(self, private_dir, scratch_dir, node):
        self._scratch = make_scratch(private_dir, scratch_dir, node)
        self._overlay = None
        self._full = False

    def open_home(self, base_dir, spawn):
        """Look at a person's home, and open the overlay if there shall be one."""
        home = home_of(base_dir, spawn["user_id"])
        self._full = not has_room(home)
        if self._full:
            log("home-full", "nothing can be saved until the person, or the administrator, has made room")
        if spawn.get("overlay_mb"):
            self._overlay = open_or_tell(base_dir, spawn, home)

    def binds(self):
        """What the container mounts, as (source, target, mode)."""
        binds = [(self._scratch.path, CONTAINER_SCRATCH, "rw")]
        if self._overlay is not None:
            binds.append((self._overlay.path, CONTAINER_OWN, "image-src=" + INSIDE))
        return binds

    def env(self, spawn):
        """The environment inside the container, see :func:`storage_env`."""
        own = CONTAINER_OWN if self._overlay is not None else own_dir(spawn["image"])
        return storage_env(spawn["server_id"], own, self._full)

    def close(self):
        """Remove scratch and let go of the overlay."""
        remove_scratch(self._scratch)
        if self._overlay is not None:
            os.close(self._overlay.lock)


def open_or_tell(base_dir, spawn, home):
    """The overlay, or None when it cannot be used; the person is told of either trouble in a file in the home."""
    try:
        overlay = open_overlay(base_dir, spawn)
    except OverlayError as error:
        log("overlay-left-out", str(error))
        leave_note(home, LEFT_OUT.format(time.strftime("%Y-%m-%d %H:%M"), error))
        return None
    if overlay.notice:
        leave_note(home, overlay.notice)
    return overlay


def own_dir(image):
    """Where packages go without an overlay: a directory of the home for each image, so that those of one do not break another."""
    return f"{CONTAINER_HOME}/.local/hpcampus/{image}"


def storage_env(server_id, own, full):
    """Tell Python, R and Jupyter where to keep things.

    Args:
        server_id: id of a named server, or "".
        own: directory of the person's own packages.
        full: whether the home is full; what Jupyter must write to start goes to the job's /tmp then.
    """
    env = {
        "HPCAMPUS_SCRATCH": CONTAINER_SCRATCH,
        "HPCAMPUS_SERVER_ID": server_id,
        "PYTHONUSERBASE": own,
        "R_LIBS_USER": own + "/R/%v",
        # What pip has fetched is installed as well: no reason to keep it twice in a home of limited size.
        "PIP_CACHE_DIR": CONTAINER_SCRATCH + "/.cache/pip",
    }
    if server_id:  # or the open tabs of one server would be those of another
        env["JUPYTERLAB_WORKSPACES_DIR"] = f"{CONTAINER_HOME}/.jupyter/lab/servers/{server_id}/workspaces"
    if full:
        env["JUPYTERLAB_WORKSPACES_DIR"] = CONTAINER_TEMPORARY + "/jupyter-workspaces"
        env["IPYTHONDIR"] = CONTAINER_TEMPORARY + "/ipython"
    return env
