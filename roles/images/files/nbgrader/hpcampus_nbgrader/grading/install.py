# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Has nbgrader autograde on the cluster: its command, its API, and with them the formgrader."""

from __future__ import annotations

import nbgrader.apps.api
import nbgrader.apps.autogradeapp
import nbgrader.converters

from .autograde import SandboxedAutograde


def install() -> None:
    """Put our class where nbgrader takes its own from; again is no harm."""
    for module in (nbgrader.converters, nbgrader.apps.api, nbgrader.apps.autogradeapp):
        module.Autograde = SandboxedAutograde
