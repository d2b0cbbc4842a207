# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Why a job ends, and how processes are ended."""

import contextlib
import os
import resource
import signal
import subprocess

EXIT_TERMINATED = 143
FILES_MAX = 65536


class Ending:
    """Why the job ends. Signal handlers and threads write, the main thread waits; a pipe is safe in a handler, a lock is not."""

    def __init__(self):
        self.status = None
        self._read, self._write = os.pipe()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self.end(EXIT_TERMINATED))

    def end(self, status=None):
        """Wake the main thread; the first status counts, None means that the server ended by itself."""
        if self.status is None:
            self.status = status
        os.write(self._write, b".")

    def wait(self):
        """Wait for the first ``end``."""
        os.read(self._read, 1)


def end_process(process, seconds):
    """Ask a process to end, and insist after ``seconds``."""
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def allow_files():
    """Take as many descriptors as the node allows; above that bound programs that close every possible one get slow."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES_MAX if hard == resource.RLIM_INFINITY else min(hard, FILES_MAX)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
