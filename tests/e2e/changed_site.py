# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The demo with other settings for a while, as an administrator changes them: in the inventory, then by the steps."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hpcampus import demo
from hpcampus.places import site_at
from hpcampus.yaml_files import read_plain

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from hpcampus.places import Site

HPCAMPUS = str(Path(sys.executable).parent / "hpcampus")
STEP_SECONDS = 300


@contextlib.contextmanager
def changed_site(
    directory: Path, steps: Sequence[str], change: Callable[[dict[str, Any]], None]
) -> Iterator[dict[str, Any]]:
    """Change a copy of the demo's inventory and run steps; in the end run them again with what was there before.

    Args:
        directory: Takes the copy.
        steps: Names of the steps that the change needs.
        change: Changes the variables of all hosts.

    Yields:
        The changed variables.
    """
    shutil.copytree(demo.demo_site().inventory, directory / "inventory")
    site = site_at(directory / "inventory")
    path = site.inventory / "group_vars" / "all" / "main.yml"
    before = path.read_text(encoding="utf-8")
    variables: Any = read_plain(path)
    change(variables)
    path.write_text(json.dumps(variables), encoding="utf-8")
    try:
        run_steps(site, steps)
        yield variables
    finally:
        path.write_text(before, encoding="utf-8")
        run_steps(site, steps)


def run_steps(site: Site, steps: Sequence[str]) -> None:
    """Run some steps of a site."""
    key = f"--vault-password-file={demo.demo_site().default_vault_key}"
    for step in steps:
        argv = [HPCAMPUS, "apply", f"--inventory={site.inventory}", key, "--plain", "--step", step]
        done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=STEP_SECONDS)
        assert done.returncode == 0, done.stdout + done.stderr
