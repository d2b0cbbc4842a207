# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""What a notebook's container sees, its environment, and its start."""

import contextlib
import os
import pwd
import re
import shlex
import stat
import subprocess
import time

from .files import require_real
from .home import CONTAINER_HOME, home_of, prepare_home
from .log import JobError, log, write_out

LOG_CAP_BYTES = 1024 * 1024
CONTAINER_DIR = "/run/hpcampus"
CONTAINER_COURSE = "/course"
CONTAINER_RUNS = "/srv/hpcampus/runs"
CONTAINER_DATA = "/coursedata"
CONTAINER_SHARED = "/shareddata"
CONTAINER_RUNS = "/srv/hpcampus/runs"
CONTAINER_PROGRAMS = "/opt/hpcampus"
PROGRAMS = ("start.py", "closed_keyring.py")
"""What every container runs; the image has an empty file in the place of each."""
CONTAINER_RUNTIME_DIR = "/tmp/jupyter-runtime"  # noqa: S108 (the container has a /tmp of its own)
SOCKET_NAME = "notebook.sock"


def course_binds(base_dir, courses):
    """Directories of the user's courses as (source, target, mode).

    What is handed out and in goes through the hub. The course's own account sees its files, and the directory through which it
    hands submissions to grading jobs; everybody reads the data of the course that the server is for, and what the site shares.
    """
    binds = []
    for course in courses:
        directory = "{}/courses/{}".format(base_dir, course["slug"])
        if course["role"] == "course":
            binds += [(directory + "/course", CONTAINER_COURSE, "rw"), (directory + "/runs", CONTAINER_RUNS, "rw")]
        if course["data"]:
            binds.append(("{}/coursedata/{}".format(base_dir, course["slug"]), CONTAINER_DATA, "ro"))
    if any(course["shared"] for course in courses):
        binds.append((base_dir + "/shareddata", CONTAINER_SHARED, "ro"))
    return binds


def prepare_binds(base_dir, spawn):
    """Make the user's home where it is missing, and check every directory that will be mounted."""
    prepare_home(base_dir, spawn["user_id"])
    binds = course_binds(base_dir, spawn["courses"])
    for source, _, _ in binds:
        require_real(source, base_dir)
    return binds


def with_held_port(value, api_port, held_port):
    """A URL of the hub's API with the port that the job holds; any other value as it is."""
    match = re.match(r"\Ahttp://(?:127\.0\.0\.1|localhost):([0-9]+)(?=/|\Z)", value)
    if match is None or int(match.group(1)) != api_port:
        return value
    return f"http://127.0.0.1:{held_port}{value[match.end() :]}"


def server_env(spawn, held_port, node, job_id):
    """The environment inside the container. The hub's URLs get the port that the job holds in place of ``api_port``."""
    secrets, base_url = spawn["secrets"], spawn["secrets"]["base_url"]
    api_port = (secrets.get("tunnel") or secrets["door"])["api_port"]
    env = {name: with_held_port(value, api_port, held_port) for name, value in secrets["env"].items()}
    env["JUPYTERHUB_SERVICE_URL"] = "http://127.0.0.1:8888" + base_url
    env["JUPYTER_RUNTIME_DIR"] = CONTAINER_RUNTIME_DIR
    env["HPCAMPUS_NODE"] = node
    env["HPCAMPUS_JOB_ID"] = job_id
    if spawn["secrets"]["default_url"]:
        env["JUPYTERHUB_DEFAULT_URL"] = spawn["secrets"]["default_url"]
    return env


def env_file(env):
    """The environment in the form Apptainer evaluates: a shell reads it, so every value is quoted."""
    return "".join(f"{name}={shlex.quote(value)}\n" for name, value in sorted(env.items()))


def container_argv(base_dir, spawn, private_dir, env_path, binds, home=None, more=()):
    """Argument list that starts the notebook server in its container; holds no secret. Without ``home`` it is the user's own.

    ``more`` are further options.
    """
    argv = [spawn["apptainer"], "--silent", "exec", "--containall", "--cleanenv", "--ipc", "--no-eval"]
    argv += ["--pid", "--no-init"]  # start.py is the first process itself
    argv += [
        "--home",
        "{}:{}".format(home or home_of(base_dir, spawn["user_id"]), CONTAINER_HOME),
        "--pwd",
        CONTAINER_HOME,
    ]
    argv += ["--workdir", private_dir + "/work"]
    argv += ["--bind", f"{private_dir}/s:{CONTAINER_DIR}"]
    lib_dir = spawn.get("lib_dir", base_dir + "/lib")
    for name in PROGRAMS:
        argv += ["--bind", f"{lib_dir}/{name}:{CONTAINER_PROGRAMS}/{name}:ro"]
    for source, target, mode in binds:
        argv += ["--bind", f"{source}:{target}:{mode}"]
    argv += more
    argv += ["--env-file", env_path, "{}/{}.sif".format(spawn.get("images_dir", base_dir + "/images"), spawn["image"])]
    argv += [
        "python3",
        "-s",
        CONTAINER_PROGRAMS + "/start.py",
        f"--ServerApp.sock={CONTAINER_DIR}/{SOCKET_NAME}",
        "--ServerApp.sock_mode=0600",
        "--KernelManager.transport=ipc",
    ]
    return with_module(argv, spawn.get("module", ""))


def with_module(argv, module):
    """An argument list below a login shell that loads an environment module first. No value is part of the shell's text."""
    if not module:
        return argv
    return ["/bin/bash", "-l", "-c", 'module load "$1" >&2; shift; exec "$@"', "module", module] + argv


def runtime_env():
    """The small environment that the container's runtime gets."""
    entry = pwd.getpwuid(os.getuid())
    return {
        "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
        "HOME": entry.pw_dir,
        "USER": entry.pw_name,
        "LC_ALL": "C",
    }


def start_container(argv):
    """Start the container."""
    try:
        return subprocess.Popen(
            argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=runtime_env()
        )
    except OSError as error:
        raise JobError(f"{argv[0]} cannot be started: {error.strerror}") from error


def publish_socket(private_dir, process):
    """Wait for the server's socket and link it to where the tunnel looks, if it is a socket and nothing else."""
    inside, outside = f"{private_dir}/s/{SOCKET_NAME}", f"{private_dir}/{SOCKET_NAME}"
    while process.poll() is None and not os.path.lexists(inside):
        time.sleep(0.05)
    with contextlib.suppress(FileNotFoundError):
        os.link(inside, outside + ".new", follow_symlinks=False)
        if stat.S_ISSOCK(os.lstat(outside + ".new").st_mode):
            os.rename(outside + ".new", outside)
            log("server-socket")
        else:
            log("server-socket-refused")


def copy_log(stream):
    """Copy the server's output to the job's log, up to a cap: a student's endless print must not fill the disk."""
    left = LOG_CAP_BYTES
    while True:
        data = os.read(stream.fileno(), 65536)
        if not data:
            return
        if left > 0:
            write_out(data[:left])
            left -= len(data)
            if left <= 0:
                log("server-log-full", "the rest of the server's output is dropped")
