# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long one waits for another: a start in a queue, and both ends of a connection that went dead."""

from __future__ import annotations

import re

from hpcampus_hub import spawner
from tests.contract.checkout import load, text

QUEUE_SECONDS = 10 * 60
START_SECONDS = 2 * 60


def test_a_start_survives_ten_minutes_in_the_queue():
    patience = load("roles/jupyterhub/defaults/main.yml")["jupyterhub_spawn_timeout_seconds"]
    assert patience - spawner._TIMEOUT_MARGIN_SECONDS >= QUEUE_SECONDS + START_SECONDS


def silence_seconds(name: str, side: str) -> int:
    """Seconds after which one end of an ssh connection takes it for dead: one more question than may go without an answer."""
    words = text(name) or ""
    interval, count = (int(re.findall(rf"{side}Alive{what}[ =](\d+)", words)[0]) for what in ("Interval", "CountMax"))
    return interval * (count + 1)


def test_the_hub_frees_the_port_of_a_dead_tunnel_before_the_job_asks_for_it_again():
    hub = silence_seconds("roles/tunnel/templates/etc/ssh/sshd_config.d/50-hpcampus-tunnel.conf.j2", "Client")
    job = silence_seconds("roles/gateway/files/hpcampus_job/tunnel.py", "Server")
    assert hub < job
