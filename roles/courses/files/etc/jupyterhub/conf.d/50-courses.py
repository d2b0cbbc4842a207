# Managed by hpcampus (hpcampus.platform.courses). Your own lines belong in /etc/jupyterhub/local.d/*.py.
# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Courses and the course service. The values are in courses.json and course-service.json, beside conf.d."""

import json
from pathlib import Path

c = get_config()  # noqa: F821 (put here by jupyterhub_config.py)

etc = Path(__file__).parent.parent
c.HpcHub.courses = json.loads((etc / "courses.json").read_text())

service = json.loads((etc / "course-service.json").read_text())
c.HpcHub.gradebook = service["gradebook"]
c.JupyterHub.services.append(
    {
        "name": "courses",
        "url": f"http://127.0.0.1:{service['port']}",
        "api_token": (etc / "secrets/courses_token").read_text().strip(),
        "timeout": 1,  # seconds for which the hub's own start waits for it
        "oauth_no_confirm": True,  # it is a part of the hub
        # Besides who somebody is, it may ask the servers of courses, as far as the person may: for the button that autogrades.
        "oauth_client_allowed_scopes": ["access:servers!group=course-servers"],
    }
)
c.JupyterHub.load_roles += [
    # What people are called and which groups they are in: the roster of an open course is everybody.
    {"name": "courses", "scopes": ["list:users", "read:users:name", "read:groups"], "services": ["courses"]},
    # Everybody may open the pages; the service itself knows who sees which course.
    {"name": "user", "scopes": ["self", "access:services!service=courses"]},
]
