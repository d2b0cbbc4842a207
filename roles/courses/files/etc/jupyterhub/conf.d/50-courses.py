# Managed by hpcampus (hpcampus.platform.courses). Your own lines belong in /etc/jupyterhub/local.d/*.py.
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Courses: who teaches, who takes part, in which image and size. The values are in courses.json, beside conf.d."""

import json
from pathlib import Path

c = get_config()  # noqa: F821 (put here by jupyterhub_config.py)

c.HpcHub.courses = json.loads((Path(__file__).parent.parent / "courses.json").read_text())
