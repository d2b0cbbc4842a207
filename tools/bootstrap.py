# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Fill .venv from a lock file with hashes: `python3 tools/bootstrap.py controller|dev`.

Runs on the system's Python before anything is installed, so it uses the standard library alone. May be interrupted and
repeated; when the lock has not changed it does nothing.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
LINK = ROOT / ".cache/collections/ansible_collections/hpcampus/platform"


def main() -> int:
    """Make the environment named on the command line and return the exit status."""
    kind = sys.argv[1]
    link_collection()
    stamp = VENV / ".hpcampus-lock"
    wanted = fingerprint(kind)
    if stamp.exists() and stamp.read_text(encoding="utf-8").split() in ([kind, wanted], ["dev", fingerprint("dev")]):
        return 0
    stamp.unlink(missing_ok=True)
    try:
        make_venv()
        say(f"Install the locked packages of requirements/{kind}.txt into .venv")
        python = VENV / "bin/python"
        pip = [str(python), "-m", "pip", "--disable-pip-version-check", "--quiet"]
        run([*pip, "install", "--no-deps", "--require-hashes", "--requirement", "requirements/bootstrap.txt"])
        uv = [
            str(VENV / "bin/uv"),
            "pip",
            "install",
            "--quiet",
            "--compile-bytecode",
            f"--python={python}",
            *index_options(pip),
        ]
        run([*uv, "--no-deps", "--require-hashes", f"--requirement=requirements/{kind}.txt"])
        run([*uv, "--no-deps", "--no-build-isolation", "--editable", str(ROOT)])
    except subprocess.CalledProcessError as error:
        say(f"Could not make .venv: `{' '.join(error.cmd[:4])} ...` failed. The lines above say why; then try again.")
        return 1
    stamp.write_text(f"{kind} {wanted}\n", encoding="utf-8")
    return 0


def fingerprint(kind: str) -> str:
    """Return a digest of everything the environment is made from."""
    digest = hashlib.sha256(f"{sys.version} {ROOT}".encode())
    for name in ("requirements/bootstrap.txt", f"requirements/{kind}.txt", "pyproject.toml"):
        digest.update((ROOT / name).read_bytes())
    return digest.hexdigest()[:16]


def make_venv() -> None:
    """Make an empty environment unless a usable one of the same Python is there."""
    python = VENV / "bin/python"
    if python.exists():
        done = subprocess.run(
            [str(python), "-c", "import pip, sys; print(sys.version)"], capture_output=True, text=True, check=False
        )
        if done.stdout.strip() == sys.version.strip():
            return
        shutil.rmtree(VENV)
    ensure_venv_module()
    say(f"Make the environment .venv for Python {sys.version.split()[0]}")
    run([sys.executable, "-m", "venv", str(VENV)])


def ensure_venv_module() -> None:
    """Install Debian's package for environments where Python comes without it."""
    if subprocess.run([sys.executable, "-c", "import ensurepip"], capture_output=True, check=False).returncode == 0:
        return
    command = ["apt-get", "--yes", "--no-install-recommends", "install", "python3-venv"]
    if os.geteuid() != 0:
        command.insert(0, "sudo")
    say("Install the Debian package python3-venv, which makes environments such as .venv")
    run(command)


def index_options(pip: list[str]) -> list[str]:
    """Return the options by which uv uses the index and certificates that pip on this machine uses."""
    done = subprocess.run([*pip, "config", "get", "global.index-url"], capture_output=True, text=True, check=False)
    index = os.environ.get("PIP_INDEX_URL") or done.stdout.strip()
    return ["--system-certs", *([f"--index-url={index}"] if index else [])]


def link_collection() -> None:
    """Make hpcampus.platform findable under a collections path: a link from there to this checkout."""
    target = "../../../.."
    if LINK.is_symlink() and str(LINK.readlink()) == target:
        return
    LINK.parent.mkdir(parents=True, exist_ok=True)
    LINK.unlink(missing_ok=True)
    LINK.symlink_to(target)


def run(argv: list[str]) -> None:
    """Run a command in the checkout; its output goes to the terminal."""
    subprocess.run(argv, cwd=ROOT, check=True)


def say(text: str) -> None:
    """Tell the person at the terminal."""
    print(text, flush=True)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - it may be started by an older one
        sys.exit("hpcampus needs Python 3.11 or newer on the machine that runs it.")
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("Stopped. The same command goes on from here.")
