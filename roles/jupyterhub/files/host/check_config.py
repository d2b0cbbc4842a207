# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Load the configuration as the hub would, without starting anything, so that a mistake does not cost a restart."""

import sys

from traitlets.config.loader import PyFileConfigLoader

from hpcampus_hub.settings import SettingsError, read_site

config = PyFileConfigLoader("jupyterhub_config.py", path="/etc/jupyterhub").load_config()
settings = {name: config.HpcHub.get(name, ()) for name in ("hub_id", "clusters", "profiles", "tunnel", "courses")}
try:
    read_site(**settings)
except SettingsError as error:
    sys.exit(f"hpcampus: {error}")
