# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Test hosts: containers with a real systemd, made from Debian's packages, for the demo and for every test.

A lab is a name and a few hosts. `Lab.up` brings them up and may be interrupted and repeated; `Lab.down` removes that
lab and nothing else. Podman runs as root, so callers use `require_root` first.
"""

from hpcampus.lab.errors import LabError
from hpcampus.lab.inventory import role_settings
from hpcampus.lab.lab import HostStatus, Lab, Progress, site_settings
from hpcampus.lab.model import Host, Opening, Publish, Spec
from hpcampus.lab.root import require_root

__all__ = [
    "Host",
    "HostStatus",
    "Lab",
    "LabError",
    "Opening",
    "Progress",
    "Publish",
    "Spec",
    "require_root",
    "role_settings",
    "site_settings",
]
