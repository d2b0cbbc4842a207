# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""One task of a run: a submission goes into a container that has nothing and reaches nothing, and a result comes out.

The submission is ``BASE/courses/COURSE/runs/RUN/INDEX.tar``, the result ``INDEX.json`` beside it. The course's server can write to
this directory, so that no name in it is trusted: nothing is followed, only regular files are read, and what is written gets its
name in one step. A result that is there is not made again.

The container has no network, no directory of the host, no credential, and its own process numbers: its first process, which keeps
the result, cannot be killed from inside.
"""

import contextlib
import json
import os
import secrets
import select
import signal
import stat
import subprocess
import time

from .container import runtime_env, with_module
from .files import require_real
from .log import JobError, log

SUBMISSION_MAX_BYTES = 1024 * 1024 * 1024
RESULT_MAX_BYTES = 32 * 1024 * 1024
ERRORS_MAX_BYTES = 8 * 1024
COME_SECONDS = 120
"""How long a task waits for its submission: the first tasks begin while the course's server still prepares the last."""
MARGIN_SECONDS = 20
"""For how much longer than its cells a container may take to start and to end."""
PROGRAM = ["python3", "-I", "-m", "hpcampus_nbgrader.sandbox"]
EXIT_SETUP = 78
INDEX_DIGITS_MAX = 6


def grade_argv(spec):
    """Argument list that starts the container; it mounts nothing."""
    argv = [spec["apptainer"], "--silent", "exec", "--containall", "--cleanenv", "--no-eval", "--no-privs"]
    argv += ["--ipc", "--pid", "--no-init"]  # the sandbox is the first process itself
    argv += ["--net", "--network", "none", "--pwd", "/tmp"]  # noqa: S108 (the container's own)
    argv += ["--env", "HPCAMPUS_PROCESSES_BEFORE={}".format(own_processes())]
    argv += ["{}/{}.sif".format(spec["images_dir"], spec["image"])] + PROGRAM
    return with_module(argv, spec["module"])


def own_processes():
    """How many processes and threads this account has on the node: where users are counted for the whole host, they count."""
    found = 0
    for name in os.listdir("/proc"):
        with contextlib.suppress(OSError):
            if name.isdigit() and os.stat("/proc/" + name).st_uid == os.getuid():
                found += len(os.listdir(f"/proc/{name}/task"))
    return found


def open_run(base_dir, course, run):
    """Open the directory of a run; nothing below the course's directory is followed."""
    folder = f"{base_dir}/courses/{course}"
    require_real(folder, base_dir)
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    for name in ("runs", run):
        try:
            inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=handle)
        except OSError as error:
            raise JobError(f"the directory of the run cannot be opened: {error.strerror}") from None
        finally:
            os.close(handle)
        handle = inner
    return handle


def open_submission(folder, index):
    """Open a submission, which must be a regular file that is not too large."""
    try:
        handle = os.open(f"{index}.tar", os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=folder)
    except OSError as error:
        raise JobError(f"the submission cannot be opened: {error.strerror}") from None
    info = os.fstat(handle)
    if not stat.S_ISREG(info.st_mode) or info.st_size > SUBMISSION_MAX_BYTES:
        os.close(handle)
        raise JobError(f"the submission is no regular file of at most {SUBMISSION_MAX_BYTES} bytes")
    os.set_blocking(handle, True)
    return handle


def wait_for_submission(folder, index, seconds=COME_SECONDS):
    """Wait until a submission is there, or a result in its place."""
    deadline = time.monotonic() + seconds
    while not has(folder, f"{index}.tar") and not has_result(folder, index) and time.monotonic() < deadline:
        time.sleep(0.1)


def has_result(folder, index):
    """Whether there is a result."""
    return has(folder, f"{index}.json")


def has(folder, name):
    """Whether an open directory has an entry of that name."""
    try:
        os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return True


