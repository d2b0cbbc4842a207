# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The whole platform: what the hub's own probe does, and what must not be left behind."""

from __future__ import annotations

import json

import testinfra

from tests.testinfra.reach import hosts

testinfra_hosts = hosts("hub")
PROBE = "env PYTHONPATH=/opt/hpcampus/lib /opt/hpcampus/jupyterhub/current/bin/python -m hpcampus_hub.probe"
PROBE += " --url https://hub.example.org/ --ca-file /etc/ssl/certs/hpcampus-selfsigned.pem --user alice --password-file - --json"
PASSWORD = "correct horse battery staple"


def test_a_cell_runs_on_a_compute_node(host):
    done = host.run(f"echo '{PASSWORD}' | {PROBE}")
    assert done.rc == 0, done.stdout + done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["node"] in {
        testinfra.get_host(node).check_output("hostname") for node in hosts("slurm_compute")
    }


def test_a_wrong_password_is_an_error(host):
    done = host.run(f"echo wrong | {PROBE}")
    assert done.rc != 0
    assert "Traceback" not in done.stdout + done.stderr


def test_nothing_is_left_behind(host):
    assert host.check_output("ls /run/hpcampus/tunnel") == ""
    login = testinfra.get_host(hosts("slurm_login")[0])
    assert login.check_output("squeue --noheader --states=PENDING,RUNNING") == ""
    gateway = json.loads(login.check_output("cat /etc/hpcampus/gateway.json"))
    assert login.check_output(f"find {gateway['base_dir']}/spawns -type f") == ""
    for node in hosts("slurm_compute"):
        assert testinfra.get_host(node).check_output("find /dev/shm -maxdepth 1 -name 'hpcampus-*'") == ""
