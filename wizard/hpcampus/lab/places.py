# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Where the lab keeps its files."""

from __future__ import annotations

import os
from pathlib import Path


def cache_dir() -> Path:
    """Return the directory of what can be made again: packages, notebook images, downloads."""
    return _base("XDG_CACHE_HOME", ".cache") / "hpcampus"


def lab_dir(name: str) -> Path:
    """Return the directory of one lab: its keys, known hosts, inventory and specification."""
    return labs_dir() / name


def labs_dir() -> Path:
    """Return the directory that holds one directory per lab."""
    return _base("XDG_STATE_HOME", ".local/state") / "hpcampus" / "labs"


def _base(variable: str, default: str) -> Path:
    value = os.environ.get(variable, "")
    return Path(value) if value.startswith("/") else Path.home() / default
