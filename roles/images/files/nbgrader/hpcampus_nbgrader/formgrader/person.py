# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The token of the person at a page, which tells the course service in whose name the course's server acts."""

from __future__ import annotations

import os
from typing import Any


def person_token(handler: Any) -> str:
    """The token that the hub gave this server when the person came here; "" for a program with the server's own token."""
    auth = getattr(handler.identity_provider, "hub_auth", None)
    token = str(auth.get_token(handler) or "") if auth is not None else ""
    return "" if token == os.environ.get("JUPYTERHUB_API_TOKEN") else token
