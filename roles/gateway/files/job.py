#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The job: one notebook server in a container, one way to the hub, nothing left behind.

Slurm runs a copy of this file as the account of the job: ``job.py BASE SPAWN_ID [LIB [PART]]``. The rest lies in ``LIB/hpcampus_job``
(``BASE/lib`` unless students have accounts of their own) and is read at once, so that an upgrade does not meet a running job. PART is
``job`` if it is left out; ``door`` becomes the job's own sshd, beside a running job, for the data path `relay`; ``reach`` is the short
job that finds out on which ways hub and jobs reach each other; ``grade`` runs one submission of a course, SPAWN_ID is the run's then.

The secrets lie in ``BASE/spawns/SPAWN_ID.json``, which is deleted as soon as it is read. From then on they live in files in
memory that have no name, so that nothing is left when the job is killed; ssh and Apptainer open them through this process.
(Named files in /dev/shm would not do: systemd-logind removes them when a login of the same account ends, on a host that is login
and compute node at once.) Sockets and the server's /tmp have a 0700 directory on the node that goes when the job goes.

What a student's container can see of the host: its own home, its courses, one directory for the server's socket. Three things
keep students apart, also where all jobs run under one uid, and although they share the network of a node:

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

base_dir, spawn_id = (sys.argv[1:3] + ["", ""])[:2]
lib_dir = sys.argv[3] if len(sys.argv) > 3 else base_dir + "/lib"
part = sys.argv[4] if len(sys.argv) > 4 else "job"
if (
    len(sys.argv) > 5
    or not re.match(r"\A[0-9a-f]{32}\Z", spawn_id)
    or not base_dir.startswith("/")
    or not lib_dir.startswith("/")
    or part not in ("job", "door", "reach", "grade")
):
    print("usage: job.py BASE SPAWN_ID [LIB [job|door|reach|grade]]", file=sys.stderr)
    sys.exit(2)
os.umask(0o077)  # what Python keeps of its modules is for this account alone
sys.path.insert(0, lib_dir)

# Found in the platform's own directory only.
if part == "door":
    from hpcampus_job.enter import main
elif part == "reach":
    from hpcampus_job.reach import main
elif part == "grade":
    from hpcampus_job.grade import main
else:
    from hpcampus_job.main import main

sys.exit(main(base_dir, spawn_id))
