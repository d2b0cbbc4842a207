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
    done = _run(words, environment)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr
    return done.stdout


def refused_playbook(*words: str) -> str:
    """Run ansible-playbook, which has to fail at a task, and give what it printed.

    Raises:
        AssertionError: with all that was said, when it ends otherwise.
    """
    # Where the words of a failed task go is a setting of Ansible's.
    done = _run(words, {})
    assert done.returncode == 2, done.stdout[-5000:] + done.stderr
    return done.stdout + done.stderr


def _run(words: tuple[str, ...], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    inventories = [f"--inventory={MOLECULE / name / 'inventory'}" for name in ("shared", os.environ["HPCAMPUS_LAB"])]
    return subprocess.run(
        ["ansible-playbook", *inventories, *words],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, **environment},
    )
