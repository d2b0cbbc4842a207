#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job: one notebook server in a container, one way to the hub, nothing left behind.

Slurm runs a copy of this file as the cluster account: ``job.py BASE SPAWN_ID [LIB]``. The rest lies in ``LIB/hpcampus_job``
(``BASE/lib`` unless students have accounts of their own) and is read at once, so that an upgrade does not meet a running job.
The secrets lie in ``BASE/spawns/SPAWN_ID.json``, which is deleted as soon as it is read. From then on they live in files in
memory that have no name, so that nothing is left when the job is killed; ssh and Apptainer open them through this process.
(Named files in /dev/shm would not do: systemd-logind removes them when a login of the same account ends, on a host that is login
and compute node at once.) Sockets and the server's /tmp have a 0700 directory on the node that goes when the job goes.

What a student's container can see of the host: its own home, its courses, one directory for the server's socket. Three things
keep students apart although all jobs run under one uid and share the node's network:

* The server listens on a unix socket, not on a port. The way to the hub does not follow the path that the container can write to:
  the socket is linked into the private directory first, so a symbolic link put in its place leads nowhere.
* The hub's API is reached through a port that this process opened before the container began and keeps until it ends. Nobody else
  on the node can take that port over and collect tokens, and only processes of this job are let in: others could use it up.
* Every mounted directory is checked to be where it says it is (no symbolic link on the way).

Standard library only, Python 3.6 or newer.
"""

import os
import re
import sys

if (
    len(sys.argv) not in (3, 4)
    or not re.match(r"\A[0-9a-f]{32}\Z", sys.argv[2])
    or not all(path.startswith("/") for path in sys.argv[1:2] + sys.argv[3:])
):
    print("usage: job.py BASE SPAWN_ID [LIB]", file=sys.stderr)
    sys.exit(2)
os.umask(0o077)  # what Python keeps of its modules is for this account alone
sys.path.insert(0, sys.argv[3] if len(sys.argv) == 4 else sys.argv[1] + "/lib")

from hpcampus_job.main import main  # noqa: E402 (found in the platform's own directory only)

sys.exit(main(sys.argv[1], sys.argv[2]))
