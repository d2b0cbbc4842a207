# Managed by hpcampus (hpcampus.platform.jupyterhub). Your own lines belong in /etc/jupyterhub/local.d/*.py.
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Clusters, the sizes that people pick from, and the way back from a job. The values are in clusters.json."""

import json
from pathlib import Path

c = get_config()  # noqa: F821 (put here by jupyterhub_config.py)

data = json.loads(Path("/etc/jupyterhub/clusters.json").read_text())
if not data["clusters"]:
    # Nothing to run notebooks on yet. People can log in; a start ends with the message that this cluster is not there.
    key = "ssh-ed25519 " + "A" * 68
    account = {
        "name": "none",
        "host": "no-cluster.invalid",
        "user": "nobody",
        "host_key": key,
        "base_dir": "/nonexistent",
    }
    size = {"name": "none", "label": "No cluster is configured yet", "cluster": "none", "partition": "none"}
    data["clusters"] = [account | {"key_file": "/nonexistent"}]
    data["profiles"] = [size | {"cpus": 1, "memory": "1G", "time_limit_minutes": 1, "image": "none"}]
    data["tunnel"] = {"host": "no-cluster.invalid", "host_keys": [key]}

c.HpcHub.hub_id = data["hub_id"]
c.HpcHub.clusters = data["clusters"]
c.HpcHub.profiles = data["profiles"]
c.HpcHub.tunnel = data["tunnel"]
