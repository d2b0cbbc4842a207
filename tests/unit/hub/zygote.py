# SPDX-FileCopyrightText: hpcampus contributors
# SPDX-License-Identifier: BSD-3-Clause
"""Hubs in processes that are forked; see :mod:`tests.unit.forks`."""

import os
import signal
from pathlib import Path

from tests.unit.forks import ROOT, Forks, log_to, serve


def run_hub(config: str, cwd: str, log: str) -> int:
    """The child: becomes a hub."""
    from hpcampus_hub.app import HpcHub

    os.chdir(cwd)
    log_to(log)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    HpcHub.launch_instance(["--config", config])
    return 0


class Zygote(Forks):
    """Starts hubs."""

    def __init__(self) -> None:
        path = f"{ROOT / 'roles/jupyterhub/files/hub'}:{ROOT}"
        super().__init__("tests.unit.hub.zygote", {"PYTHONPATH": path, "CONFIGPROXY_AUTH_TOKEN": "unused"})

    def start(self, config: Path, cwd: Path, log: Path) -> int:
        """Start a hub; gives its process id."""
        return int(self.ask(config=str(config), cwd=str(cwd), log=str(log)))


if __name__ == "__main__":
    import hpcampus_hub.app  # noqa: F401

    serve(run_hub)
