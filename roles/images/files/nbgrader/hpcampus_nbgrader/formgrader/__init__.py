# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""nbgrader's formgrader for several people at once: who teaches does everything, who grades looks and grades by hand.

It is a server extension of its own, which loads nbgrader's with handlers that know who is at the page, let a page that takes long
run beside the others, and leave a line in the course's log. What a grader may not do is refused for the whole server.
"""

from __future__ import annotations

import os
from typing import Any

from hpcampus_nbgrader.settings import Settings

from .extension import load
from .guard import install


def _jupyter_server_extension_points() -> list[dict[str, str]]:
    return [{"module": "hpcampus_nbgrader.formgrader"}]


def load_jupyter_server_extension(server: Any) -> None:
    """Load formgrader, behind the guard."""
    course = Settings.from_environment(os.environ).course
    install(server, course)
    load(server)


_load_jupyter_server_extension = load_jupyter_server_extension
