# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Write JupyterLab's page configuration for each kind of server: `python -m hpcampus_nbgrader.pages DIRECTORY`.

JupyterLab takes hidden plugins from files only, and JupyterHub's server overrides the hook that could change them. So
the image holds a configuration directory for each role, and the server's configuration puts the right one on its path.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from .settings import Settings

ROLES = (Settings(), Settings(course="any", courses=("any",)), Settings(course="any", courses=("any",), is_course=True))


def write(directory: Path) -> None:
    """Write `<directory>/<role>/labconfig/page_config.json` for every role."""
    for settings in ROLES:
        target = directory / settings.role / "labconfig"
        target.mkdir(parents=True, exist_ok=True)
        content = {"disabledExtensions": settings.disabled_lab_plugins}
        (target / "page_config.json").write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