def write_result(folder, index, result):
    """Write a result; a reader sees all of it or none."""
    partial = ".{}.{}".format(index, secrets.token_hex(8))
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600, dir_fd=folder)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(json.dumps(result).encode("ascii"))
            stream.flush()
            os.fsync(stream.fileno())
        os.rename(partial, f"{index}.json", src_dir_fd=folder, dst_dir_fd=folder)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(partial, dir_fd=folder)
        raise


def read_both(process, deadline):
    """Read what a process puts out until it closes both pipes.

    Returns:
        (output, errors, reason): bytes, at most as many as are allowed, and "" or why it was not waited for.
    """
    caps = {process.stdout.fileno(): RESULT_MAX_BYTES, process.stderr.fileno(): ERRORS_MAX_BYTES}
    held = {number: bytearray() for number in caps}
    poll = select.poll()
    for number in caps:
        poll.register(number, select.POLLIN)
    left, reason = len(caps), ""
    while left and not reason:
        ready = poll.poll(max(0, (deadline - time.monotonic()) * 1000))
        if not ready:
            reason = "it took too long"
        for number, _ in ready:
            data = os.read(number, 65536)
            if not data:
                poll.unregister(number)
                left -= 1
            held[number] += data[: caps[number] - len(held[number])]
            if number == process.stdout.fileno() and len(held[number]) >= RESULT_MAX_BYTES:
                reason = "it put out too much"
    return bytes(held[process.stdout.fileno()]), bytes(held[process.stderr.fileno()]), reason


def run(argv, submission, seconds):
    """Run the container with a submission as its standard input; returns the result."""
    began = time.monotonic()
    try:
        process = subprocess.Popen(
            argv,
            stdin=submission,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=runtime_env(),
            start_new_session=True,
        )
    except OSError as error:
        raise JobError(f"{argv[0]} cannot be started: {error.strerror}") from error
    output, errors, reason = read_both(process, began + seconds + MARGIN_SECONDS)
    if reason:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    try:
        status = process.wait(MARGIN_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
    return {
        "status": status,
        "seconds": round(time.monotonic() - began, 3),
        "reason": reason,
        "output": output.decode("utf-8", "replace"),
        "errors": errors.decode("utf-8", "replace"),
    }


def read_spec(base_dir, run_id):
    """What the gateway told the tasks of the run."""
    path = f"{base_dir}/jobs/grade-{run_id}.json"
    try:
        with os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW), encoding="utf-8") as stream:
            return json.load(stream)
    except (OSError, ValueError) as error:
        raise JobError(f"the run's settings cannot be read: {type(error).__name__}") from None


def run_task(base_dir, run_id, index):
    """Run the submission of an index, unless there is a result; JobError says why it cannot even be tried."""
    if not index.isdigit() or len(index) > INDEX_DIGITS_MAX:
        raise JobError("this is no task of an array job")
    spec = read_spec(base_dir, run_id)
    folder = open_run(base_dir, spec["course"], run_id)
    wait_for_submission(folder, index)
    if has_result(folder, index):
        log("grade-kept", f"task={index}")
        return
    try:
        submission = open_submission(folder, index)
        result = run(grade_argv(spec), submission, spec["seconds"])
    except JobError as error:
        result = {"status": -1, "seconds": 0, "reason": str(error), "output": "", "errors": ""}
    write_result(folder, index, result)
    log("grade-done", "task={} status={} seconds={}".format(index, result["status"], result["seconds"]))


def main(base_dir, run_id):
    """Run one task; returns its exit status."""
    index = os.environ.get("SLURM_ARRAY_TASK_ID", "")
    try:
        run_task(base_dir, run_id, index)
    except JobError as error:
        log("failed", f"task={index[:INDEX_DIGITS_MAX]} {error}")
        return EXIT_SETUP
    except OSError as error:
        log("failed", f"task={index[:INDEX_DIGITS_MAX]} {error.strerror}")
        return EXIT_SETUP
    return 0
