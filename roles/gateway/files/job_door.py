#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The door of a running job for the data path `relay`: ``job_door.py BASE SPAWN_ID``, started by the gateway through ``srun --overlap``.

It becomes the job's own sshd, with the step's standard input and output as its one connection. Standard library only, Python 3.6 or newer.
"""

import os
import re
import sys

if len(sys.argv) != 3 or not sys.argv[1].startswith("/") or not re.match(r"\A[0-9a-f]{32}\Z", sys.argv[2]):
    print("usage: job_door.py BASE SPAWN_ID", file=sys.stderr)
    sys.exit(2)
os.umask(0o077)  # what Python keeps of its modules is for this account alone
sys.path.insert(0, sys.argv[1] + "/lib")

from hpcampus_job.enter import main  # noqa: E402 (found below the base directory only)

sys.exit(main(sys.argv[1], sys.argv[2]))
