# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""How long a start may wait in a queue, as the hub is installed."""

from __future__ import annotations

from hpcampus_hub import spawner
from tests.contract.checkout import load

QUEUE_SECONDS = 10 * 60
START_SECONDS = 2 * 60


def test_a_start_survives_ten_minutes_in_the_queue():
    patience = load("roles/jupyterhub/defaults/main.yml")["jupyterhub_spawn_timeout_seconds"]
    assert patience - spawner._TIMEOUT_MARGIN_SECONDS >= QUEUE_SECONDS + START_SECONDS
