# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write down what every task of a converge run did, so that a test can hold `--check` against the real run."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible import context
from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: changes
type: notification
short_description: Writes down what every task did
description:
  - Writes one JSON file for each run of C(converge.yml) into the directory named by C(HPCAMPUS_PROOF_DIR).
requirements:
  - enabled in the configuration
"""


class CallbackModule(CallbackBase):
    """Collects host, task and outcome, and writes them at the end."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "changes"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._rows: list[dict[str, str]] = []
        self._path: Path | None = None

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Choose the file: a run with --check, the first real run, or a further one."""
        directory = os.environ.get("HPCAMPUS_PROOF_DIR", "")
        if not directory or Path(playbook._file_name).name != "converge.yml" or context.CLIARGS.get("syntax"):
            return
        kind = "check" if context.CLIARGS.get("check") else "converge"
        if kind == "converge" and (Path(directory) / "changes-converge.json").exists():
            kind = "second-run"
        self._path = Path(directory) / f"changes-{kind}.json"

    def v2_runner_on_ok(self, result: Any) -> None:
        """Note a task that ran."""
        self._note(result, "changed" if result.is_changed() else "ok")

    def v2_runner_on_skipped(self, result: Any) -> None:
        """Note a task that did not run."""
        self._note(result, "skipped")

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Write the file."""
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.write_text(json.dumps(self._rows, indent=1), encoding="utf-8")

    def _note(self, result: Any, outcome: str) -> None:
        if self._path is None:
            return
        task = result._task
        role = task._role.get_name() if task._role else ""
        kind = "handler" if type(task).__name__ == "Handler" else "task"
        row = {"host": result._host.get_name(), "role": role, "task": task.name, "kind": kind, "outcome": outcome}
        self._rows.append({**row, "where": str(task.get_path())})
