# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Jupyter Server's configuration in the image: which parts of nbgrader a server shows."""

import os

from hpcampus_nbgrader.settings import COURSE_ROOT, Settings
from traitlets.config import get_config

settings = Settings.from_environment(os.environ)
c = get_config()

c.ServerApp.jpserver_extensions = settings.server_extensions
c.ServerApp.tornado_settings = {"page_config_data": {"disabledExtensions": settings.disabled_lab_plugins}}
if settings.is_course:
    c.ServerApp.root_dir = COURSE_ROOT
