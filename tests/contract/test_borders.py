# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Which part may import which."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.checkout import ROOT, text, tracked

ON_LOGIN_NODES = r"roles/gateway/files/(?!closed_keyring\.py|start\.py|webdav\.py|host/).*\.py|plugins/module_utils/account_program\.py"
ON_CLUSTERS = [n for n in tracked() if re.fullmatch(rf"roles/(gateway|tunnel)/files/.*\.py|{ON_LOGIN_NODES}", n)]


def imports(name: str) -> set[str]:
    """Return the top-level names of the modules that a file imports."""
    found = set()
    for node in ast.walk(ast.parse((ROOT / name).read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            found.add((node.module or "").split(".")[0])
    return found


def _python(prefix: str) -> list[str]:
    return [name for name in tracked() if name.startswith(prefix) and name.endswith(".py")]


def test_one_module_runs_ansible():
    assert [n for n in _python("wizard/") if "ansible_runner" in imports(n)] == ["wizard/hpcampus/runner.py"]


def test_only_screens_ask_and_draw():
    found = [n for n in _python("wizard/") if {"questionary", "rich", "prompt_toolkit"} & imports(n)]
    assert [n for n in found if not n.startswith("wizard/hpcampus/screens/")] == []
    assert found


def test_the_lab_knows_nothing_of_the_wizard():
    modules = set()
    for name in _python("wizard/hpcampus/lab/"):
        modules |= set(re.findall(r"^\s*from (hpcampus[\w.]*) import", text(name) or "", re.MULTILINE))
    assert [module for module in modules if not module.startswith("hpcampus.lab")] == []


def test_the_collection_works_without_the_command():
    for name in [*_python("roles/"), *_python("plugins/")]:
        assert "hpcampus" not in imports(name), name


def test_the_hub_knows_nothing_of_ansible():
    for name in _python("roles/jupyterhub/files/hub/"):
        assert not {"ansible", "ansible_runner", "batchspawner"} & imports(name), name


def test_what_runs_on_clusters_needs_the_standard_library_alone():
    allowed = {
        "__future__", "argparse", "ast", "asyncio", "base64", "binascii", "collections", "concurrent", "contextlib", "ctypes",
        "dataclasses", "datetime", "errno", "fcntl", "functools", "getpass", "grp", "hashlib", "hmac", "http", "io", "ipaddress",
        "itertools", "json", "logging", "math", "os", "pathlib",
        "pwd", "queue", "random", "re", "resource", "secrets", "select", "selectors", "shlex", "shutil",
        "signal", "socket", "socketserver", "ssl", "stat", "string", "struct", "subprocess", "sys", "syslog", "tarfile", "tempfile",
        "textwrap", "threading", "time", "traceback", "typing", "urllib", "uuid",
    }  # fmt: skip
    assert ON_CLUSTERS
    for name in ON_CLUSTERS:
        if name != "roles/gateway/files/start.py":
            own = (
                {"closed_keyring", "hpcampus_gateway", "hpcampus_job"} if "/gateway/" in name else {"hpcampus_signing"}
            )
            assert imports(name) - allowed - own == set(), name


def too_new(path: Path) -> str:
    """Return what is newer than Python 3.6 in a file: its syntax, or what it calls of the standard library."""
    vermin = Path(sys.executable).with_name("vermin")
    done = subprocess.run(
        [vermin, "--processes=1", "--target=3.6-", "--violations", "--no-tips", path],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout if done.returncode else ""


@pytest.mark.parametrize("name", [n for n in ON_CLUSTERS if re.fullmatch(ON_LOGIN_NODES, n)])
def test_what_runs_on_an_old_login_node_is_python_3_6(name: str):
    assert too_new(ROOT / name) == ""


def test_what_is_newer_would_be_seen(tmp_path: Path):
    newer = tmp_path / "newer.py"
    newer.write_text("import subprocess\nsubprocess.run(['true'], capture_output=True)\n", encoding="utf-8")
    assert "3.7" in too_new(newer)
