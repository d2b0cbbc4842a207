# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Loads the programs of the role from their files: they are no package, and run on other hosts."""

import importlib.util
from pathlib import Path
from types import ModuleType

FILES = Path(__file__).parents[3] / "roles" / "tunnel" / "files"


def load(name: str, folder: Path = FILES) -> ModuleType:
    """Import one program as a module."""
    spec = importlib.util.spec_from_file_location(f"hpcampus_{folder.parent.name}_{name}", folder / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
