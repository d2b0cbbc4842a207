# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Run a module of the collection as Ansible does."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[3]


def play(module: str, *, check: bool = False, **arguments: Any) -> dict[str, Any]:
    """Run a module and give its answer."""
    options = {
        **arguments,
        "_ansible_check_mode": check,
        "_ansible_diff": True,
        "_ansible_tmpdir": None,
        "_ansible_remote_tmp": "/tmp",
        "_ansible_keep_remote_files": False,
    }
    code = (
        "import json, runpy, sys\n"
        "from ansible.module_utils import basic\n"
        "from ansible.module_utils.testing import patch_module_args\n"
        f"sys.path.insert(0, {str(ROOT / '.cache/collections')!r})\n"
        "with patch_module_args(json.load(sys.stdin)):\n"
        f"    runpy.run_path({str(ROOT / 'plugins/modules' / module)!r} + '.py', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], input=json.dumps(options), capture_output=True, text=True, check=False
    )
    assert done.stdout, done.stderr
    answer = json.loads(done.stdout.splitlines()[-1])
    assert isinstance(answer, dict)
    return answer
