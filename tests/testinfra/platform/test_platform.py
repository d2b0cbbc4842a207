# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The whole platform: what the hub's own probe does, and what must not be left behind."""

from __future__ import annotations

import json

from tests.testinfra.reach import hosts, reach

testinfra_hosts = hosts("hub")
PROBE = "env PYTHONPATH=/opt/hpcampus/lib /opt/hpcampus/jupyterhub/current/bin/python -m hpcampus_hub.probe"
PROBE += " --url https://hub.example.org/ --ca-file /etc/ssl/certs/hpcampus-selfsigned.pem --user alice --password-file - --json"
PASSWORD = "correct horse battery staple"


def test_a_cell_runs_on_a_compute_node(host):
    done = host.run(f"echo '{PASSWORD}' | {PROBE}")
    assert done.rc == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["node"] in {"c1", "c2"}


def test_a_wrong_password_is_an_error(host):
    done = host.run(f"echo wrong | {PROBE}")
    assert done.rc != 0
    assert "Traceback" not in done.stdout + done.stderr


def test_nothing_is_left_behind(host):
    assert host.check_output("ls /run/hpcampus/tunnel") == ""
    assert reach("login").check_output("squeue --noheader --states=PENDING,RUNNING") == ""
    for node in ("c1", "c2"):
        assert reach(node).check_output("find /dev/shm -maxdepth 1 -name 'hpcampus-*'") == ""
    assert reach("login").check_output("find /shared/hpcampus/spawns -type f") == ""
