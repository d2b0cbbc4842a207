# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Loads what the role installs from where it lies: it is installed elsewhere, and runs far from here."""

import importlib
import sys
from pathlib import Path
from types import ModuleType

FILES = Path(__file__).parents[3] / "roles" / "gateway" / "files"


def load(name: str) -> ModuleType:
    """Import a module of the role, such as ``start`` or ``hpcampus_job.files``."""
    if str(FILES) not in sys.path:
        sys.path.insert(0, str(FILES))
    return importlib.import_module(name)
