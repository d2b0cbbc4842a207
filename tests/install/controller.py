# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The admin's machine, from which a site is installed: this one, with names, a key and a home of its own.

The test hosts are known by name to each other only, and root's own ssh keys and files are none of a test's business. So what
is started here sees another /etc/hosts and another ~/.ssh, in a mount namespace that ends with it.
"""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING

from hpcampus.places import site_at
from tests.contract.checkout import ROOT

if TYPE_CHECKING:
    from collections.abc import Mapping

    from hpcampus.places import Site

WITH_OWN_FILES = """\
mount --bind "$1" /etc/hosts && mount --bind "$2" "$3" && shift 3 && exec "$@"
"""
# What an admin's shell would not have, or has of its own.
FOREIGN = ("ANSIBLE_", "HPCAMPUS_", "XDG_", "PYTEST_", "COLUMNS", "NO_COLOR", "SSH_", "DISPLAY")


class Controller:
    """What the command is started on.

    Args:
        home: Directory that becomes the admin's home.
        names: Address of every name that the test hosts have.
        key: Private key that opens them.
    """

    def __init__(self, home: Path, names: Mapping[str, str], key: Path) -> None:
        self.home = home
        self.hosts_file = home / "hosts"
        lines = [f"{address} {name}\n" for name, address in names.items()]
        self.hosts_file.write_text("127.0.0.1 localhost\n" + "".join(lines), encoding="utf-8")
        self.ssh = home / ".ssh"
        self.ssh.mkdir(mode=0o700)
        shutil.copy(key, self.ssh / "id_ed25519")
        # ssh takes the home of the account, not that of the environment.
        self.ssh_of_root = Path(pwd.getpwuid(os.geteuid()).pw_dir) / ".ssh"
        self.ssh_of_root.mkdir(mode=0o700, exist_ok=True)

    def argv(self, *arguments: str) -> list[str]:
        """Give the command line of the command with its arguments."""
        own = [str(self.hosts_file), str(self.ssh), str(self.ssh_of_root)]
        return [
            "unshare", "--mount", "--propagation", "private", "sh", "-c", WITH_OWN_FILES, "sh", *own,
            sys.executable, "-m", "hpcampus", *arguments,
        ]  # fmt: skip

    def environment(self) -> dict[str, str]:
        """Give the environment of an admin's shell."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(FOREIGN)}
        env.update(HOME=str(self.home), PYTHONPATH=str(ROOT / "wizard"), HPCAMPUS_LANGUAGE="en", LANG="C.UTF-8")
        return env

    def run(self, *arguments: str, stdin: str = "", seconds: float = 900) -> subprocess.CompletedProcess[str]:
        """Run the command to its end, without a terminal."""
        return subprocess.run(
            self.argv(*arguments),
            input=stdin,
            capture_output=True,
            text=True,
            check=False,
            timeout=seconds,
            cwd=self.home,
            env=self.environment(),
        )

    def start(self, output: IO[str], *arguments: str) -> subprocess.Popen[str]:
        """Start the command without a terminal; the process is the command itself, not a shell around it."""
        return subprocess.Popen(
            self.argv(*arguments),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self.home,
            env=self.environment(),
        )

    def site(self, name: str = "inventory") -> Site:
        """Describe the site of an inventory below the home; its state and its key are in the admin's home, not in ours."""
        return site_at(self.home / name)

    @property
    def state(self) -> Path:
        """Directory in which the command remembers."""
        return self.home / ".local/state/hpcampus"

    @property
    def keys(self) -> Path:
        """Directory of the keys of vaults."""
        return self.home / ".config/hpcampus/vault"
