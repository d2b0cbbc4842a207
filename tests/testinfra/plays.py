# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Playbooks that a test runs itself, with the inventory of its scenario."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

MOLECULE = Path(__file__).parents[2] / "molecule"


def run_playbook(*words: str, **environment: str) -> str:
    """Run ansible-playbook and give what it printed.

    Args:
        words: playbooks and options.
        environment: what is set besides.

    Raises:
        AssertionError: with all that was said, when it fails.
    """
    inventories = [f"--inventory={MOLECULE / name / 'inventory'}" for name in ("shared", os.environ["HPCAMPUS_LAB"])]
    done = subprocess.run(
        ["ansible-playbook", *inventories, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    return done.stdout
