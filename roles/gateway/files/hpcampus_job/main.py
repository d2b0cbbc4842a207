# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job from its first to its last moment."""

import contextlib
import os
import socket
import threading

from .api_port import ApiPort
from .container import (
    SOCKET_NAME,
    container_argv,
    copy_log,
    env_file,
    prepare_binds,
    publish_socket,
    server_env,
    start_container,
)
from .door import Door
from .files import in_memory, locked_dir, read_and_remove, remove_stale_later, remove_tree
from .gradebook import gradebook_of
from .log import JobError, log
from .process import Ending, allow_files, end_process
from .scratch import sweep_scratch
from .standby import HandOver, give, identified, stage_binds, start_stage, waiting_argv
from .storage import Storage
from .tunnel import Tunnel
from .webdav import prepare_folder

EXIT_TUNNEL_LOST = 75
EXIT_SETUP = 78
STOP_SECONDS = 15


def node_name():
    """The node's name without its domain."""
    return socket.gethostname().split(".")[0]


def way_to_hub(secrets, private_dir, on_lost):
    """The way to the hub that the hub has chosen, and the file that holds its key for as long as it is open."""
    if "door" in secrets:
        key, key_path = in_memory(secrets["door"]["host_key"].rstrip("\n") + "\n")
        return Door(secrets["door"], private_dir, key_path, on_lost), key
    key, key_path = in_memory(secrets["tunnel"]["private_key"].rstrip("\n") + "\n")
    return Tunnel(secrets["tunnel"], private_dir, key_path, on_lost), key


def run_server(argv, private_dir, ending, stop_seconds=STOP_SECONDS):
    """Run the container until it ends or the job is told to end; returns the container's exit status."""
    process = start_container(argv)
    log("container-start")
    publish_later(private_dir, process)
    return watch(process, ending, stop_seconds)


def run_person(base_dir, spawn, private_dir, env_of, ending, storage):
    """Run a person's container until it ends or the job is told to end; returns the container's exit status."""
    binds = prepare_binds(base_dir, spawn)
    storage.open_home(base_dir, spawn)
    gradebook = gradebook_of(spawn, private_dir)
    if gradebook is not None:
        gradebook.start()
    env_stream, env_path = in_memory(env_file(env_of(spawn)))
    with env_stream, prepare_folder(base_dir, spawn, private_dir) as folder:
        return run_in_container(base_dir, spawn, private_dir, env_path, binds + storage.binds(), folder, ending)


def run_standby(base_dir, spawn, private_dir, env_of, ending, storage):
    """Run a container that waits until it is told for whom; from then on like ``run_person``.

    It has no environment of its own yet, and could not open a file through us: the stage has a user namespace of its own.
    """
    argv = waiting_argv(base_dir, spawn, private_dir, "/dev/null", storage.binds())
    process, answer = start_stage(argv, private_dir)
    log("standby-start")

    def take(request):
        person = identified(spawn, request)
        binds = stage_binds(base_dir, person, prepare_binds(base_dir, person))
        storage.open_home(base_dir, person)
        give(process, answer, binds, env_of(person))
        log("standby-handed-over")
        publish_later(private_dir, process)

    HandOver(private_dir, spawn["secrets"]["standby"], take, lambda: ending.end(EXIT_SETUP)).start()
    return watch(process, ending)


def publish_later(private_dir, process):
    """Publish the server's socket as soon as it is there."""
    threading.Thread(target=publish_socket, args=(private_dir, process), daemon=True).start()


def watch(process, ending, stop_seconds=STOP_SECONDS):
    """Copy what the container says until it ends or the job is told to end; returns the container's exit status."""
    output = threading.Thread(target=copy_log, args=(process.stdout,), daemon=True)
    output.start()
    threading.Thread(target=lambda: (process.wait(), ending.end()), daemon=True).start()
    ending.wait()
    if ending.status is not None:
        log("stop", "tunnel-lost" if ending.status == EXIT_TUNNEL_LOST else "terminated")
        end_process(process, stop_seconds)
    output.join(2)
    log("server-exit", f"status={process.wait()}")
    return process.returncode


def run_in_container(base_dir, spawn, private_dir, env_path, binds, folder, ending):
    """Run the server with the person's WebDAV folder, or without it where Apptainer may not mount one; returns the exit status."""
    argv = container_argv(base_dir, spawn, private_dir, env_path, binds, more=folder.argv)
    status = run_server(argv, private_dir, ending, STOP_SECONDS + folder.stop_seconds)
    if not folder.argv or not status or ending.status is not None or was_up(private_dir):
        return status
    folder.left_out("The container did not start with it, and was started without it. Tell your administrator.")
    return run_server(container_argv(base_dir, spawn, private_dir, env_path, binds), private_dir, ending)


def was_up(private_dir):
    """Whether the server has got as far as its socket."""
    return os.path.lexists(f"{private_dir}/s/{SOCKET_NAME}") or os.path.lexists(f"{private_dir}/{SOCKET_NAME}")


def serve(base_dir, spawn, private_dir, ending):
    """Run the way to the hub, the API's port and the server; returns the job's exit status."""
    os.mkdir(private_dir + "/s", 0o700)
    os.mkdir(private_dir + "/work", 0o700)
    api_port = ApiPort(private_dir)
    run = run_standby if "standby" in spawn["secrets"] else run_person
    way, key = way_to_hub(spawn["secrets"], private_dir, lambda: ending.end(EXIT_TUNNEL_LOST))
    with key, contextlib.closing(Storage(private_dir, spawn.get("scratch_dir", ""), node_name())) as storage:

        def env_of(person):
            env = server_env(person, api_port.port, node_name(), os.environ.get("SLURM_JOB_ID", ""))
            return {**env, **storage.env(person)}

        api_port.start()
        way.start()
        try:
            status = run(base_dir, spawn, private_dir, env_of, ending, storage)
        finally:
            way.stop()
    if ending.status is not None:
        return ending.status
    return status if status >= 0 else 128 - status


def main(base_dir, spawn_id):
    """Run the job; returns its exit status."""
    allow_files()
    ending = Ending()
    log("job-start", "node={} job={}".format(socket.gethostname(), os.environ.get("SLURM_JOB_ID", "")))
    private_dir = None
    try:
        spawn = read_and_remove("{}/spawns/{}.json".format(base_dir, spawn_id))
        private_dir, _lock = locked_dir(spawn["secrets"].get("door", {}).get("name"))
        scratch_dir = spawn.get("scratch_dir", "")
        remove_stale_later(*([lambda: sweep_scratch(scratch_dir, node_name())] if scratch_dir else []))
        return serve(base_dir, spawn, private_dir, ending)
    except JobError as error:
        log("failed", str(error))
        return EXIT_SETUP
    except OSError as error:
        log("failed", f"{error.filename or 'the node'}: {error.strerror}")
        return EXIT_SETUP
    finally:
        if private_dir is not None:
            remove_tree(private_dir)
        log("job-end")
