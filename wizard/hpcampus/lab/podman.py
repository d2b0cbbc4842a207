# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""The one place that runs podman."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, Any

from hpcampus.lab.errors import LabError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


_STARTABLE = {"configured", "created", "exited", "initialized", "stopped"}


class Podman:
    """Runs podman commands.

    Args:
        conf: Configuration file for this machine, or None where podman's defaults will do. One that the caller's
            environment already names is stronger.
    """

    def __init__(self, conf: Path | None = None) -> None:
        self._env = dict(os.environ)
        if conf is not None:
            self._env.setdefault("CONTAINERS_CONF", str(conf))

    def run(
        self, *args: str, stdin: bytes | None = None, check: bool = True, timeout: float = 600
    ) -> subprocess.CompletedProcess[str]:
        """Run podman with `args` and return what it printed.

        Raises:
            LabError: When it fails and `check` is set, is not installed, or takes longer than `timeout` seconds.
        """
        try:
            done = subprocess.run(
                ["podman", *args], env=self._env, input=stdin, capture_output=True, timeout=timeout, check=False
            )
        except FileNotFoundError:
            msg = "podman is not installed."
            raise LabError(msg, cure="Run `python -m hpcampus.lab images`, which installs what is missing.") from None
        except subprocess.TimeoutExpired:
            msg = f"`podman {args[0]}` did not end within {timeout:.0f} s."
            raise LabError(msg, cure="See `podman ps --all` and try again.") from None
        result = subprocess.CompletedProcess(
            done.args, done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
        )
        if check and result.returncode:
            msg = f"`podman {' '.join(args[:2])}` failed (exit status {result.returncode})."
            raise LabError(msg, detail=result.stderr or result.stdout)
        return result

    def ask(self, *args: str) -> bool:
        """Run a podman command whose exit status is its answer."""
        return self.run(*args, check=False).returncode == 0

    def names(self, kind: str, label: str) -> list[str]:
        """Return the names of all containers, networks or volumes that carry a label.

        Args:
            kind: `container`, `network` or `volume`.
            label: `key=value`.
        """
        everything = ["--all"] if kind == "container" else []
        template = "{{.Names}}" if kind == "container" else "{{.Name}}"
        return self.run(kind, "ls", *everything, "--filter", f"label={label}", "--format", template).stdout.split()

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what podman knows of a container, or an empty dictionary when there is none."""
        done = self.run("container", "inspect", name, check=False)
        found: list[dict[str, Any]] = json.loads(done.stdout or "[]") if done.returncode == 0 else []
        return found[0] if found else {}

    def usable(self, name: str) -> dict[str, Any]:
        """Return what podman knows of a container, after removing one that can neither be used nor started.

        Such a one is left when its processes end and nobody tells podman: it still counts as running, or as stopping.
        A machine whose memory is gone and whose disk was kept, as a snapshot keeps it, has them.

        Returns:
            What `inspect` returns; an empty dictionary when there is none, or none any more.
        """
        found = self.inspect(name)
        state = found.get("State", {}).get("Status")
        if not found or state in _STARTABLE or (state == "running" and self.ask("exec", name, "true")):
            return found
        # The first attempt may only find out that there is nothing to stop any more.
        self.run("rm", "--force", "--time", "0", name, check=False)
        self.run("rm", "--force", "--time", "0", name)
        return {}

    def attach(self, container: str, argv: Sequence[str], *, terminal: bool) -> int:
        """Run a command in a container on the caller's own standard streams and return its exit status."""
        options = ["--interactive", *(["--tty"] if terminal else [])]
        return subprocess.run(["podman", "exec", *options, container, *argv], env=self._env, check=False).returncode
