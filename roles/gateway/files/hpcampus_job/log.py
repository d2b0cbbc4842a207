# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job's log, and the error that ends a job."""

import time

_STARTED = time.time()


class JobError(Exception):
    """The job cannot go on; the message says why and holds no secret."""


def log(event, detail=""):
    """One line of the job's log: seconds since the epoch, seconds since the job began, event. The benchmark reads these."""
    now = time.time()
    print(f"hpcampus {now:.3f} +{now - _STARTED:.3f} {event} {detail}".rstrip(), flush=True)
