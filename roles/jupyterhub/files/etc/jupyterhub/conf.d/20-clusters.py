# Managed by hpcampus (hpcampus.platform.jupyterhub). Your own lines belong in /etc/jupyterhub/local.d/*.py.
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Clusters, the sizes that people pick from, and the way back from a job. The values are in clusters.json."""

import json
from pathlib import Path

c = get_config()  # noqa: F821 (put here by jupyterhub_config.py)

data = json.loads(Path("/etc/jupyterhub/clusters.json").read_text())
c.HpcHub.hub_id = data["hub_id"]
c.HpcHub.clusters = data["clusters"]
c.HpcHub.profiles = data["profiles"]
c.HpcHub.tunnel = data["tunnel"]
