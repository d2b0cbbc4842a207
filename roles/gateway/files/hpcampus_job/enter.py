# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What Slurm starts beside a running job for the data path `relay`: it becomes the job's sshd for one connection."""

import os
import stat
import sys
import time

from .door import sshd_argv
from .files import private_path
from .log import JobError

WAIT_SECONDS = 10
EXIT_CLOSED = 69


def door_name(base_dir, spawn_id):
    """The name of a job's private directory, which the gateway took down when the job was submitted."""
    try:
        with open("{}/jobs/{}".format(base_dir, spawn_id), encoding="ascii") as stream:
            return stream.read(100).split()[2]
    except (OSError, ValueError, IndexError):
        raise JobError("nothing is known of a door of this job") from None


def is_ready(private_dir):
    """Whether the job has made its directory and the configuration in it; JobError when the directory is not ours alone."""
    try:
        info = os.lstat(private_dir)
    except FileNotFoundError:
        return False
    if not stat.S_ISDIR(info.st_mode) or info.st_uid != os.getuid() or stat.S_IMODE(info.st_mode) != 0o700:
        raise JobError("the job's directory is not its own")
    return os.path.exists(private_dir + "/sshd_config")


def wait_until_ready(private_dir):
    """Wait until the job has opened its door: Slurm calls it running before it has begun."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not is_ready(private_dir):
        if time.monotonic() > deadline:
            raise JobError("the job has not opened its door")
        time.sleep(0.05)


def main(base_dir, spawn_id):
    """Become the job's sshd; returns an exit status when that cannot be."""
    try:
        private_dir = private_path(door_name(base_dir, spawn_id))
        wait_until_ready(private_dir)
        argv = sshd_argv(private_dir)
        os.execv(argv[0], argv)  # noqa: S606 (a list)
    except (JobError, OSError) as error:
        print(f"hpcampus: {error}", file=sys.stderr)
    return EXIT_CLOSED
