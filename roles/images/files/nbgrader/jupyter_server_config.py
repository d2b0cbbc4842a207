# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Jupyter Server's configuration in the image: which parts of nbgrader a server shows, and how links bring repositories."""

import os

from hpcampus_nbgrader import pulling
from hpcampus_nbgrader.settings import COURSE_ROOT, PAGES_ROOT, Settings
from jupyter_core.paths import jupyter_data_dir

settings = Settings.from_environment(os.environ)
c = get_config()  # type: ignore[name-defined]  # noqa: F821 - the loader provides it

pulling.install()
c.ServerApp.jpserver_extensions = settings.server_extensions
c.NotebookNotary.db_file = f"{jupyter_data_dir()}/{settings.signatures}"
if settings.is_course:
    c.ServerApp.root_dir = COURSE_ROOT
    # The guard that holds graders back is an extension: without it there must be no server.
    c.ServerApp.reraise_server_extension_failures = True

# JupyterLab reads its page configuration from this path later.
pages = f"{PAGES_ROOT}/{settings.role}"
given = [part for part in os.environ.get("JUPYTER_CONFIG_PATH", "").split(os.pathsep) if part not in ("", pages)]
os.environ["JUPYTER_CONFIG_PATH"] = os.pathsep.join([pages, *given])
