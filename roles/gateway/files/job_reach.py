#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""A short job that finds out on which ways hub and jobs reach each other: ``job_reach.py BASE SPAWN_ID [LIB]``.

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
    print("usage: job_reach.py BASE SPAWN_ID [LIB]", file=sys.stderr)
    sys.exit(2)
os.umask(0o077)  # what Python keeps of its modules is for this account alone
sys.path.insert(0, sys.argv[3] if len(sys.argv) == 4 else sys.argv[1] + "/lib")

from hpcampus_job.reach import main  # noqa: E402 (found in the platform's own directory only)

sys.exit(main(sys.argv[1], sys.argv[2]))
