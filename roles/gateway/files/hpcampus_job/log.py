# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job's log, and the error that ends a job."""

import contextlib
import os
import time

_STARTED = time.time()


class JobError(Exception):
    """The job cannot go on; the message says why and holds no secret."""


def log(event, detail=""):
    """One line of the job's log: seconds since the epoch, seconds since the job began, event. The benchmark reads these."""
    now = time.time()
    write_out((f"hpcampus {now:.3f} +{now - _STARTED:.3f} {event} {detail}".rstrip() + "\n").encode("utf-8", "replace"))


def write_out(data):
    """Write to the job's log, past Python's buffer; a disk without room for a log is no reason to end a person's server."""
    with contextlib.suppress(OSError):
        os.write(1, data)
