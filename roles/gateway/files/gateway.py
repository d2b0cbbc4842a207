#!/usr/bin/python3 -I
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Forced command of the cluster's accounts: the only thing the hub's ssh key can run on the login node.

It serves seven words. ``probe`` tells an administrator how it is; ``image NAME SHA256 SIZE`` takes an image in, where the account
allows it; ``homes`` and ``tree COURSE SHA256 SIZE`` bring files of a course to homes, without changing what is there;
``relay JOB_ID SPAWN_ID`` and ``forward JOB_ID SPAWN_ID`` become a connection to a job's door. ``session`` speaks JSON lines for as
long as the hub runs. The gateway greets first::

    {"hello": {"protocol": 1, "account": "hpcampus", "slurm": "24.11.5"}}

and answers each request ``{"id": 7, "op": "list"}`` with ``{"id": 7, "ok": true, ...}`` or
``{"id": 7, "ok": false, "code": "bad-request", "message": "..."}``. Answers may overtake each other.
Codes: ``bad-request``, ``unknown-op``, ``busy``, ``slurm`` (Slurm refused or did not answer: nothing is known) and ``internal``.
The operations are those of ``hpcampus_gateway.operations``.

No field of a request ever reaches a shell: each is checked against its own rule, unknown fields are refused, and programs are
started with argument lists. Secrets travel through a 0600 file that the job deletes when it has read it.

Runs on any login node: standard library only, Python 3.6 or newer.
"""

import os
import sys

os.umask(0o077)  # what Python keeps of its modules is for this account alone
sys.path.insert(0, os.path.dirname(os.path.realpath(__file__)))

from hpcampus_gateway.main import main  # noqa: E402 (lies beside this file)

if __name__ == "__main__":
    sys.exit(main())
